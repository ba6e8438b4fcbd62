"""Cups on a shaft and a reed contact: closures, each with its bounces."""

import random


class CupAnemometer:
    """One closure a turn.

    Args:
        rng: bounces and turbulence come from it.
        m_s_per_hz: 2.4 km/h for a SEN-15901.
        most_bounces: closures that may follow one as its contact settles.
        settle_us: how long that takes at most.
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
        self.most_bounces = most_bounces
        self.settle_us = settle_us
        self.wind_m_s = 0.0
        self.turbulence = 0.0
        self.held_closed = False
        self._turn = rng.random()  # of the way to the next closure

    def closures(self, start_us: int, end_us: int) -> list[int]:
        """Return when the contact closed, from start_us (included) to end_us (not), bounces included."""
        if self.held_closed or self.wind_m_s < self.starting_m_s:
            return []
        times = []
        now_us = float(start_us)
        while True:
            hz = self._gust_m_s() / self.m_s_per_hz
            closes_us = now_us + (1 - self._turn) / hz * 1e6
            if closes_us >= end_us:
                self._turn += (end_us - now_us) * hz / 1e6
                break
            self._turn = 0.0
            now_us = closes_us
            times.append(int(closes_us))
            for _ in range(self.rng.randint(0, self.most_bounces)):
                times.append(int(closes_us + self.rng.uniform(20, self.settle_us)))
        return sorted(time for time in times if time < end_us)

    def _gust_m_s(self) -> float:
        return self.wind_m_s * max(0.1, 1 + self.turbulence * self.rng.gauss(0, 1))
