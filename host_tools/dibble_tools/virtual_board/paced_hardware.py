"""The simulated hardware in step with the computer's clock."""

import time
from collections.abc import Callable

from dibble_tools.simulator.node.flash import Flash
from dibble_tools.simulator.node.wire import ANSWER, Hardware
from dibble_tools.simulator.unkindness import Likeness

INTERRUPTED = 255  # simulator/node/guest/wire.py has the same
AHEAD_US = 1000  # so far the hardware's time may be ahead of the clock's
PEOPLE_US = 3_500_000  # of a life, in which a node waits for people: they aren't quicker than at a real board
SLEEPS = b"SZ"


class Interrupted(Exception):
    """A Ctrl-C ended a sleep."""


class PacedHardware(Hardware):
    """Time passes as on the computer's clock while the board computes, and `speed` times as fast while it sleeps.

    A life's first seconds aren't sped up, so that a program can be caught in them as on a real board.

    Args:
        flash: the chip.
        start_s: the time of the field, seconds since 2000.
        speed: of sleep.
        like: the board.
        wait: lets up to so many seconds of the computer's time pass; True: a Ctrl-C came.
    Attributes:
        interruptible: the request that is being answered is a sleep.
        on_power_lost: called when a life has ended, while the pins are as it left them.
    """

    def __init__(self, flash: Flash, start_s: int, speed: float, wait: Callable[[float], bool], like: Likeness) -> None:
        super().__init__(flash, start_s, like)
        self._speed = speed
        self._born_us = 0
        self._wait = wait
        self.on_power_lost: Callable[[], None] = lambda: None
        self.interruptible = False
        self._anchor()

    def power_up(self, cause: int) -> None:
        """Begin a life: power_on(), and ticks_ms() from 0."""
        self.power_on(cause)
        self.catch_up()
        self.ticks_offset_ms = -(self.now_us // 1000)
        self._born_us = self.now_us
        self._anchor()

    def soft_reset(self) -> None:
        """Forget what a soft reset forgets: the pins' interrupts, the timer. The watchdog goes on."""
        self._reset_at = None
        self._stream = None
        self._listening = {}
        self._pending = []

    def handle(self, operation: int, a: int, b: int, data: bytes) -> bytes:
        self.catch_up()
        self.interruptible = operation in SLEEPS
        try:
            return super().handle(operation, a, b, data)
        except Interrupted:
            return ANSWER.pack(INTERRUPTED, self.ticks_ms(), 0)
        finally:
            self.interruptible = False

    def catch_up(self) -> None:
        """Let the time pass that has passed on the computer's clock."""
        now_us = self._clock_us()
        if now_us > self.now_us:
            super().pass_time(now_us, awake=True)

    def seconds_to_bite(self) -> float | None:
        """Return how long the watchdog, or a timer, lets a board that does nothing live."""
        end = self._end_us()
        return None if end is None else max(0.0, (end + 1 - self._clock_us()) / 1e6)

    def _end_us(self) -> int | None:
        return min((at for at in (self._bite_at, self._reset_at) if at is not None), default=None)

    def pass_time(self, until_us: int, *, awake: bool) -> None:
        end = self._end_us()
        if end is not None:
            until_us = min(until_us, end + 1)
        while until_us > self._clock_us() + AHEAD_US:
            began_us = max(self.now_us, self._clock_us())
            began = time.monotonic()
            young = began_us < self._born_us + PEOPLE_US
            speed = min(1.0, self._speed) if young else self._speed
            seconds = (until_us - began_us) / 1e6 / speed
            stopped = self._wait(seconds)
            passed_us = began_us + round((time.monotonic() - began) * 1e6 * speed)
            super().pass_time(max(self.now_us, min(until_us, passed_us)), awake=awake)
            self._anchor()
            if stopped:
                raise Interrupted
        super().pass_time(max(self.now_us, until_us), awake=awake)

    def _anchor(self) -> None:
        """The computer's clock shows the hardware's time, now."""
        self._real, self._virtual_us = time.monotonic(), self.now_us

    def _clock_us(self) -> int:
        return self._virtual_us + round((time.monotonic() - self._real) * 1e6)
