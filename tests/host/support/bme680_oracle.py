"""The published formulas of the BME680 in Python ints with C's meaning of them, and plausible sensors to try them on.

Source: BoschSensortec BME68x_SensorAPI v4.4.5, bme68x.c, the integer branch. `narrow` is what C does to the result of
each int32 operation: `int32` wraps it, `int` keeps what the formula means.
"""

import random
from collections.abc import Callable

from dibble_tools.simulator.devices.bme680_physics import Trim

_FACTOR_1 = [2147483647] * 16
for _range, _value in {5: 2126008810, 7: 2130303777, 10: 2143188679, 11: 2136746228, 13: 2126008810}.items():
    _FACTOR_1[_range] = _value
_FACTOR_2 = [4096000000 >> _range for _range in range(16)]
for _range, _value in {4: 255744255, 5: 127110228, 7: 32258064, 8: 16016016}.items():
    _FACTOR_2[_range] = _value

Narrow = Callable[[int], int]


def int32(value: int) -> int:
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def c_div(a: int, b: int) -> int:
    """Divide as C: toward zero."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def fine(adc: int, trim: Trim) -> int:
    t1, t2, t3 = trim.t
    var1 = (adc >> 3) - (t1 << 1)
    var2 = (var1 * t2) >> 11
    var3 = ((var1 >> 1) * (var1 >> 1)) >> 12
    var3 = (var3 * (t3 << 4)) >> 14
    return var2 + var3


def centi_c(t_fine: int) -> int:
    return (t_fine * 5 + 128) >> 8


def pressure_pa(adc: int, t_fine: int, trim: Trim, narrow: Narrow = int32) -> int:
    p1, p2, p3, p4, p5, p6, p7, p8, p9, p10 = trim.p
    var1 = (t_fine >> 1) - 64000
    square = narrow((var1 >> 2) * (var1 >> 2))
    var2 = narrow((square >> 11) * p6) >> 2
    var2 = narrow(var2 + narrow(narrow(var1 * p5) << 1))
    var2 = narrow((var2 >> 2) + narrow(p4 << 16))
    var1 = narrow((narrow((square >> 13) * (p3 << 5)) >> 3) + (narrow(p2 * var1) >> 1))
    var1 = var1 >> 18
    var1 = narrow((32768 + var1) * p1) >> 15
    comp = narrow((1048576 - adc - (var2 >> 12)) * 3125)
    comp = narrow(c_div(comp, var1) << 1) if comp >= 1 << 30 else c_div(narrow(comp << 1), var1)
    var1 = narrow(p9 * (narrow((comp >> 3) * (comp >> 3)) >> 13)) >> 12
    var2 = narrow((comp >> 2) * p8) >> 13
    var3 = narrow(narrow(narrow((comp >> 8) * (comp >> 8)) * (comp >> 8)) * p10) >> 17
    return narrow(comp + (narrow(narrow(narrow(var1 + var2) + var3) + (p7 << 7)) >> 4))


def humidity_milli_percent(adc: int, t_fine: int, trim: Trim, narrow: Narrow = int32) -> int:
    h1, h2, h3, h4, h5, h6, h7 = trim.h
    t = centi_c(t_fine)
    var1 = adc - h1 * 16 - (c_div(t * h3, 100) >> 1)
    bend = c_div(narrow(t * c_div(t * h5, 100)) >> 6, 100)
    var2 = narrow(h2 * (c_div(t * h4, 100) + bend + (1 << 14))) >> 10
    var3 = narrow(var1 * var2)
    var4 = ((h6 << 7) + c_div(t * h7, 100)) >> 4
    var5 = narrow((var3 >> 14) * (var3 >> 14)) >> 10
    var6 = narrow(var4 * var5) >> 1
    return min(max(narrow((narrow(var3 + var6) >> 10) * 1000) >> 12, 0), 100000)


def gas_low_ohm(adc: int, gas_range: int, trim: Trim) -> int:
    var1 = ((1340 + 5 * trim.switching_error) * _FACTOR_1[gas_range]) >> 16
    var2 = (adc << 15) - 16777216 + var1
    var3 = (_FACTOR_2[gas_range] * var1) >> 9
    return (var3 + (var2 >> 1)) // var2  # both positive


def gas_high_ohm(adc: int, gas_range: int) -> int:
    return (10000 * (262144 >> gas_range)) // (4096 + 3 * (adc - 512)) * 100


def heater_code(heater_c: int, ambient_c: int, trim: Trim) -> int:
    gh1, gh2, gh3 = trim.gas_heater
    var1 = c_div(ambient_c * gh3, 1000) * 256
    var2 = (gh1 + 784) * c_div(c_div((gh2 + 154009) * heater_c * 5, 100) + 3276800, 10)
    var4 = c_div(var1 + c_div(var2, 2), trim.heater_range + 4)
    var5 = 131 * trim.heater_value + 65536
    return c_div((c_div(var4, var5) - 250) * 34 + 50, 100) & 255


def plausible_trim(rng: random.Random) -> Trim:
    """Return coefficients spread widely around those of a real sensor (bme680_physics.DUMPED_TRIM)."""
    of = rng.randint
    return Trim(
        t=(of(25000, 27500), of(25500, 27000), of(-5, 10)),
        p=(
            *(of(34500, 38000), of(-10900, -9900), of(60, 110), of(4000, 9500), of(-300, 300)),
            *(of(10, 50), of(-30, 60), of(-4500, -500), of(-3500, -1500), 30),
        ),
        h=(of(500, 900), of(950, 1100), of(-8, 8), of(20, 60), of(0, 40), of(100, 140), of(-120, -80)),
        gas_heater=(of(-80, 0), of(-30000, -5000), of(10, 30)),
        heater_range=of(0, 3),
        heater_value=of(20, 70),
        switching_error=of(-8, 7),
    )
