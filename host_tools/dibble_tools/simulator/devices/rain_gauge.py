"""A tipping bucket: 0.2794 mm of rain fill a side, it tips, and a magnet passes a reed."""

import random
from collections.abc import Iterator

from dibble_tools.simulator.devices.reed import Reed

CLOSED_US = 60_000  # of a tip: chosen


class RainGauge:
    """One closing a tip.

    Attributes:
        mm_h: truth.
        tips: so far.
    """

    def __init__(self, rng: random.Random, mm_per_tip: float = 0.2794) -> None:
        self.rng = rng
        self.mm_per_tip = mm_per_tip
        self.reed = Reed(rng)
        self.mm_h = 0.0
        self.tips = 0
        self._filled = rng.random()

    def changes(self, start_us: int, end_us: int) -> list[tuple[int, bool]]:
        """Return (us, closed) of the contact's changes from start_us (included) to end_us (not)."""
        return self.reed.changes(self._passes(start_us, end_us), end_us)

    def _passes(self, start_us: int, end_us: int) -> Iterator[tuple[float, float]]:
        us_per_tip = self.mm_per_tip / self.mm_h * 3.6e9 if self.mm_h else float("inf")
        now_us = float(start_us)
        while (tips_us := now_us + (1 - self._filled) * us_per_tip) < end_us:
            self._filled = 0.0
            self.tips += 1
            now_us = tips_us
            yield tips_us, tips_us + CLOSED_US
        self._filled += (end_us - now_us) / us_per_tip
