"""What a BME690's counts mean, by Bosch's published float formulas; heater and gas are a BME688's."""

import struct
from dataclasses import dataclass
from typing import ClassVar

from dibble_tools.simulator.devices.bme680_physics import Trim


@dataclass(frozen=True)
class Bme690Trim(Trim):
    """The factory's coefficients under Bosch's names: par_t1..3, par_p1..11, par_h1..6, par_g1..3."""

    adc_bits: ClassVar[int] = 24

    def registers(self) -> dict[int, int]:
        p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11 = self.p
        h1, h2, h3, h4, h5, h6 = self.h
        g1, g2, g3 = self.gas_heater
        first = struct.pack("<HbxhhbbHHbbxxhbbx", *self.t[1:], p5, p6, p7, p8, p1, p2, p3, p4, p9, p10, p11)
        shared = (h5 & 15) << 4 | h1 & 15
        second = struct.pack("<bBbbbBBxHhbb", h5 >> 4, shared, h1 >> 4, h2, h4, h3, h6, self.t[0], g2, g1, g3)
        third = struct.pack("<bxBxx", self.heater_value, self.heater_range << 4)
        blocks = ((0x8A, first), (0xE1, second), (0x00, third))
        return {start + at: value for start, block in blocks for at, value in enumerate(block)}

    def air_temperature_c(self, adc: int) -> float:
        t1, t2, t3 = self.t
        above = adc - (t1 << 8)
        return above * t2 / 2**30 + above * above * t3 / 2**48

    def pressure_pa(self, adc: int, air_temperature_c: float) -> float:
        p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11 = self.p
        c = air_temperature_c
        offset = p1 * 8 + p2 / 2**6 * c + p3 / 2**8 * c**2 + p4 / 2**15 * c**3
        slope = (p5 - 2**14) / 2**20 + (p6 - 2**14) / 2**29 * c + p7 / 2**32 * c**2 + p8 / 2**37 * c**3
        return offset + adc * slope + adc**2 * (p9 + p10 * c) / 2**48 + adc**3 * p11 / 2**65

    def humidity_percent(self, adc: int, air_temperature_c: float) -> float:
        h1, h2, h3, h4, h5, h6 = self.h
        fine = air_temperature_c * 5120 - 76800
        above = adc - (h1 * 64 + h2 / 2**14 * fine)
        linear = above * h5 / 2**16 * (1 + h4 / 2**26 * fine + h4 / 2**26 * h3 / 2**26 * fine * fine)
        return linear * (1 - h6 / 2**19 * linear)


# No BME690's coefficients are published: temperature and pressure as plausible for a BMP388, whose formulas are the
# same; humidity so that its counts stay within 16 bits. Chosen, not measured.
PLAUSIBLE_TRIM = Bme690Trim(
    t=(27772, 18909, -10),
    p=(24894, 30135, -13, -10, 1041, -3145, 10, 0, 15859, 19, -60),
    h=(230, 2, 20, 4, 480, 30),
    gas_heater=(-30, -24754, 18),
)
