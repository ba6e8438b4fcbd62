"""How usual a combination of feature values is: a tree of pairwise densities, as additive tables.

A Chow-Liu tree: each feature's code depends on one other's, along the pairs that tell most about
each other. The log-density is then a sum over pairs, which the additive family's code computes.
Source: Chow and Liu, Approximating Discrete Probability Distributions with Dependence Trees, 1968.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dibble_tools.common import portable
from dibble_tools.common.errors import InputError
from dibble_tools.families.additive.tables import AdditiveTables, Term, cell_of, codes_of, length, quantize, sum_tables
from dibble_tools.families.scaling import Scaler, fit_scaler

FOLDS = 5
FEWEST_BINS = 3
PRIOR = 0.5  # rows that every combination is taken to have been seen already, a Laplace smoothing
MARGIN_UNIT = 16.0  # steps a nat of log-density


@dataclass(frozen=True)
class Novelty:
    """A row is novel when its density score, score[1], is below the threshold.

    Attributes:
        tables: two classes; score[0] is 0, score[1] the log-density in steps of 1 / margin_unit nat
            above the least there can be.
        threshold: score from which on a row is usual.
        rate: share of usual rows that may fall below it.
    """

    tables: AdditiveTables
    threshold: int
    rate: float

    def is_novel(self, values: np.ndarray, limits: Sequence[int]) -> np.ndarray:
        """Return which rows of feature values are novel."""
        return self.tables.scores(values, limits)[:, 1] < self.threshold


def fit_novelty(
    values: np.ndarray,
    limits: Sequence[int],
    lows: Sequence[int],
    rate: float,
    *,
    bins: int = 6,
    features: Sequence[int] | None = None,
    max_bytes: int | None = None,
    parts: Sequence[tuple[np.ndarray, np.ndarray]] | None = None,
) -> Novelty:
    """Fit the density of training rows and the threshold below which a share `rate` of such rows falls.

    Args:
        values: int (rows, features), 0..limits[f]; lows[f] is what 0 stands for.
        rate: 0..1 (exclusive), such as 0.01.
        bins: codes a feature, 3..8.
        features: those to use; all by default.
        max_bytes: of the tables: fewer bins, then only the strongest pairs, the other features left out.
        parts: (fit, held_out) row indices; each row's density is judged by rows of other parts. By
            default 5 parts at random. Parts by group give a threshold that allows for drift
            between groups.
    Raises:
        InputError: rate, or max_bytes, can't be met.
    """
    if not 0 < rate < 1:
        raise InputError(f"expected a rate of false alarms above 0 and below 1, such as 0.01, got {rate}")
    used = list(range(len(limits))) if features is None else sorted(features)
    scalers, roots, edges = _design(values, limits, lows, used, bins, max_bytes)
    codes = codes_of(scalers, values, limits)
    judged = []
    for fit, held_out in parts or _random_parts(len(values)):
        terms = _densities(scalers, roots, edges, codes[fit])
        judged.append(sum_tables(scalers, terms, np.zeros(2), values[held_out], limits)[:, 1])
    terms = _densities(scalers, roots, edges, codes)
    tables = quantize(scalers, terms, np.zeros(2), MARGIN_UNIT)
    least = sum(float(term.table.min()) for term in terms)
    steps = (np.concatenate(judged) - least) * tables.margin_unit
    threshold = max(0, int(np.floor(np.quantile(steps, rate))))
    return Novelty(replace(tables, base=[0, 0]), threshold, rate)


def _design(
    values: np.ndarray,
    limits: Sequence[int],
    lows: Sequence[int],
    used: list[int],
    bins: int,
    max_bytes: int | None,
) -> tuple[list[Scaler | None], list[int], list[tuple[int, int]]]:
    """Return scalers, the features that depend on no other, and (parent, child) pairs, within max_bytes."""
    room = float("inf") if max_bytes is None else max_bytes
    for n in range(max(bins, FEWEST_BINS), FEWEST_BINS - 1, -1):
        scalers: list[Scaler | None] = [None] * len(limits)
        for f in used:
            scalers[f] = fit_scaler(values[:, f], limits[f], max(1, min(n - 1, limits[f])), lows[f])
        roots, edges = _oriented(_strongest(scalers, used, codes_of(scalers, values, limits)), used)
        if _bytes(scalers, roots, edges) <= room:
            return scalers, roots, edges
    links = [(min(edge), max(edge)) for edge in edges]  # the strongest first
    while links:
        links.pop()
        roots, edges = _oriented(links, sorted({f for link in links for f in link}))
        if links and _bytes(scalers, roots, edges) <= room:
            return scalers, roots, edges
    raise InputError(f"expected room for a table of one pair of features, got max_bytes {max_bytes}")


def _strongest(scalers: list[Scaler | None], used: list[int], codes: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs of the tree whose features tell most about each other, the strongest first."""
    ends = np.cumsum([0, *(length(scalers[f], 0) for f in used)])
    hot = np.zeros((len(codes), ends[-1]), dtype=np.float32)
    for i, f in enumerate(used):
        hot[np.arange(len(codes)), ends[i] + codes[:, f]] = 1
    joint = (hot.T @ hot).astype(np.float64) / len(codes)
    alone = np.diag(joint)
    least = 0.5 / len(codes)  # a pair that never occurs counts for nothing
    ratio = np.maximum(joint, least) / np.maximum(np.outer(alone, alone), least * least)
    each = joint * portable.log(ratio)
    told = np.add.reduceat(np.add.reduceat(each, ends[:-1], axis=0), ends[:-1], axis=1)
    found = sorted((-told[i, j], i, j) for i in range(len(used)) for j in range(i + 1, len(used)))
    tree = list(range(len(used)))  # Kruskal: which tree each feature belongs to so far
    links = []
    for _, i, j in found:
        if tree[i] != tree[j]:
            links.append((used[i], used[j]))
            old, new = tree[i], tree[j]
            tree = [new if t == old else t for t in tree]
    return links


def _oriented(links: list[tuple[int, int]], used: list[int]) -> tuple[list[int], list[tuple[int, int]]]:
    """Return a root for each tree, and the links as (parent, child) in their order."""
    roots: list[int] = []
    parent: dict[int, int | None] = {}
    for start in used:
        if start in parent:
            continue
        roots.append(start)
        parent[start] = None
        waiting = [start]
        for f in waiting:  # grows while it is walked
            for other in (b if f == a else a for a, b in links if f in (a, b)):
                if other not in parent:
                    parent[other] = f
                    waiting.append(other)
    return roots, [(a, b) if parent[b] == a else (b, a) for a, b in links]


def _bytes(scalers: list[Scaler | None], roots: list[int], edges: list[tuple[int, int]]) -> int:
    return sum(length(scalers[f], 0) for f in roots) + sum(
        length(scalers[a], 0) * length(scalers[b], 0) for a, b in edges
    )


def _densities(
    scalers: list[Scaler | None], roots: list[int], edges: list[tuple[int, int]], codes: np.ndarray
) -> list[Term]:
    """Return float terms: log p(root), and log p(child | parent) for each edge."""
    terms = []
    for features in [*((root,) for root in roots), *edges]:
        shifts = (0,) * len(features)
        cell = cell_of(scalers, features, shifts, codes)
        sizes = [length(scalers[f], 0) for f in features]
        counts = PRIOR + np.bincount(cell, minlength=int(np.prod(sizes))).reshape(sizes)
        table = portable.log(counts / counts.sum(axis=-1, keepdims=True)).reshape(1, -1)
        terms.append(Term(features, shifts, table, table[:, cell].mean(axis=1)))
    return terms


def _random_parts(rows: int) -> list[tuple[np.ndarray, np.ndarray]]:
    parts = np.array_split(np.random.default_rng(0).permutation(rows), min(FOLDS, rows))
    return [(np.setdiff1d(np.arange(rows), part), part) for part in parts]
