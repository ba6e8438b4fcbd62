"""Cups on a shaft and a reed contact: one pass of the magnet a turn."""

import random
from collections.abc import Iterator

from dibble_tools.simulator.devices.reed import Reed

CLOSED_SHARE = 0.35  # of a turn: chosen


class CupAnemometer:
    """One closing a turn.

    Args:
        rng: bounces and turbulence come from it.
        m_s_per_hz: 2.4 km/h for a SEN-15901.
        most_bounces, settle_us: the reed's.
    Attributes:
        wind_m_s: truth.
        turbulence: standard deviation of each turn's wind, as a share of the mean.
        held_closed: the shaft stopped, or water got in, with the contact closed.
    """

    starting_m_s = 0.4

    def __init__(
        self,
        rng: random.Random,
        m_s_per_hz: float = 2.4 / 3.6,
        most_bounces: int = 4,
        settle_us: int = 1500,
    ) -> None:
        self.rng = rng
        self.m_s_per_hz = m_s_per_hz
        self.reed = Reed(random.Random(rng.getrandbits(32)), most_bounces, settle_us)
        self.wind_m_s = 0.0
        self.turbulence = 0.0
        self.held_closed = False
        self._turn = rng.random()  # of the way to the next closing

    def changes(self, start_us: int, end_us: int) -> list[tuple[int, bool]]:
        """Return (us, closed) of the contact's changes from start_us (included) to end_us (not)."""
        passes = [] if self.held_closed or self.wind_m_s < self.starting_m_s else self._passes(start_us, end_us)
        return self.reed.changes(passes, end_us)

    def _passes(self, start_us: int, end_us: int) -> Iterator[tuple[float, float]]:
        now_us = float(start_us)
        while True:
            hz = self._gust_m_s() / self.m_s_per_hz
            closes_us = now_us + (1 - self._turn) / hz * 1e6
            if closes_us >= end_us:
                self._turn += (end_us - now_us) * hz / 1e6
                return
            self._turn = 0.0
            now_us = closes_us
            yield closes_us, closes_us + CLOSED_SHARE / hz * 1e6

    def _gust_m_s(self) -> float:
        return self.wind_m_s * max(0.1, 1 + self.turbulence * self.rng.gauss(0, 1))
