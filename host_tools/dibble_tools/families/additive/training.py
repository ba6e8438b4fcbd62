"""Fit an additive model: penalized logistic regression on the bins of codes, a convex problem.

interpret-core's EBM would be the ready-made choice, but bins by quantiles, which a node can't do by
one multiplication, and learns from hard labels only, not from a teacher's soft ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from dibble_tools.common import portable
from dibble_tools.families.additive.tables import (
    ENTRY_MAX,
    AdditiveTables,
    Term,
    cell_of,
    codes_of,
    length,
    quantize,
    sum_tables,
)
from dibble_tools.families.lbfgs import minimize
from dibble_tools.families.scaling import Scaler, fit_scaler

SMOOTHNESS = 8.0  # best, or close to it, on ten data sets at 8 to 32 bins
REFERENCE_BINS = 16  # at which a smoothness is meant; finer bins change less from one to the next
BEND = 2.0  # second differences weigh so much more than first ones
RIDGE = 0.05  # keeps an empty bin, and features that say the same, finite
PAIR_SMOOTHNESS = 16.0
PAIR_RIDGE = 0.5
PAIR_SIDE = 8  # a pair's codes are shortened to at most so many values each
PAIR_FEATURES = 24  # pairs are looked for among so many features, those that move the scores most
STEPS = 300
UNITS = (32.0, 16.0, 8.0, 64.0, 128.0)  # steps a nat that tables are tried in; the first of equals is taken
TOLERANCE = 1e-7  # of the loss, relative: far below what rounding to bytes does

Key = tuple[tuple[int, ...], tuple[int, ...]]  # a term's features and shifts


@dataclass(frozen=True)
class AdditiveStages:
    """A fitted model before and after quantizing.

    Attributes:
        scalers: for each feature, None where it wasn't offered.
        terms, base: float tables, in nats of log-odds against class 0.
        tables: the same as bytes.
    """

    scalers: list[Scaler | None]
    terms: list[Term]
    base: np.ndarray
    tables: AdditiveTables

    def scores(self, values: np.ndarray, limits: Sequence[int]) -> np.ndarray:
        """Return the float scores (rows, classes) in nats, 0 for class 0."""
        return sum_tables(self.scalers, self.terms, self.base, values, limits)


@dataclass(frozen=True)
class AdditiveRecipe:
    """How an additive model is made.

    Attributes:
        bins: of each feature, 8..32.
        pairs: pair tables at most.
        features: those to use; None: all.
        smoothness: how strongly neighbouring bins are held together.
    """

    bins: int = 16
    pairs: int = 0
    features: Sequence[int] | None = None
    smoothness: float = SMOOTHNESS


def fit(
    values: np.ndarray,
    limits: Sequence[int],
    lows: Sequence[int],
    targets: np.ndarray,
    weights: np.ndarray,
    recipe: AdditiveRecipe,
) -> AdditiveStages:
    """Fit tables of all single features and of a few pairs; nothing here is random.

    Args:
        values: int (rows, features), 0..limits[f]; lows[f] is what 0 stands for.
        targets: (rows, classes) probabilities; weights: (rows,), about 1 on average.
    Raises:
        InputError: the scores don't fit 16 bits.
    """
    used = list(range(len(limits))) if recipe.features is None else sorted(recipe.features)
    scalers: list[Scaler | None] = [None] * len(limits)
    for f in used:
        scalers[f] = fit_scaler(values[:, f], limits[f], max(1, min(recipe.bins - 1, limits[f])), lows[f], cheap=True)
    codes = codes_of(scalers, values, limits)
    keys: list[Key] = [((f,), (0,)) for f in used]
    cells = [cell_of(scalers, *key, codes) for key in keys]
    penalties = [_single_penalty(length(scalers[f], 0), recipe.smoothness) for f in used]
    base, curves = _Problem(cells, penalties, targets, weights).solve()
    if recipe.pairs > 0:
        for key in _find_pairs(scalers, codes, used, cells, base, curves, targets, weights)[: recipe.pairs]:
            sides = [length(scalers[f], shift) for f, shift in zip(*key, strict=True)]
            keys.append(key)
            cells.append(cell_of(scalers, *key, codes))
            penalties.append(_pair_penalty(*sides))
        base, curves = _Problem(cells, penalties, targets, weights).solve()
    terms = [
        Term(*key, table, np.average(table[:, cell], axis=1, weights=weights))
        for key, table, cell in zip(keys, curves, cells, strict=True)
    ]
    start = np.array([0.0, *base])
    exact = sum_tables(scalers, terms, start, values, limits)
    made = (as_bytes(scalers, terms, start, unit, exact, values, limits, weights) for unit in UNITS)
    tables = max(made, key=lambda made: made[0])[1]
    return AdditiveStages(scalers, terms, start, tables)


class _Problem:
    """Minimize sum of weight * cross-entropy(targets, softmax(base + tables)) + penalty / 2.

    A table's penalty is that of centred scores, class 0's among them, so that it doesn't matter
    which class comes first. The variables are tables in coordinates in which the curvature of each
    block, alone, is about 1: L-BFGS then needs tens of steps instead of thousands.
    """

    def __init__(
        self, cells: list[np.ndarray], penalties: list[np.ndarray], targets: np.ndarray, weights: np.ndarray
    ) -> None:
        self.targets, self.weights = targets, weights
        rows, classes = targets.shape
        self.columns = classes - 1
        self.ends = np.cumsum([0, *(len(penalty) for penalty in penalties)])
        at = np.stack(cells, axis=1) + self.ends[:-1]
        indices, starts = at.ravel().astype(np.int32), np.arange(0, at.size + 1, at.shape[1])
        # Products with ones, summed in the order of the rows or of the terms: the same on every computer.
        self.hot = sparse.csr_matrix((np.ones(at.size), indices, starts), (rows, self.ends[-1]))
        self.hot_t = self.hot.T.tocsr()
        self.centring = np.eye(self.columns) - 1 / classes
        curvature = (classes - 1) / classes**2  # of softmax where all classes are as likely
        counts = curvature * (self.hot_t @ weights)
        sizes = np.array([len(penalty) for penalty in penalties])
        self.blocks = []  # of the terms of each size: (terms, size) cells, and stacks of matrices
        for size in np.unique(sizes):
            mine = np.flatnonzero(sizes == size)
            where = self.ends[mine][:, None] + np.arange(size)
            held = np.stack([penalties[i] for i in mine])
            steep = held.copy()
            steep[:, np.arange(size), np.arange(size)] += counts[where]
            self.blocks.append((where, held, portable.inverse_root(steep)))
        self.base_unit = 1 / np.sqrt(curvature * weights.sum())

    def unpack(self, variables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return base (columns,) and all tables below each other, (cells, columns)."""
        scaled = variables.reshape(-1, self.columns)
        tables = np.empty((self.ends[-1], self.columns))
        for where, _, unscale in self.blocks:
            tables[where] = portable.apply(unscale, scaled[1:][where])
        return scaled[0] * self.base_unit, tables

    def loss(self, variables: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient."""
        base, tables = self.unpack(variables)
        logits = np.zeros(self.targets.shape)
        logits[:, 1:] = self.hot @ tables + base
        top = logits.max(axis=1, keepdims=True)
        powers = portable.exp(logits - top)
        total = powers.sum(axis=1, keepdims=True)
        entropy = (top + portable.log(total))[:, 0] - (self.targets * logits).sum(axis=1)
        residual = (powers / total - self.targets)[:, 1:] * self.weights[:, None]
        pull = np.empty_like(tables)
        for where, held, _ in self.blocks:
            pull[where] = portable.apply(portable.apply(held, tables[where]), self.centring)
        slope = self.hot_t @ residual + pull
        gradient = np.empty((len(slope) + 1, self.columns))
        gradient[0] = residual.sum(axis=0) * self.base_unit
        for where, _, unscale in self.blocks:
            gradient[1 + where] = portable.apply(np.swapaxes(unscale, 1, 2), slope[where])
        return portable.dot(self.weights, entropy) + float((tables * pull).sum()) / 2, gradient.ravel()

    def solve(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return base (columns,) and each table (columns, cells)."""
        start = np.zeros((self.ends[-1] + 1) * self.columns)
        base, tables = self.unpack(minimize(self.loss, start, steps=STEPS, tolerance=TOLERANCE))
        return base, [tables[a:b].T for a, b in zip(self.ends, self.ends[1:], strict=False)]


def as_bytes(
    scalers: list[Scaler | None],
    terms: list[Term],
    base: np.ndarray,
    unit: float,
    exact: np.ndarray,
    values: np.ndarray,
    limits: Sequence[int],
    weights: np.ndarray,
) -> tuple[float, AdditiveTables]:
    """Return (weight of the training rows decided as by `exact`, tables of bytes in steps of 1 / unit nat).

    Of a table too wide for that the lowest entries are raised: they tell that it is another class more clearly
    than it takes, and in steps that suited them all others would be coarse.
    """
    span = ENTRY_MAX / unit
    narrow = []
    for term in terms:
        lowest = term.table.max(axis=1) - span
        table, centre = np.maximum(term.table, lowest[:, None]), np.maximum(term.centre, lowest)
        narrow.append(replace(term, table=table, centre=centre))
    tables = _balanced(quantize(scalers, narrow, base, unit), exact, values, limits, weights)
    alike = tables.scores(values, limits).argmax(axis=1) == exact.argmax(axis=1)
    return portable.dot(alike.astype(np.float64), weights), tables


def _balanced(
    tables: AdditiveTables, exact: np.ndarray, values: np.ndarray, limits: Sequence[int], weights: np.ndarray
) -> AdditiveTables:
    """Return the tables with a base that makes the errors of rounding 0 on average over the training rows."""
    rounded = tables.scores(values, limits)
    errors = rounded - rounded[:, :1] - exact * tables.margin_unit
    base = np.array(tables.base) - np.rint(np.average(errors, axis=0, weights=weights)).astype(np.int64)
    balanced = replace(tables, base=(base - base.min()).tolist())
    balanced.check()
    return balanced


def _single_penalty(n: int, smoothness: float) -> np.ndarray:
    """Return the quadratic penalty on a table of n bins, about alike for the same curve at any n."""
    finer = n / REFERENCE_BINS
    slope, bend = np.diff(np.eye(n), axis=0), np.diff(np.eye(n), 2, axis=0)
    held = finer * (slope.T @ slope) + BEND * finer * finer * finer * (bend.T @ bend)  # of whole numbers: exact
    return smoothness * held + RIDGE / finer * np.eye(n)


def _pair_penalty(n: int, m: int) -> np.ndarray:
    slope_n, slope_m = np.diff(np.eye(n), axis=0), np.diff(np.eye(m), axis=0)
    held = np.kron(slope_n.T @ slope_n, np.eye(m)) + np.kron(np.eye(n), slope_m.T @ slope_m)
    return PAIR_SMOOTHNESS * held + PAIR_RIDGE * np.eye(n * m)


def _find_pairs(
    scalers: list[Scaler | None],
    codes: np.ndarray,
    used: list[int],
    cells: list[np.ndarray],
    base: np.ndarray,
    tables: list[np.ndarray],
    targets: np.ndarray,
    weights: np.ndarray,
) -> list[Key]:
    """Return pairs, best first: by how much one Newton step in each cell would lower the loss.

    Source: the idea of FAST, Lou et al., Accurate Intelligible Models with Pairwise Interactions, 2013.
    """
    logits = np.zeros(targets.shape)
    logits[:, 1:] = base + sum(table.T[cell] for table, cell in zip(tables, cells, strict=True))
    chance = portable.softmax(logits)
    moves = {f: float(np.std(t[:, c], axis=1).sum()) for f, t, c in zip(used, tables, cells, strict=True)}
    among = sorted(sorted(used, key=lambda f: -moves[f])[:PAIR_FEATURES])
    shifts = {f: max(0, (length(scalers[f], 0) - 1).bit_length() - PAIR_SIDE.bit_length() + 1) for f in among}
    sides = [length(scalers[f], shifts[f]) for f in among]
    ends = np.cumsum([0, *sides])
    hot = np.hstack([np.eye(n)[codes[:, f] >> shifts[f]] for f, n in zip(among, sides, strict=True)])
    gain = np.zeros((ends[-1], ends[-1]))
    for k in range(targets.shape[1]):
        residual = (targets[:, k] - chance[:, k]) * weights
        curvature = chance[:, k] * (1 - chance[:, k]) * weights
        slopes, curves = (portable.matmul(hot.T, each[:, None] * hot) for each in (residual, curvature))
        gain += slopes * slopes / (curves + 2 * PAIR_RIDGE)
    found = []
    for i in range(len(among)):
        for j in range(i + 1, len(among)):
            total = gain[ends[i] : ends[i + 1], ends[j] : ends[j + 1]].sum()
            found.append((-total, ((among[i], among[j]), (shifts[among[i]], shifts[among[j]]))))
    return [key for _, key in sorted(found)]
