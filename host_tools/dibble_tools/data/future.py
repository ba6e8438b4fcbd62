"""What rows are to tell of the time to come: a label, a number or an event that a while later is known."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.datasets import Dataset

CONDITION = re.compile(
    r"(?:(?P<name>[^:<>=]+):)?\s*(?P<column>[^<>=]+?)\s*(?P<op><=|>=|==|<|>|=)\s*(?P<bar>[+-]?\d+(?:\.\d+)?)\s*"
)
COVERED = 0.8  # of the readings that belong into the time ahead have to be there for nothing to have happened in it
MINUTE_MS = 60_000
TIME_TO = "time_to_"  # begins the name of a time until a condition holds
LEAST_ROWS = 40


@dataclass(frozen=True)
class Condition:
    """A comparison of a column with a number, and the class that stands for it."""

    name: str
    column: str
    op: str
    bar: float

    @property
    def otherwise(self) -> str:
        """The class that stands for its not holding."""
        return f"not {self.name}"

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Tell where it holds; where the value is missing it doesn't."""
        with np.errstate(invalid="ignore"):
            match self.op:
                case "<":
                    return values < self.bar
                case "<=":
                    return values <= self.bar
                case ">":
                    return values > self.bar
                case ">=":
                    return values >= self.bar
        return values == self.bar


def parse_condition(text: str, option: str = "--when") -> Condition:
    """Return the condition of "soil < 200", or "dry: soil < 200"."""
    found = CONDITION.fullmatch(text)
    if not found:
        raise InputError(f'{option}: expected a comparison such as "soil < 200" or "dry: soil < 200", got {text!r}')
    name = (found["name"] or "").strip() or re.sub(r"\s+", " ", text.strip())
    return Condition(name, found["column"].strip(), found["op"], float(found["bar"]))


def label_of_the_time_ahead(ds: Dataset, when: Condition, ahead_ms: int) -> Dataset:
    """Return the rows of which is known whether the condition held at some time within the next while.

    Their labels are the condition's name where it did, else its `otherwise`.
    """
    holds = when.holds(_column(ds, when.column))
    known = ~np.isnan(_column(ds, when.column))
    labels, kept = np.full(len(ds.values), when.otherwise, dtype=object), np.zeros(len(ds.values), bool)
    for rows, times, interval in _series(ds):
        end = np.searchsorted(times, times + ahead_ms, side="right")
        first = np.arange(len(rows)) + 1
        events = np.concatenate([[0], np.cumsum(holds[rows])])
        there = np.concatenate([[0], np.cumsum(known[rows])])
        happened = events[end] > events[first]
        labels[rows[happened]] = when.name
        seen = there[end] - there[first]
        kept[rows] = happened | ((times + ahead_ms <= times[-1]) & (seen * interval >= COVERED * ahead_ms))
    _check(ds, kept, "--when")
    now = np.where(holds, when.name, when.otherwise)
    return _kept(replace(ds, labels=labels.astype(str), now=now), kept, when.column, ahead_ms)


def time_name(when: Condition) -> str:
    """Return what the time until a condition holds is called: time_to_dry_min."""
    words = re.sub(r"[^0-9a-z]+", "_", when.name.lower()).strip("_")
    return f"{TIME_TO}{words or 'event'}_min"


def time_until(ds: Dataset, when: Condition, ahead_ms: int) -> Dataset:
    """Return the rows of which is known in how many minutes the condition holds next, with that as their number.

    It is that of `ahead_ms` where it didn't hold so soon.
    """
    minutes, longest = minutes_until(ds, when, ahead_ms), ahead_ms / MINUTE_MS
    kept = ~np.isnan(minutes)
    _check(ds, kept, "--until")
    happened = ((minutes > 0) & (minutes < longest)).sum()
    if happened < LEAST_ROWS:
        raise InputError(
            f"{ds.name}: --until {when.name}: expected {LEAST_ROWS} rows or more after which it came within --ahead, "
            f"got {happened}: look further ahead, or record until it comes more often"
        )
    if late := int((minutes >= longest).sum()):
        hours = f"{longest / 60:g} h"
        ds.notes.append(f"{late} rows after which {when.name} didn't come within {hours}: learned as {hours}")
    return _kept(replace(ds, labels=_thirds(minutes, kept), numbers=minutes), kept, when.column, ahead_ms)


def minutes_until(ds: Dataset, when: Condition, ahead_ms: int) -> np.ndarray:
    """Return for each row in how many minutes a condition holds next; NaN where that isn't known.

    It is 0 where it holds, and that of `ahead_ms` where it doesn't hold so soon. A stretch without readings tells
    nothing, as it may have held in it.
    """
    values = _column(ds, when.column)
    holds, known = when.holds(values), ~np.isnan(values)
    minutes = np.full(len(ds.values), np.nan)
    for rows, times, interval in _series(ds):
        at = np.flatnonzero(holds[rows])
        following = np.searchsorted(at, np.arange(len(rows)))
        comes = following < len(at)
        wait = np.full(len(rows), np.inf)
        wait[comes] = times[at[following[comes]]] - times[comes]
        end = np.searchsorted(times, times + np.minimum(wait, ahead_ms), side="right")
        there = np.concatenate([[0], np.cumsum(known[rows])])
        seen = (there[end] - there[np.arange(len(rows))]) * interval >= COVERED * np.minimum(wait, ahead_ms)
        told = known[rows] & seen & ((wait <= ahead_ms) | (times + ahead_ms <= times[-1]))
        minutes[rows[told]] = (np.minimum(wait, ahead_ms) / MINUTE_MS)[told]
    return minutes


def label_later(ds: Dataset, ahead_ms: int) -> Dataset:
    """Return the rows of which the label a while later is known, with that label."""
    assert ds.labels is not None
    later = rows_later(ds, ahead_ms)
    _check(ds, later >= 0, "--ahead")
    return _kept(replace(ds, labels=ds.labels[later], now=ds.labels), later >= 0, "the label", ahead_ms)


def with_numbers(ds: Dataset, target: str, ahead_ms: int) -> Dataset:
    """Return the rows of which a number is known, of now or of a while later; labels are which third it lies in.

    Args:
        ds: its labels are the target's cells where `ahead_ms` is 0, else it is one of the columns.
    """
    if ahead_ms:
        later = rows_later(ds, ahead_ms)
        numbers = np.where(later >= 0, _column(ds, target)[later], np.nan)
    else:
        assert ds.labels is not None
        numbers = pd.to_numeric(pd.Series(ds.labels).str.replace(",", "."), errors="coerce").to_numpy(np.float64)
        if np.isnan(numbers).any():
            row = int(np.argmax(np.isnan(numbers)))
            raise InputError(
                f"{ds.name}, line {ds.lines[row]}, column {target!r}: expected a number to predict, got "
                f"{str(ds.labels[row])!r}: correct it, leave it empty, or name classes with --label"
            )
    kept = ~np.isnan(numbers)
    _check(ds, kept, "--target")
    if len(numbers[kept]) < LEAST_ROWS or np.ptp(numbers[kept]) == 0:
        raise InputError(
            f"{ds.name}: --target {target}: expected {LEAST_ROWS} rows or more whose numbers differ, got "
            f"{kept.sum()} from {np.min(numbers[kept]):g} to {np.max(numbers[kept]):g}"
        )
    return _kept(replace(ds, labels=_thirds(numbers, kept), numbers=numbers), kept, target, ahead_ms)


def _thirds(numbers: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return for each number which third of those that are kept it lies in: a label, by which rows are split."""
    thirds = np.quantile(numbers[kept], [1 / 3, 2 / 3])
    return np.array(["low", "middle", "high"])[np.searchsorted(thirds, numbers)]


def rows_later(ds: Dataset, ahead_ms: int) -> np.ndarray:
    """Return for each row which one came a while later, within half an interval; -1: none did."""
    later = np.full(len(ds.values), -1)
    for rows, times, interval in _series(ds):
        at = np.searchsorted(times, times + ahead_ms - interval / 2)
        there = np.minimum(at, len(rows) - 1)
        near = (at < len(rows)) & (np.abs(times[there] - times - ahead_ms) <= interval / 2)
        later[rows[near]] = rows[there[near]]
    return later


def apart(ds: Dataset, fit: np.ndarray, held: np.ndarray, ahead_ms: int) -> np.ndarray:
    """Return which rows to learn from, of those, that don't tell of a time in which rows are held out.

    Args:
        fit, held: row numbers.
    """
    if not ahead_ms or ds.times_ms is None:
        return fit
    is_held = np.zeros(len(ds.values), bool)
    is_held[held] = True
    touches = np.zeros(len(ds.values), bool)
    for rows, times, _ in _series(ds):
        count = np.concatenate([[0], np.cumsum(is_held[rows])])
        end = np.searchsorted(times, times + ahead_ms, side="right")
        touches[rows] = count[end] > count[np.arange(len(rows))]
    return fit[~touches[fit]]


def _series(ds: Dataset) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Yield the rows of each group, their times and the usual interval."""
    if ds.times_ms is None:
        raise InputError(f"{ds.name}: --ahead: expected --time too: what comes later is known by the times")
    steps = np.diff(ds.times_ms)
    interval = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
    groups = np.zeros(len(ds.values)) if ds.groups is None else ds.groups
    for name in dict.fromkeys(groups.tolist()):
        rows = np.flatnonzero(groups == name)
        yield rows, ds.times_ms[rows], interval


def _column(ds: Dataset, name: str) -> np.ndarray:
    if name not in ds.columns:
        raise InputError(f"expected a column {name!r}; {listed(name, ds.columns)}")
    return ds.values[:, ds.columns.index(name)]


def _check(ds: Dataset, kept: np.ndarray, option: str) -> None:
    if not kept.any():
        raise InputError(
            f"{ds.name}: {option}: expected rows of which the time ahead is known, got none: look less far"
        )


def _kept(ds: Dataset, kept: np.ndarray, what: str, ahead_ms: int) -> Dataset:
    """Return the rows that are kept, with a note on the others."""
    if not kept.all():
        hours = f"{ahead_ms / 3_600_000:g} h"
        ds.notes.append(f"{(~kept).sum()} rows of which {what} {hours} ahead isn't known: left out, as at the end")
    return ds.rows(kept)
