"""Additive family: a generalized additive model as tables of bytes, indexed by feature codes.

A score is a sum of table entries, one for each feature and for a few chosen pairs of features, so
the model is its own explanation: each table is a curve that can be plotted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.families.scaling import Scaler, apply

ENTRY_MAX = 255
SCORE_MAX = 65535
MARGIN_UNIT = 32.0  # a rounding of 1/64 nat a table moves a probability by at most 0.4 points


@dataclass(frozen=True)
class Term:
    """One table, or rather one a class but the first, over the codes of one feature or of two.

    Attributes:
        features: (feature,) or (first, second).
        shifts: for each of them, by how many bits its code is shortened; 0 for a single feature.
        table: (classes - 1, cells), for a pair row-major in the first; uint8, float before quantizing.
        centre: (classes - 1,) the table's mean over the training rows, of the same type.
    """

    features: tuple[int, ...]
    shifts: tuple[int, ...]
    table: np.ndarray
    centre: np.ndarray


@dataclass(frozen=True)
class AdditiveTables:
    """score[0] = base[0]; score[k] = base[k] + the sum over terms of table[k - 1][cell].

    Attributes:
        classes: number of classes.
        scalers: for each feature, None where no term uses it.
        terms: single features first, then pairs.
        base: score of each class before any table.
        margin_unit: score steps a nat of log-odds.
    """

    classes: int
    scalers: list[Scaler | None]
    terms: list[Term]
    base: list[int]
    margin_unit: float

    def check(self) -> None:
        """Raise InputError unless every entry is a byte and every possible score is within 0..65535."""
        highs = np.array(self.base)  # entries are >= 0, so the least scores are the base itself
        for term in self.terms:
            cells = _cells(self.scalers, term)
            if term.table.dtype != np.uint8 or term.table.shape != (self.classes - 1, cells):
                raise InputError(
                    f"additive term of features {term.features}: expected {self.classes - 1} x {cells} bytes, "
                    f"got {term.table.shape} of {term.table.dtype}"
                )
            highs[1:] += term.table.max(axis=1)
        if len(self.base) != self.classes or min(self.base) < 0 or highs.max() > SCORE_MAX:
            raise InputError(
                f"expected {self.classes} scores within 0..{SCORE_MAX}, got {min(self.base)}..{highs.max()} "
                f"for {len(self.base)} classes: use fewer features"
            )

    def scores(self, values: np.ndarray, limits: Sequence[int]) -> np.ndarray:
        """Return the integer scores (rows, classes) of feature values (rows, features)."""
        return sum_tables(self.scalers, self.terms, np.array(self.base, np.int64), values, limits)

    def shapes(self, limits: Sequence[int]) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """Return (feature, values, curves) of each single term, for plots.

        values: what stands in the middle of each bin; a bin that no value falls in is left out.
        curves: (classes, bins) nats for each class, 0 on average over the training rows and, as only
            differences between classes count, over the classes.
        """
        result = []
        for term in self.terms:
            if len(term.features) == 1:
                feature = term.features[0]
                scaler = self.scalers[feature]
                assert scaler is not None
                codes, middles = middle_values(scaler, limits[feature])
                lead = (term.table.astype(float) - term.centre[:, None])[:, codes] / self.margin_unit
                curves = np.vstack([np.zeros(len(codes)), lead])
                result.append((feature, middles, curves - curves.mean(axis=0)))
        return result


def sum_tables(
    scalers: Sequence[Scaler | None],
    terms: Sequence[Term],
    base: np.ndarray,
    values: np.ndarray,
    limits: Sequence[int],
) -> np.ndarray:
    """Return base + the terms' entries, (rows, classes) of base's type, for feature values."""
    codes = codes_of(scalers, values, limits)
    scores = np.tile(base, (len(values), 1))
    for term in terms:
        scores[:, 1:] += term.table.T[cell_of(scalers, term.features, term.shifts, codes)]
    return scores


def codes_of(scalers: Sequence[Scaler | None], values: np.ndarray, limits: Sequence[int]) -> np.ndarray:
    """Return the codes (rows, features), 0 for a feature without a scaler."""
    codes = np.zeros(values.shape, np.int64)
    for feature, scaler in enumerate(scalers):
        if scaler is not None:
            codes[:, feature] = apply(scaler, values[:, feature], limits[feature])
    return codes


def cell_of(
    scalers: Sequence[Scaler | None], features: tuple[int, ...], shifts: tuple[int, ...], codes: np.ndarray
) -> np.ndarray:
    """Return the index into a term's table for each row of codes."""
    cell = np.zeros(len(codes), np.int64)
    for feature, shift in zip(features, shifts, strict=True):
        cell = cell * length(scalers[feature], shift) + (codes[:, feature] >> shift)
    return cell


def length(scaler: Scaler | None, shift: int) -> int:
    """Return how many values the codes of a scaler take when shortened by `shift` bits."""
    assert scaler is not None, "a term's feature needs a scaler"
    return (scaler.top >> shift) + 1


def quantize(
    scalers: Sequence[Scaler | None], terms: Sequence[Term], base: np.ndarray, unit: float = MARGIN_UNIT
) -> AdditiveTables:
    """Return float tables (nats) as bytes, in steps of 1 / `unit` nat, halved until all fit.

    Each table's least entry becomes 0 and moves into the base; tables that are then all 0 go, and
    with them the scalers that nothing else needs.
    Raises:
        InputError: sums over 65535 even in steps of a nat.
    """
    classes = len(base)
    least = [term.table.min(axis=1) for term in terms]
    widest = max((float(np.ptp(term.table, axis=1).max()) for term in terms), default=0.0)
    while unit > 1 and round(widest * unit) > ENTRY_MAX:
        unit /= 2
    while True:
        rounded = []
        for term, low in zip(terms, least, strict=True):
            table = np.rint((term.table - low[:, None]) * unit).clip(0, ENTRY_MAX).astype(np.uint8)
            centre = np.rint((term.centre - low) * unit).clip(0, ENTRY_MAX).astype(np.uint8)
            if table.any():
                rounded.append(Term(term.features, term.shifts, table, centre))
        start = np.array(base, dtype=float)
        start[1:] += np.sum(least, axis=0) if least else 0
        steps = np.rint((start - start.min()) * unit).astype(np.int64)
        used = {feature for term in rounded for feature in term.features}
        kept = [scaler if feature in used else None for feature, scaler in enumerate(scalers)]
        tables = AdditiveTables(classes, kept, rounded, steps.tolist(), unit)
        try:
            tables.check()
        except InputError:
            if unit <= 1:
                raise
            unit /= 2
            continue
        return tables


def _cells(scalers: Sequence[Scaler | None], term: Term) -> int:
    cells = 1
    for feature, shift in zip(term.features, term.shifts, strict=True):
        cells *= length(scalers[feature], shift)
    return cells


def middle_values(scaler: Scaler, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes that values 0..limit take and the middle value of each, at an end as far as next to it."""
    codes = np.arange(scaler.top + 2)
    low, high = np.zeros_like(codes), np.full_like(codes, limit + 1)
    while np.any(low < high):  # the least value with at least this code, by bisection
        middle = (low + high) >> 1
        enough = (apply(scaler, middle, limit) >= codes) | (middle > limit)
        low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
    edges = low
    taken = np.flatnonzero(edges[1:] > edges[:-1])
    left, right = edges[taken], edges[taken + 1] - 1
    if len(taken) > 1:
        left[0] = max(left[0], right[0] - (right[1] - left[1]))
        right[-1] = min(right[-1], left[-1] + (right[-2] - left[-2]))
    return taken, (left + right) >> 1
