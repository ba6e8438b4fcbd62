"""Recordings that no column names: runs of a label, and gaps in time. Rows of one are no independent draws."""

import numpy as np
import pandas as pd

from dibble_tools.data.datasets import Dataset
from dibble_tools.data.times import time_text

GAP = 10  # times the usual interval: whoever comes back after so long records anew
FEW_RUNS = 0.5  # of those that shuffled labels would make: rows that make fewer were recorded class by class
ALIKE = 0.7  # of the step between any two rows of a run: smaller ones say that rows follow one another
PAIRS = 2000


def recordings_of(ds: Dataset) -> np.ndarray | None:
    """Return the number of each row's recording, counted from 0; None where rows don't follow one another."""
    assert ds.labels is not None
    codes = pd.factorize(ds.labels.astype(object))[0]
    new = np.diff(codes) != 0
    if ds.times_ms is not None:
        step = np.diff(ds.times_ms)
        usual = np.median(step[step > 0]) if (step > 0).any() else 0
        new |= (step > GAP * usual) | (step < 0)
    number = np.concatenate([[0], np.cumsum(new)])
    if ds.times_ms is not None:
        return number
    order = np.argsort(ds.lines, kind="stable")
    if (order != np.arange(len(order))).any() or not _class_by_class(codes, number) or not _follow(ds.values, number):
        return None
    return number


def names_of(ds: Dataset, recordings: np.ndarray) -> dict[int, str]:
    """Return a name for each recording, or other stretch of rows: its label, if it has one, and where it begins."""
    assert ds.labels is not None
    names = {}
    for number, row in zip(*np.unique(recordings, return_index=True), strict=True):
        labels = set(ds.labels[recordings == number].tolist())
        names[int(number)] = f"{labels.pop()} from {place_of(ds, row)}" if len(labels) == 1 else place_of(ds, row)
    return names


def place_of(ds: Dataset, row: int) -> str:
    """Return when a row was recorded, or its line in the file."""
    return f"line {ds.lines[row]}" if ds.times_ms is None else time_text(int(ds.times_ms[row]))


def _class_by_class(codes: np.ndarray, number: np.ndarray) -> bool:
    """Tell whether labels come in far fewer runs than if their rows had been shuffled.

    Source: Wald and Wolfowitz 1940, the expected number of runs.
    """
    shares = np.bincount(codes) / len(codes)
    expected = 1 + (len(codes) - 1) * (1 - (shares**2).sum())
    return bool(number[-1] + 1 < FEW_RUNS * expected)


def _follow(values: np.ndarray, number: np.ndarray) -> bool:
    """Tell whether most columns move less from a row to the next than between any two rows of the same run.

    Of a table that was only sorted by class they don't.
    """
    inside = np.flatnonzero(np.diff(number) == 0)
    if not len(inside):
        return False
    rng = np.random.default_rng(0)
    first = np.searchsorted(number, number)  # where the run of each row begins, and after it
    end = np.searchsorted(number, number, side="right")
    rows = inside[rng.integers(0, len(inside), PAIRS)]
    others = first[rows] + (rng.random(PAIRS) * (end[rows] - first[rows])).astype(int)
    apart = rows != others
    near = np.abs(values[rows + 1] - values[rows])
    far = np.abs(values[others] - values[rows])[apart]
    with np.errstate(invalid="ignore"):
        near_mean, far_mean = pd.DataFrame(near).mean().to_numpy(), pd.DataFrame(far).mean().to_numpy()
    moving = far_mean > 0
    return bool(moving.any() and np.median(near_mean[moving] / far_mean[moving]) < ALIKE)
