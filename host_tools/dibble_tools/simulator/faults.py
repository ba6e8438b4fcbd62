"""What goes wrong in the field, each kind throughout a season: in episodes of hours, at random but repeatable."""

import random
from collections.abc import Callable

from dibble_tools.common.errors import InputError
from dibble_tools.simulator.devices.analog import AnalogPin
from dibble_tools.simulator.node.bus import TICKS_PERIOD, I2cDevice, Nack
from dibble_tools.simulator.orchard.site import Site

FAULTS = {
    "nack": "an I2C sensor doesn't answer: now and then, and for hours",
    "stuck": "the soil probe, the gas cell or the air sensor says the same for a day",
    "spike": "single readings are anything at all",
    "disconnect": "an analog sensor's wire is off: the pin floats",
    "clock": "the node's clock jumps back by days",
    "ticks": "the millisecond counter wraps to 0 within minutes, again and again",
    "full": "the file system is all but full",
    "brownout": "the supply fails at any moment, also while flash is written, and in bursts",
}
EPISODE_A_HOUR = 1 / 30  # chance that an episode begins
EPISODE_H = (2, 30)
NACK_SHARE, SPIKE_SHARE = 0.02, 0.03
CUTS_A_HOUR = 1 / 24
BURST_SHARE = 0.3  # of the cuts, that are the first of several within minutes
FREE_BLOCKS = 3  # that a full file system has left
HOUR_US = 3_600_000_000
WRAP_US = 3 * HOUR_US  # between two wraps that the fault brings about
WRAP_AHEAD_MS = 240_000


def parse_faults(text: str) -> tuple[str, ...]:
    """Return the faults in a list with commas; "all" is every one."""
    names = tuple(FAULTS) if text == "all" else tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in FAULTS:
            raise InputError(f"--faults: expected of {', '.join(FAULTS)} or all, got {name!r}")
    return names


class Flaky:
    """An I2C device that doesn't always answer."""

    def __init__(self, device: I2cDevice, silent: Callable[[], bool]) -> None:
        self._device = device
        self._silent = silent

    def write(self, data: bytes) -> None:
        self._answer()
        self._device.write(data)

    def read(self, size: int) -> bytes:
        self._answer()
        return self._device.read(size)

    def _answer(self) -> None:
        if self._silent():
            raise Nack


class Faults:
    """The faults of one season.

    Args:
        names: of FAULTS.
        site: whose devices fail.
        seed: of when and how.
    Attributes:
        episodes: how many there were of each kind.
    """

    def __init__(self, names: tuple[str, ...], site: Site, seed: int) -> None:
        self.names = names
        self.episodes = dict.fromkeys(names, 0)
        self._site = site
        self._rng = random.Random(f"faults {seed}")
        self._hour = site.hardware.now_us // HOUR_US
        self._ends: dict[str, int] = {}
        self._undo: dict[str, Callable[[], None]] = {}
        self._cut_at: int | None = None
        self._burst = 0
        self._silent = False
        if "nack" in names:
            hardware = site.hardware
            hardware.i2c = {at: Flaky(device, self._nacks) for at, device in hardware.i2c.items()}
        if "ticks" in names:
            self._next_wrap()

    def free_blocks(self) -> int:
        """Return how many blocks the file system has left for the node; 0: no fault."""
        if "full" not in self.names:
            return 0
        self.episodes["full"] = 1
        return FREE_BLOCKS

    def advance(self) -> bool:
        """Begin and end episodes at the hardware's time; return whether the power fails now."""
        now_us = self._site.hardware.now_us
        for name in [name for name, end in self._ends.items() if end <= now_us]:
            del self._ends[name]
            self._undo.pop(name)()
        while self._hour < now_us // HOUR_US:
            self._hour += 1
            self._each_hour(now_us)
        if self._cut_at is not None and now_us >= self._cut_at:
            self._cut_at = None
            return True
        return False

    def power_lost(self) -> int:
        """Return for how many microseconds there is no power, after a cut."""
        self.episodes["brownout"] += 1
        if self._burst:
            self._burst -= 1
            self._plan_cut(self._rng.uniform(5, 50))
            return int(self._rng.uniform(1, 20) * 1e6)
        if self._rng.random() < BURST_SHARE:
            self._burst = self._rng.randint(2, 9)
            self._plan_cut(self._rng.uniform(5, 50))
        return int(self._rng.uniform(20, 7200) * 1e6)

    def _plan_cut(self, seconds: float) -> None:
        hardware = self._site.hardware
        if self._rng.random() < 0.5:
            self._cut_at = hardware.now_us + int(seconds * 1e6)
        else:
            hardware.flash.cut_at([self._rng.randint(1, 60)], torn=self._rng.random())

    def _each_hour(self, now_us: int) -> None:
        rng = self._rng
        if "brownout" in self.names and self._cut_at is None and rng.random() < CUTS_A_HOUR:
            self._plan_cut(rng.uniform(0, 3600))
        if "clock" in self.names and rng.random() < EPISODE_A_HOUR:
            self._site.hardware.clock_offset_s -= rng.randint(3600, 5 * 86400)
            self.episodes["clock"] += 1
        if "ticks" in self.names and now_us >= self._wrap_at:
            self._next_wrap()
        for name in ("nack", "stuck", "spike", "disconnect"):
            if name in self.names and name not in self._ends and rng.random() < EPISODE_A_HOUR:
                self.episodes[name] += 1
                self._ends[name] = now_us + int(rng.uniform(*EPISODE_H) * HOUR_US)
                self._undo[name] = getattr(self, f"_{name}")()

    def _next_wrap(self) -> None:
        """Set the counter a few minutes before its wrap; such a jump, at any moment, is harder on it than the wrap."""
        hardware = self._site.hardware
        hardware.ticks_offset_ms = (TICKS_PERIOD - WRAP_AHEAD_MS - hardware.now_us // 1000) % TICKS_PERIOD
        self._wrap_at = hardware.now_us + WRAP_US
        self.episodes["ticks"] += 1

    def _nacks(self) -> bool:
        return self._silent or self._rng.random() < NACK_SHARE

    def _nack(self) -> Callable[[], None]:
        self._silent = True

        def undo() -> None:
            self._silent = False

        return undo

    def _pin(self) -> AnalogPin:
        return self._rng.choice((self._site.soil_pin, self._site.gas_pin))

    def _stuck(self) -> Callable[[], None]:
        if self._rng.random() < 0.25:
            self._site.air_frozen = True

            def thaw() -> None:
                self._site.air_frozen = False

            return thaw
        pin = self._pin()
        pin.stuck = True
        return lambda: setattr(pin, "stuck", False)

    def _spike(self) -> Callable[[], None]:
        """Single conversions, which oversampling drops, and whole readings, which it can't."""
        pin = self._pin()
        pin.spike_probability = 0.1
        self._site.jump_share = SPIKE_SHARE

        def undo() -> None:
            pin.spike_probability = 0.0
            self._site.jump_share = 0.0

        return undo

    def _disconnect(self) -> Callable[[], None]:
        pin = self._pin()
        pin.disconnected = True
        return lambda: setattr(pin, "disconnected", False)
