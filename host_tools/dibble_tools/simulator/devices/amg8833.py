"""A model of the AMG8833 (Grid-EYE): 8 x 8 pixels in registers, ten frames a second.

Source: Panasonic, Infrared Array Sensor Grid-EYE, reference specification.
Not modelled: interrupts, the moving average, standby, a field of view (the scene gives each pixel's temperature).
"""

import random
from collections.abc import Callable

from dibble_tools.simulator.node.bus import Nack

Scene = Callable[[float, float], float]  # place from 0 to 1 down, and from 0 to 1 to the right -> C

ROWS = COLUMNS = 8
_NORMAL, _SLEEP = 0x00, 0x10
_MODES = (_NORMAL, _SLEEP, 0x20, 0x21)
_FRAME_US = 100_000
_START_US = 50_000
_SETTLED_US = 15_000_000  # "output is stable" only then: until then frames wander
_WANDERS_C = 2.0
_NOISE_C = 0.08  # of a pixel at ten frames a second; its NETD is told as 0.05 C at one
_SPREAD_C = 1.0  # of one pixel beside another: +-2.5 C over the array are allowed
NORMAL_MA, SLEEP_MA = 4.5, 0.2


class Amg8833:
    """One array.

    Attributes:
        scene: what it looks at.
        array_c: its own temperature.
        dead: pixels that always show the register's highest number.
        absent: it answers nothing.
        stuck: its frames don't change any more.
    """

    def __init__(self, now_us: Callable[[], int], seed: int = 0) -> None:
        self._now_us = now_us
        self._rng = random.Random(f"amg8833 {seed}")
        self._own_c = [self._rng.gauss(0, _SPREAD_C) for _ in range(ROWS * COLUMNS)]
        self.scene: Scene = lambda row, column: 20.0
        self.array_c = 20.0
        self.dead: set[int] = set()
        self.absent = self.stuck = False
        self._spent_uc = 0.0
        self._counted_us = now_us()
        self._mode = _NORMAL
        self.power_cycle()

    @property
    def charge_uc(self) -> float:
        """Microcoulombs used so far."""
        now = self._now_us()
        self._spent_uc += (NORMAL_MA if self._mode == _NORMAL else SLEEP_MA) * (now - self._counted_us) / 1000
        self._counted_us = now
        return self._spent_uc

    def power_cycle(self) -> None:
        """Begin as after power-on: in normal mode."""
        _ = self.charge_uc
        self._mode = _NORMAL
        self._rate = 0
        self._begun_us = self._warm_us = self._now_us()
        self._ready_us = self._begun_us + _START_US
        self._frame = -1
        self._pixels = bytes(2 * ROWS * COLUMNS)
        self._pointer = 0

    def write(self, data: bytes) -> None:
        if self.absent or not data or self._now_us() < self._ready_us:
            raise Nack
        self._pointer = data[0]
        for value in data[1:]:
            self._set(self._pointer, value)
            self._pointer += 1

    def read(self, size: int) -> bytes:
        if self.absent or self._now_us() < self._ready_us:
            raise Nack
        at = self._pointer
        self._pointer += size
        self._measure()
        return bytes(self._register(address) for address in range(at, at + size))

    def _set(self, register: int, value: int) -> None:
        if register == 0x00:
            if value not in _MODES:
                raise Nack
            _ = self.charge_uc
            if self._mode != value == _NORMAL:
                self._begun_us = self._now_us()
                self._frame = -1
            self._mode = value
        elif register == 0x01 and value == 0x3F:
            self._begun_us = self._now_us()
            self._frame = -1
            self._pixels = bytes(2 * ROWS * COLUMNS)
        elif register == 0x02:
            self._rate = value & 1

    def _measure(self) -> None:
        """Take the frame that is due; asleep the last one stays."""
        period = _FRAME_US * (10 if self._rate else 1)
        frame = (self._now_us() - self._begun_us) // period - 1
        if self._mode != _NORMAL or frame <= self._frame or (self.stuck and self._frame >= 0):
            return
        self._frame = frame
        young = max(0.0, 1 - (self._now_us() - self._warm_us) / _SETTLED_US)
        found = bytearray()
        for place in range(ROWS * COLUMNS):
            row, column = divmod(place, COLUMNS)
            celsius = self.scene(row / (ROWS - 1), column / (COLUMNS - 1))
            celsius += self._own_c[place] + self._rng.gauss(0, _NOISE_C) - _WANDERS_C * young
            steps = 0x7FF if place in self.dead else min(max(round(celsius * 4), -0x800), 0x7FF)
            found += (steps & 0xFFF).to_bytes(2, "little")
        self._pixels = bytes(found)

    def _register(self, address: int) -> int:
        if 0x80 <= address <= 0xFF:
            return self._pixels[address - 0x80]
        if address == 0x00:
            return self._mode
        if address == 0x02:
            return self._rate
        if address in (0x0E, 0x0F):
            sixteenths = min(round(abs(self.array_c) * 16), 0x7FF)
            word = sixteenths | (0x800 if self.array_c < 0 and sixteenths else 0)
            return word >> 8 * (address - 0x0E) & 0xFF
        return 0
