"""How far a share of right decisions can be trusted: intervals that take whole groups as what scatters."""

import numpy as np
from scipy.stats import t as student_t

COVERAGE = 0.95


def interval(correct: np.ndarray, units: np.ndarray, *, further: int | None = None) -> tuple[float, float] | None:
    """Return the 95 % interval of the share of rows decided right; None from a single unit.

    Whole units (groups, blocks of time, rows) are what was drawn: rows of one aren't independent. From four groups
    a bootstrap can't tell how far the next lies: Student's t of their totals can, if they are about normal.

    Args:
        correct: whether each row was decided right.
        units: which unit each row is of.
        further: the interval is that of the share measured on so many further units, which scatter too; None: of
            the mean over all units that there might be.
    Source: Cochran, Sampling Techniques, 1977, 6.3 (a ratio of totals); for further units Hahn and Meeker,
        Statistical Intervals, 1991, 4.8.
    """
    count = len(np.unique(units))
    if count < 2:
        return None
    centre = float(np.mean(correct))
    width = paired_error(np.asarray(correct, dtype=np.float64), units) * student_t.ppf((1 + COVERAGE) / 2, count - 1)
    if further is not None:
        width *= np.sqrt(1 + count / further)
    # A share of 0 or 1 of few rows isn't certain: as if one or two more had been decided the other way.
    width = max(float(width), float(student_t.ppf((1 + COVERAGE) / 2, count - 1)) / (len(correct) + 1))
    return max(0.0, centre - width), min(1.0, centre + width)


def paired_error(difference: np.ndarray, units: np.ndarray) -> float:
    """Return the standard error of the mean of `difference` over rows, whole units drawn."""
    _, index = np.unique(units, return_inverse=True)
    rows, total = np.bincount(index), np.bincount(index, difference)
    count = len(rows)
    if count < 2:
        return 0.0
    rest = total - difference.mean() * rows
    return float(np.sqrt(count / (count - 1) * (rest * rest).sum()) / rows.sum())
