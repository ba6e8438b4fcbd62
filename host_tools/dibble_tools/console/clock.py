"""A node's time as a timestamp: by its own clock, or by the computer's where the node doesn't know the time."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

DAY_ZERO = datetime(2000, 1, 1)
SET_S = 8766 * 86400  # 2024-01-01: below it, time_s is that since power-on, as ports/shared.py has it
LAST = datetime(2099, 12, 31)
DAY_ZERO_UNIX_S = 946_684_800


class NodeClock:
    """Timestamps of one node's rows, UTC.

    Args:
        now_s: seconds since 1970 by the computer's clock; None: the rows aren't live, so only the node's own counts.
    """

    def __init__(self, now_s: Callable[[], float] | None = time.time) -> None:
        self._now_s = now_s
        self._start_s: int | None = None  # since 2000, of the node's power-on
        self._last_s = 0

    def stamp(self, time_s: int) -> str:
        """Return "2026-05-01 06:30:00"; "" where that can't be known.

        Intervals are the node's own, also where the computer tells when it started.
        """
        if time_s < SET_S:
            if self._now_s is None:
                return ""
            if self._start_s is None or time_s < self._last_s:  # it started anew
                self._start_s = int(self._now_s()) - DAY_ZERO_UNIX_S - time_s
            self._last_s = time_s
            time_s += self._start_s
        when = DAY_ZERO + timedelta(seconds=time_s)
        return when.isoformat(" ") if when <= LAST else ""
