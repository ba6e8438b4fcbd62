"""The published formulas of the BME690 in Python ints, and plausible sensors to try them on.

Source: BoschSensortec BME690_SensorAPI v1.0.3, bme69x.c, the branch in 64-bit ints. `wrapping` does what its C does
where an unsigned 32-bit operand makes it: below the temperature's zero point and in the square of the pressure's
counts. Otherwise they are what the formula means. The float branch is the second oracle: simulator/devices.
"""

import random
from dataclasses import dataclass

from bme680_oracle import c_div

UINT32 = 1 << 32


@dataclass(frozen=True)
class Coefficients:
    """Under Bosch's names: par_t1.., par_p1.., par_h1.., par_g1..3."""

    t: tuple[int, int, int]
    p: tuple[int, ...]
    h: tuple[int, ...]
    g: tuple[int, int, int] = (-30, -24754, 18)


def fine(adc: int, t: tuple[int, int, int]) -> int:
    partial1 = adc - 256 * t[0]
    partial5 = partial1 * t[1] * 262144 + partial1 * partial1 * t[2]
    return partial5 // 4294967296  # unsigned in C: of a negative one the floor, in its lower 32 bits


def centi_c(t_lin: int) -> int:
    return t_lin * 25 // 16384


def pressure_pa(adc: int, t_lin: int, p: tuple[int, ...], *, wrapping: bool = False) -> int:
    p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11 = p
    data1 = t_lin * t_lin
    data3 = c_div(c_div(data1, 64) * t_lin, 256)
    offset = p1 * (1 << 47) + c_div(p4 * data3, 32) + p3 * data1 * 16 + p2 * t_lin * (1 << 22)
    sensitivity = (p5 - 16384) * (1 << 46) + c_div(p8 * data3, 32) + p7 * data1 * 4
    sensitivity += (p6 - 16384) * t_lin * (1 << 21)
    data1 = c_div(sensitivity, 1 << 24) * adc
    data4 = c_div((p10 * t_lin + p9 * (1 << 16)) * adc, 1 << 13)
    data5 = c_div(c_div(adc * data4, 10), 1 << 9) * 10
    square = adc * adc % UINT32 if wrapping else adc * adc
    data3 = c_div(c_div(p11 * square, 1 << 16) * adc, 1 << 7)
    data4 = c_div(offset, 4) + data1 + data5 + data3
    return c_div(c_div(data4, 1 << 40) * 25, 100)


def humidity_1024ths(adc: int, celsius_100: int, h: tuple[int, ...]) -> int:
    h1, h2, h3, h4, h5, h6 = h
    var = c_div(celsius_100 * 256 - 128, 5) - 76800
    linear = c_div(adc * 16384 - h1 * 1048576 - h2 * var + 16384, 32768)
    slope = c_div(c_div(var * h4, 1024) * (c_div(var * h3, 2048) + 32768), 1024) + 2097152
    var = linear * c_div(slope * h5 + 8192, 16384)
    part = c_div(var, 32768)
    var -= c_div(c_div(part * part, 128) * h6, 16)
    return c_div(min(max(var, 0), 419430400), 4096)


def bits(rng: random.Random, size: int) -> int:
    """Return an int of so many bits, or, with a minus, of two's complement; one in four is an end."""
    width = abs(size)
    value = rng.choice((0, (1 << width) - 1, 1 << width - 1, (1 << width - 1) - 1, rng.getrandbits(width)))
    if rng.randrange(4):
        value = rng.getrandbits(width)
    return value - (value >> width - 1 << width) if size < 0 else value


T_SIZES = (16, 16, -8)
P_SIZES = (16, 16, -8, -8, -16, -16, -8, -8, -16, -8, -8)
H_SIZES = (-12, -8, 8, -8, -12, 8)


def any_coefficients(rng: random.Random) -> Coefficients:
    t, p, h = (tuple(bits(rng, size) for size in sizes) for sizes in (T_SIZES, P_SIZES, H_SIZES))
    return Coefficients((t[0], t[1], t[2]), p, h)
