"""How often readings come, and when the next one is due."""

import time
from collections import deque

from dibble_tools.common.quantities import clock_text

KEPT = 5
BURST_S = 0.5  # readings that come closer were said before and waited in the port
LATE_SHARE = 0.5  # of an interval, after which it is worth a word


class Pace:
    """The rhythm of one node.

    Args:
        interval_s: as it was known before; None: not known.
    """

    def __init__(self, interval_s: float | None = None) -> None:
        self._interval_s = interval_s
        self._gaps: deque[float] = deque(maxlen=KEPT)
        self._last: float | None = None
        self._began = time.monotonic()

    @property
    def interval_s(self) -> float | None:
        """Seconds from one reading to the next; None: not known yet."""
        return sorted(self._gaps)[len(self._gaps) // 2] if self._gaps else self._interval_s

    def arrived(self, now: float | None = None) -> None:
        """Take note of a reading."""
        now = time.monotonic() if now is None else now
        if self._last is not None and now - self._last > BURST_S:
            self._gaps.append(now - self._last)
        self._last = now

    def text(self, now: float | None = None) -> str:
        """Return when the next reading is due, in words; "" where that can't be told, or it comes each moment."""
        every = self.interval_s
        if every is None:
            return "" if self._last is None else "the second reading tells how often they come"
        if every < 2:
            return ""
        left = (self._began if self._last is None else self._last) + every - (time.monotonic() if now is None else now)
        if left >= 0:
            return f"next reading in {clock_text(left)}" if self._last is not None else f"within {clock_text(left)}"
        if -left > max(5.0, LATE_SHARE * every):
            return f"a reading is overdue by {clock_text(-left)}: does the node run? `dibble doctor` looks"
        return "next reading any moment"
