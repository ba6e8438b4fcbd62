"""What a BME680's counts mean, by Bosch's published float formulas, and the counts that mean a given truth."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

# In percent, for each range (the source's lookup_k1_range and lookup_k2_range).
_GAIN_PERCENT = {5: -1.0, 7: -0.8, 10: -0.2, 11: -0.5, 13: -1.0}
_RANGE_PERCENT = {4: 0.1, 5: 0.7, 7: -0.8, 8: -0.1}

# The coarsest range that a part takes, by its variant: recordings of the BME688 and BME690 have a floor at 5,685 ohm,
# the end of range 13.
LAST_RANGE = (15, 13, 13)


def count_of(formula: Callable[[int], float], truth: float, size: int) -> int:
    """Return the count of 0..size - 1 where a rising formula comes closest to the truth."""
    low, high = 0, size - 1
    while low < high:
        middle = (low + high) // 2
        if formula(middle) < truth:
            low = middle + 1
        else:
            high = middle
    if low and abs(formula(low - 1) - truth) < abs(formula(low) - truth):
        return low - 1
    return low


@dataclass(frozen=True)
class Trim:
    """The factory's coefficients, under Bosch's names; p and h hold par_p1.. and par_h1.. in order.

    Attributes:
        adc_bits: of the counts of temperature and pressure.
    """

    adc_bits: ClassVar[int] = 20
    t: tuple[int, int, int]
    p: tuple[int, ...]
    h: tuple[int, ...]
    gas_heater: tuple[int, int, int]
    heater_range: int = 1
    heater_value: int = 48
    switching_error: int = 0

    def registers(self) -> dict[int, int]:
        """Return register -> value of the three blocks."""
        p1, p2, p3, p4, p5, p6, p7, p8, p9, p10 = self.p
        h1, h2, h3, h4, h5, h6, h7 = self.h
        gh1, gh2, gh3 = self.gas_heater
        first = struct.pack("<hbxHhbxhhbbxxhhB", *self.t[1:], p1, p2, p3, p4, p5, p7, p6, p8, p9, p10)
        second = struct.pack(
            "<BBBbbbBbHhbb", h2 >> 4, (h2 & 15) << 4 | h1 & 15, h1 >> 4, h3, h4, h5, h6, h7, self.t[0], gh2, gh1, gh3
        )
        third = struct.pack("<bxBxB", self.heater_value, self.heater_range << 4, (self.switching_error & 15) << 4)
        blocks = ((0x8A, first), (0xE1, second), (0x00, third))
        return {start + at: value for start, block in blocks for at, value in enumerate(block)}

    def air_temperature_c(self, adc: int) -> float:
        t1, t2, t3 = self.t
        above = adc / 16384 - t1 / 1024
        return (above * t2 + (above / 8) ** 2 * t3 * 16) / 5120

    def pressure_pa(self, adc: int, air_temperature_c: float) -> float:
        p1, p2, p3, p4, p5, p6, p7, p8, p9, p10 = self.p
        v = air_temperature_c * 2560 - 64000
        offset = (v * v * p6 / 131072 + v * p5 * 2) / 4 + p4 * 65536
        divisor = (1 + (p3 * v * v / 16384 + p2 * v) / 524288 / 32768) * p1
        pa = (1048576 - adc - offset / 4096) * 6250 / divisor
        more = p9 * pa * pa / 2147483648 + pa * p8 / 32768 + (pa / 256) ** 3 * p10 / 131072 + p7 * 128
        return pa + more / 16

    def humidity_percent(self, adc: int, air_temperature_c: float) -> float:
        h1, h2, h3, h4, h5, h6, h7 = self.h
        c = air_temperature_c
        above = adc - (h1 * 16 + h3 / 2 * c)
        linear = above * h2 / 262144 * (1 + h4 / 16384 * c + h5 / 1048576 * c * c)
        return linear + (h6 / 16384 + h7 / 2097152 * c) * linear * linear

    def heater_c(self, code: int, air_temperature_c: float) -> float:
        gh1, gh2, gh3 = self.gas_heater
        ohm = (code / 3.4 + 25) * (4 + self.heater_range) / 4 * (1 + self.heater_value * 0.002)
        hot = ohm - gh3 / 1024 * air_temperature_c
        return (hot / (gh1 / 16 + 49) - 1) / (gh2 / 32768 * 0.0005 + 0.00235)

    def gas_count(self, ohm: float, variant: int) -> tuple[int, int]:
        """Return a count of 10 bits and the range, the first from the coarsest that holds the resistance.

        Beyond what the ranges hold together, the count stays at its end.
        """
        adc = 0.0
        for gas_range in range(LAST_RANGE[variant] + 1):
            if variant:
                adc = 512 + (1e6 * (262144 >> gas_range) / ohm - 4096) / 3
            else:
                gain = (1340 + 5 * self.switching_error) * (1 + _GAIN_PERCENT.get(gas_range, 0.0) / 100)
                step = (1 + _RANGE_PERCENT.get(gas_range, 0.0) / 100) * 1.25e-7 * (1 << gas_range)
                adc = 512 + gain * (1 / (ohm * step) - 1)
            if adc <= 1023:
                break
        return round(min(max(adc, 0), 1023)), gas_range


# A real sensor's, published in github.com/pimoroni/bme680-python, issue 11.
DUMPED_TRIM = Trim(
    t=(26041, 26469, 3),
    p=(36673, -10515, 88, 7310, -129, 30, 46, -3177, -2379, 30),
    h=(676, 1029, 0, 45, 20, 120, -100),
    gas_heater=(-30, -24754, 18),
)
