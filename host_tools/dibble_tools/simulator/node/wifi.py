"""The board's Wi-Fi as its programs meet it: slow to join, and raising what drivers raise.

What lies beyond it, TCP and UDP, is the computer's own.
"""

import random

OK, OS_ERROR, RUNTIME_ERROR, MEMORY_ERROR, NO_RADIO = range(5)
MAKE, ACTIVE, CONNECT, CONNECTED, WAIT, REACHABLE = range(6)  # what is asked
JOIN_MS = (6000, 11000)
FAULT_SHARE = 0.25  # of a radio's wakings, that raise


class Wifi:
    """A station and its access point.

    Args:
        unkind: of unkindness.UNKINDNESSES.
        rng: of what goes wrong.
    Attributes:
        reachable: whether there is an access point.
        raises: status that each connect() has, OK: by chance.
        joins, faults: how often it joined, and raised.
    """

    def __init__(self, unkind: frozenset[str], rng: random.Random) -> None:
        self._unkind = unkind
        self._rng = rng
        self.reachable = True
        self.raises = OK
        self.joins = self.faults = 0
        self.power_on()

    def power_on(self) -> None:
        self._joined_us: int | None = None

    def answer(self, asked: int, value: int, now_us: int) -> tuple[int, int]:
        """Return (status, ms that it takes) of one call; of CONNECTED the status is whether it is.

        Args:
            value: of ACTIVE: on or off; of WAIT: the most ms to wait for a connection begun.
        """
        if asked == CONNECTED:
            return int(self._is_joined(now_us)), 0
        if asked == REACHABLE:
            return int(self.reachable), 0
        if asked == ACTIVE and not value:
            fault = self._fault(asked)
            self.faults += fault != OK
            self._joined_us = self._joined_us if fault else None
            return fault, 0
        if asked == WAIT:
            if self._joined_us is None:
                return 0, value
            left_ms = max(0, -(-(self._joined_us - now_us) // 1000))
            return int(left_ms <= value), min(left_ms, value)
        if fault := self._fault(asked):
            self.faults += 1
            return fault, 0
        if asked == CONNECT:
            self._joined_us = None
        if asked == CONNECT and self.reachable:
            ms = self._rng.randint(*JOIN_MS) if "wifi_slow" in self._unkind else 0
            self._joined_us = now_us + 1000 * ms
            self.joins += 1
        return OK, 0

    def _is_joined(self, now_us: int) -> bool:
        return self._joined_us is not None and now_us >= self._joined_us

    def _fault(self, asked: int) -> int:
        if asked == CONNECT and self.raises:
            return self.raises
        if "wifi_raises" not in self._unkind or self._rng.random() >= FAULT_SHARE / 3:
            return OK
        return self._rng.choice((OS_ERROR, RUNTIME_ERROR, MEMORY_ERROR))
