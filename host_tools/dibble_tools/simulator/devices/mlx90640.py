"""A model of the MLX90640: 24 rows of 32 pixels in words of 16 bits, measured in two halves that take turns.

Its counts are the data sheet's formulas, inverted: those whose calibration gives the scene's temperatures. So they
wander with the array's own temperature and supply, each pixel by its own, as a real array's do.
Source: Melexis, MLX90640 data sheet, rev. 12; melexis/mlx90640-library for the memory's layout.
Not modelled: the compensation pixels, interleaved mode, the step mode, temperatures beyond the range 1 (0 to 100 C).
"""

import random
from collections.abc import Callable

from dibble_tools.simulator.devices.amg8833 import Scene
from dibble_tools.simulator.node.bus import Nack

ROWS, COLUMNS = 24, 32
STATUS, CONTROL, RAM, GAIN, EEPROM = 0x8000, 0x800D, 0x0400, 0x070A, 0x2400
NEW_DATA, OVERWRITE = 0x08, 0x10
_POWER_ON_CONTROL = 0x1901
_POWER_ON_US = 80_000
_NEVER_MEASURED = 0x7FFF
_ALPHA = 1.1e-7  # counts for each K**4, in the middle; some 60 % of it in the corners
_ALPHA_SCALE = 2.0**40
_NOISE_COUNTS = 1.2  # at 2 halves a second; grows with the root of the rate
_GAIN_DRIFT = -0.0005  # for each C of the array
_KTA, _KV, _AT_C, _AT_V = 0.0052, 0.32, 25.0, 3.3
NORMAL_MA = 23.0
_KELVIN = 273.15


class Mlx90640:
    """One array.

    Attributes:
        scene: what it looks at.
        array_c, supply_v: its own temperature, its supply.
        absent: it answers nothing.
        never_ready: it never has new data.
        one_half: it measures this half only, None: both in turn.
        torn: in so many of the next reads of the frame the next half comes in the middle.
        stuck: its counts don't change any more.
    """

    def __init__(self, now_us: Callable[[], int], seed: int = 0, broken: tuple[int, ...] = ()) -> None:
        self._now_us = now_us
        self._rng = random.Random(f"mlx90640 {seed}")
        self.scene: Scene = lambda row, column: 20.0
        self.array_c, self.supply_v = 25.0, 3.3
        self.absent = self.never_ready = self.stuck = False
        self.one_half: int | None = None
        self.torn = 0
        self.memory = self._factory(broken)
        self._spent_uc = 0.0
        self._counted_us = now_us()
        self._powered = True
        self.power_cycle()

    @property
    def charge_uc(self) -> float:
        """Microcoulombs used so far."""
        now = self._now_us()
        self._spent_uc += NORMAL_MA * self._powered * (now - self._counted_us) / 1000
        self._counted_us = now
        return self._spent_uc

    def switch(self, on: bool) -> None:
        """Give it power, or take it away."""
        _ = self.charge_uc
        if on and not self._powered:
            self.power_cycle()
        self._powered = on

    def power_cycle(self) -> None:
        """Begin as after power-on."""
        self._words = {STATUS: OVERWRITE, CONTROL: _POWER_ON_CONTROL}
        self._pixels = [_NEVER_MEASURED] * (ROWS * COLUMNS)
        self._gain = 0
        self._half = 1  # of the last measured; 0 comes first
        self._ready_us = self._now_us() + _POWER_ON_US
        self._next_us = self._ready_us + self._period_us
        self._pointer = 0

    def write(self, data: bytes) -> None:
        if self.absent or not self._powered or len(data) < 2 or self._now_us() < self._ready_us:
            raise Nack
        self._measure()
        self._pointer = data[0] << 8 | data[1]
        if len(data) == 4:
            word = data[2] << 8 | data[3]
            if self._pointer == STATUS:  # the number of the half is only to be read
                word = word & ~7 | self._words[STATUS] & 7
            if self._pointer in (STATUS, CONTROL):
                self._words[self._pointer] = word

    def read(self, size: int) -> bytes:
        if self.absent or not self._powered or self._now_us() < self._ready_us:
            raise Nack
        self._measure()
        at = self._pointer
        answer = b"".join(self._word(at + i).to_bytes(2, "big") for i in range((size + 1) // 2))
        if self.torn and RAM + ROWS * COLUMNS // 2 <= at < RAM + ROWS * COLUMNS:
            self.torn -= 1
            self._next_us = self._now_us()
        return answer[:size]

    @property
    def _period_us(self) -> int:
        return 2_000_000 >> (self._words[CONTROL] >> 7 & 7)

    def _measure(self) -> None:
        """Measure the halves that are due: only the last of each is left."""
        now = self._now_us()
        while now >= self._next_us:
            late = (now - self._next_us) // self._period_us
            if late > 3:
                self._next_us += (late - 3) // 2 * 2 * self._period_us
            self._next_us += self._period_us
            if not self.never_ready and (not self._words[STATUS] & NEW_DATA or self._words[STATUS] & OVERWRITE):
                self._measure_half()

    def _measure_half(self) -> None:
        self._half = self._half ^ 1 if self.one_half is None else self.one_half
        self._words[STATUS] = self._words[STATUS] & ~7 | self._half | NEW_DATA
        if self.stuck and self._gain:
            return
        own = self.array_c
        gain = 1 + _GAIN_DRIFT * (own - _AT_C)
        self._gain = round(self.memory[0x30] / gain)
        chess = self._words[CONTROL] & 0x1000
        noise = _NOISE_COUNTS * (1_000_000 / self._period_us) ** 0.5
        for place in range(ROWS * COLUMNS):
            row, column = divmod(place, COLUMNS)
            if (row ^ (column if chess else 0)) & 1 != self._half:
                continue
            if not self.memory[0x40 + place]:
                self._pixels[place] = 0
                continue
            seen = self.scene(row / (ROWS - 1), column / (COLUMNS - 1))
            counts = self.alpha(row, column) * ((seen + _KELVIN) ** 4 - (own + _KELVIN) ** 4)
            offset = self.offset(place) * (1 + _KTA * (own - _AT_C)) * (1 + _KV * (self.supply_v - _AT_V))
            raw = round((counts + offset + self._rng.gauss(0, noise)) / gain)
            self._pixels[place] = min(max(raw, -0x8000), 0x7FFE) & 0xFFFF

    def _word(self, address: int) -> int:
        if address in self._words:
            return self._words[address]
        if RAM <= address < RAM + ROWS * COLUMNS:
            return self._pixels[address - RAM]
        if address == GAIN:
            return self._gain & 0xFFFF
        if EEPROM <= address < EEPROM + len(self.memory):
            return self.memory[address - EEPROM]
        return 0

    @staticmethod
    def alpha(row: int, column: int) -> float:
        """Return a pixel's sensitivity in counts for each K**4: less to the corners."""
        off = ((row - 11.5) / 11.5) ** 2 + ((column - 15.5) / 15.5) ** 2
        return _ALPHA * (1 - 0.2 * off)

    def offset(self, place: int) -> int:
        """Return a pixel's offset as the memory tells it."""
        row, column = divmod(place, COLUMNS)

        def signed(word: int, bits: int) -> int:
            return word - (1 << bits) if word >> (bits - 1) & 1 else word

        scales = self.memory[0x10]
        own = signed(self.memory[0x40 + place] >> 10, 6) << (scales & 15)
        of_row = signed(self.memory[0x12 + row // 4] >> 4 * (row & 3) & 15, 4) << (scales >> 8 & 15)
        of_column = signed(self.memory[0x18 + column // 4] >> 4 * (column & 3) & 15, 4) << (scales >> 4 & 15)
        return signed(self.memory[0x11], 16) + of_row + of_column + own

    def _factory(self, broken: tuple[int, ...]) -> list[int]:
        """Return a memory of plausible contents."""
        rng = self._rng
        words = [0] * 832
        words[0x07:0x0A] = [rng.randrange(1, 0xFFFF) for _ in range(3)]
        words[0x10] = 0x4 << 12 | 2 << 8 | 2 << 4 | 0
        words[0x11] = -70 & 0xFFFF
        for i in [*range(0x12, 0x18), *range(0x18, 0x20)]:
            words[i] = sum((rng.randrange(-4, 5) & 15) << 4 * k for k in range(4))
        words[0x30] = rng.randrange(5500, 7000)
        for place in range(ROWS * COLUMNS):
            words[0x40 + place] = (rng.randrange(-20, 21) & 63) << 10 | (rng.randrange(-8, 9) & 63) << 4 | 0b0110
        for place in broken:
            words[0x40 + place] = 0
        return words
