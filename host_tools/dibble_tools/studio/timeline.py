"""Where each row of a file lies on its picture: by its time, a long stretch without readings shortened."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

TOGETHER = 1.5  # usual intervals: rows that come so soon are drawn without a gap
LONGEST_GAP = 1 / 12  # of what all rows take: a month without readings leaves room for those there are
LEAST_GAP = 3.0


def places_of(texts: Sequence[str]) -> np.ndarray:
    """Return where each row begins, in usual intervals from the first row on, and where the last ends: n + 1, rising.

    A row without a time, or of another node or a clock that fell back, follows the one before it.

    Args:
        texts: times as they are written; where they can't be read, rows are an interval apart.
    """
    seconds = np.array([_seconds(text) for text in texts])
    steps = np.diff(seconds)
    forward = steps[steps > 0]
    usual = float(np.median(forward)) if len(forward) else 1.0
    with np.errstate(invalid="ignore"):
        wide = np.where(steps > 0, steps / usual, 1.0)
    longest = max(LEAST_GAP, LONGEST_GAP * len(texts))
    return np.concatenate([[0.0], np.cumsum([*np.clip(wide, 0.05, longest), 1.0])]) if len(texts) else np.zeros(1)


def ends_of(places: np.ndarray) -> np.ndarray:
    """Return where each row ends: at the next one's beginning, or before a gap."""
    return np.minimum(places[1:], places[:-1] + TOGETHER)


def gap_texts(texts: Sequence[str]) -> dict[int, str]:
    """Return for each row after which comes a gap, how long that is, for people."""
    places = places_of(texts)
    found = {}
    for row in np.flatnonzero(np.diff(places)[:-1] > TOGETHER).tolist():
        found[row] = _length(_seconds(texts[row + 1]) - _seconds(texts[row]))
    return found


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return float("nan")


def _length(seconds: float) -> str:
    for size, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.0f} seconds"
