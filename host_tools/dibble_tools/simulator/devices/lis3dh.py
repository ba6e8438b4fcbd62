"""A model of the LIS3DH: its registers, its FIFO of 32 samples, which loses its oldest when it is full.

Source: ST, LIS3DH data sheet, DocID17530. Not modelled: interrupts, low-power mode, the ADC, self-test, FIFO mode.
"""

import random
from collections import deque
from collections.abc import Callable

from dibble_tools.simulator.node.bus import Nack

Moves = Callable[[float], tuple[float, float, float]]  # seconds -> mg of each axis
_RATES_HZ = {2: 10, 3: 25, 4: 50, 5: 100, 6: 200, 7: 400}
_MG = {0: 1, 1: 2, 2: 4, 3: 12}  # of a digit
_DEPTH = 32
_START_US = 5_000
NOISE_MG = {10: 1.0, 25: 1.5, 50: 2.0, 100: 3.0, 200: 4.5, 400: 6.5}  # 220 ug/sqrt(Hz), and what is told beside it
CURRENT_MA = {0: 0.0005, 10: 0.004, 25: 0.006, 50: 0.011, 100: 0.02, 200: 0.038, 400: 0.073}
RESET = {0x20: 0x07, 0x23: 0x00, 0x24: 0x00, 0x2E: 0x00}
OFFSET_MG = 40  # of an axis at zero g


class Lis3dh:
    """One accelerometer.

    Attributes:
        moves: what it feels.
        absent: it answers nothing; stuck: its samples don't change any more.
    """

    def __init__(self, now_us: Callable[[], int], seed: int = 0) -> None:
        self._now_us = now_us
        self._rng = random.Random(f"lis3dh {seed}")
        self._offsets = [self._rng.gauss(0, OFFSET_MG / 2) for _ in range(3)]
        self.moves: Moves = lambda at_s: (0.0, 0.0, 1000.0)
        self.absent = self.stuck = False
        self._spent_uc = 0.0
        self._counted_us = now_us()
        self.power_cycle()

    @property
    def charge_uc(self) -> float:
        """Microcoulombs used so far."""
        now = self._now_us()
        self._spent_uc += CURRENT_MA[self._rate_hz] * (now - self._counted_us) / 1000
        self._counted_us = now
        return self._spent_uc

    def power_cycle(self) -> None:
        """Begin as after power-on: asleep."""
        self._registers = dict(RESET)
        self._rate_hz = 0
        self._ready_us = self._now_us() + _START_US
        self._fifo: deque[tuple[int, int, int]] = deque()
        self._overrun = False
        self._pointer = 0
        self._sampled_us = self._now_us()

    def write(self, data: bytes) -> None:
        if self.absent or not data or self._now_us() < self._ready_us:
            raise Nack
        self._sample()
        self._pointer = data[0]
        for offset, value in enumerate(data[1:]):
            number = (data[0] & 0x7F) + (offset if data[0] & 0x80 else 0)
            self._set(number, value)

    def read(self, size: int) -> bytes:
        if self.absent or self._now_us() < self._ready_us:
            raise Nack
        self._sample()
        number, step = self._pointer & 0x7F, self._pointer >> 7
        found = bytearray()
        sample: tuple[int, int, int] | None = None
        for _ in range(size):
            if 0x28 <= number <= 0x2D:
                if number == 0x28 or sample is None:
                    sample = self._take()
                found.append(sample[(number - 0x28) // 2] >> 8 * ((number - 0x28) % 2) & 255)
                number = 0x28 if step and number == 0x2D else number + step
            else:
                found.append(self._get(number))
                number += step
        return bytes(found)

    def _get(self, number: int) -> int:
        if number == 0x0F:
            return 0x33
        if number == 0x2F:
            level = len(self._fifo)
            return self._overrun << 6 | (level == 0) << 5 | min(level, _DEPTH - 1)
        return self._registers.get(number, 0)

    def _set(self, number: int, value: int) -> None:
        _ = self.charge_uc
        self._registers[number] = value
        if number == 0x20:
            self._rate_hz = _RATES_HZ.get(value >> 4, 0)
            self._sampled_us = self._now_us()
        if number == 0x2E and value >> 6 == 0:
            self._fifo.clear()
            self._overrun = False

    def _sample(self) -> None:
        """Let the samples come that have come since."""
        if not self._rate_hz:
            return
        now, step = self._now_us(), 1_000_000 // self._rate_hz
        first = max(0, (now - self._sampled_us) // step - 2 * _DEPTH)  # older ones are lost at any rate
        if first:
            self._overrun = True
            self._sampled_us += first * step
        while self._sampled_us + step <= now:
            self._sampled_us += step
            sample = self._fifo[-1] if self.stuck and self._fifo else self._felt(self._sampled_us / 1e6)
            streams = self._registers[0x24] & 0x40 and self._registers[0x2E] >> 6 == 2
            if not streams:
                self._fifo.clear()
            elif len(self._fifo) == _DEPTH:
                self._fifo.popleft()
            self._fifo.append(sample)
            self._overrun = bool(streams) and len(self._fifo) == _DEPTH

    def _felt(self, at_s: float) -> tuple[int, int, int]:
        scale = _MG[self._registers[0x23] >> 4 & 3]
        felt = self.moves(0.0 if self.stuck else at_s)
        words = []
        for mg, offset in zip(felt, self._offsets, strict=True):
            noise = 0.0 if self.stuck else self._rng.gauss(0, NOISE_MG[self._rate_hz])
            digit = max(-2048, min(2047, round((mg + offset + noise) / scale)))
            words.append(digit << 4)
        return words[0], words[1], words[2]

    def _take(self) -> tuple[int, int, int]:
        self._overrun = False
        if len(self._fifo) > 1:
            return self._fifo.popleft()
        return self._fifo.popleft() if self._fifo else (0, 0, 0)
