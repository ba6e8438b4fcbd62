"""How far a share of right decisions can be trusted: intervals by bootstrap over groups."""

import numpy as np
from scipy.stats import t as student_t

DRAWS = 2000
COVERAGE = 0.95


def interval(
    correct: np.ndarray, units: np.ndarray, seed: int = 0, *, further: int | None = None
) -> tuple[float, float] | None:
    """Return the 95 % interval of the share of rows decided right; None from a single unit.

    Whole units (groups, blocks of time, rows) are drawn again and again: rows of one aren't independent. Of
    few units a bootstrap's spread is too small; it is widened as Student's t is beside the normal.

    Args:
        correct: whether each row was decided right.
        units: which unit each row is of.
        further: the interval is that of the share measured on so many further units, which scatter too; None: of
            the mean over all units that there might be.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, 13.3 (percentiles) and 12.2 (t); for
        further units Hahn and Meeker, Statistical Intervals, 1991, 4.8.
    """
    _, index = np.unique(units, return_inverse=True)
    rows = np.bincount(index)
    count = len(rows)
    if count < 2:
        return None
    right = np.bincount(index, correct)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), DRAWS)
    shares = (drawn * right).sum(axis=1) / (drawn * rows).sum(axis=1)
    centre = float(right.sum() / rows.sum())
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(shares, [tail, 1 - tail])
    wider = float(student_t.ppf(1 - tail, count - 1) / student_t.ppf(1 - tail, 1e9) * np.sqrt(count / (count - 1)))
    if further is not None:
        wider *= float(np.sqrt(1 + count / further))
    # A share of 0 or 1 of few rows isn't certain: as if one row more had been decided the other way.
    least = wider / (rows.sum() + 1)
    low, high = centre - max(wider * (centre - low), least), centre + max(wider * (high - centre), least)
    return max(0.0, float(low)), min(1.0, float(high))


def paired_error(difference: np.ndarray, units: np.ndarray) -> float:
    """Return the standard error of the mean of `difference` over rows, whole units drawn."""
    _, index = np.unique(units, return_inverse=True)
    rows, total = np.bincount(index), np.bincount(index, difference)
    count = len(rows)
    if count < 2:
        return 0.0
    rest = total - difference.mean() * rows
    return float(np.sqrt(count / (count - 1) * (rest * rest).sum()) / rows.sum())
