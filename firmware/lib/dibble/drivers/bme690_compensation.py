"""Bosch's integer compensation of the BME690, exact, within 31 bits: pure functions of register values.

Bosch's C takes 64 bits, some products more than 2**60: here they are lists of limbs, of 12 bits each but the last,
which has the sign. Two places of the C wrap; what counts is what its formula means, as its float branch has it:
below 0 C it subtracts in 32 bits without a sign, and it squares the pressure's 24 bits in 32.
Source: BoschSensortec BME690_SensorAPI v1.0.3, bme69x.c, the branch without BME69X_USE_FPU.
"""

from struct import unpack

from dibble.drivers.bme680_compensation import gas_high_ohm, heater_code  # noqa: F401

_BITS = 12  # of a limb: products of two are below 2**24, and five of them with a carry below 2**27
_MASK = 4095


def trim_of(registers):
    """Return what the factory measured, from the 42 bytes at 0x8A (23), 0xE1 (14) and 0x00 (5).

    Returns:
        four tuples of ints: t1..t3; p1..p11; h1..h6; g1, g2, g3, heater range, heater value, 0.
    """
    # fmt: off
    (t2, t3, _, p5, p6, p7, p8, p1, p2, p3, p4, _, p9, p10, p11, _, h5, h15, h1, h2, h4, h3, h6, _,
     t1, g2, g1, g3, value, _, heater, _, _) = unpack("<HbBhhbbHHbbHhbbBbBbbbBBBHhbbbBBBb", registers)
    # fmt: on
    return (
        (t1, t2, t3),
        (p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11),
        (h1 * 16 + (h15 & 15), h2, h3, h4, h5 * 16 + (h15 >> 4), h6),
        (g1, g2, g3, heater >> 4 & 3, value, 0),
    )


def air_of(field, trim):
    """Return (centi_c, Pa, permille) of a field's registers: see bme680_compensation.air_of."""
    fine = fine_of(_adc24(field, 5), trim[0])
    centi_c = centi_c_of(fine)
    if not -4000 <= centi_c <= 8500:
        return centi_c, 0, 0
    pa = pressure_pa(_adc24(field, 2), fine, trim[1])
    return centi_c, pa, humidity_1024ths(field[8] << 8 | field[9], centi_c, trim[2]) * 10 + 512 >> 10


def ambient_centi_c(field, trim):
    """Return the air temperature of a field's registers alone."""
    return centi_c_of(fine_of(_adc24(field, 5), trim[0]))


def _adc24(field, at):
    return field[at] << 16 | field[at + 1] << 8 | field[at + 2]


def _carried(limbs):
    """Return limbs of any size as one number's: 12 bits each, the last with the sign and no more than needed."""
    carry = 0
    out = []
    for limb in limbs:
        carry += limb
        out.append(carry & _MASK)
        carry >>= _BITS
    while not -1 <= carry <= 0:
        out.append(carry & _MASK)
        carry >>= _BITS
    out.append(carry)
    while len(out) > 1 and -1 <= out[-1] <= 0:
        top = out.pop()
        out[-1] += top << _BITS
    return out


def _sum(*terms):
    total = [0] * max([len(term) for term in terms])
    for term in terms:
        for i in range(len(term)):
            total[i] += term[i]
    return _carried(total)


def _product(a, b):
    """Return the product of two numbers, of which either may be an int."""
    a = _carried([a]) if isinstance(a, int) else a
    b = _carried([b]) if isinstance(b, int) else b
    total = [0] * (len(a) + len(b) - 1)
    for i in range(len(a)):
        for j in range(len(b)):
            total[i + j] += a[i] * b[j]
    return _carried(total)


def _power(shift):
    """Return 2**shift."""
    return [0] * (shift // _BITS) + [1 << shift % _BITS]


def _floored(a, shift):
    """Return a / 2**shift, rounded down."""
    a = a[shift // _BITS :] or [-1 if a[-1] < 0 else 0]
    out = _carried([limb << _BITS - shift % _BITS for limb in a])
    return out[1:] or [out[0] >> _BITS]


def _quotient(a, shift):
    """Return a / 2**shift, rounded toward zero as C does."""
    return _floored(_sum(a, _power(shift), [-1]) if a[-1] < 0 else a, shift)


def _tenth(a):
    """Return a / 10, rounded toward zero."""
    sign = -1 if a[-1] < 0 else 1
    digits = _carried([sign * limb for limb in a])
    rest = 0
    for i in range(len(digits) - 1, -1, -1):
        rest = (rest << _BITS) + digits[i]
        digits[i] = rest // 10
        rest %= 10
    return _carried([sign * digit for digit in digits])


def _small(a):
    """Return an int, 2**29 and its negative for all beyond."""
    if len(a) > 3 or len(a) == 3 and not -32 <= a[2] < 32:
        return -(1 << 29) if a[-1] < 0 else 1 << 29
    n = 0
    for limb in reversed(a):
        n = (n << _BITS) + limb
    return n


def fine_of(adc, trim):
    """Return the air temperature in 1/65536 C, of any 24-bit adc."""
    t1, t2, t3 = trim
    above = adc - (t1 << 8)
    return _small(_floored(_sum(_product(_product(above, t2), _power(18)), _product(_product(above, above), t3)), 32))


def centi_c_of(fine):
    """Return the air temperature, rounded down; beyond an int16 it is held there, where Bosch's wraps."""
    return min(max(fine, -21474836), 21474836) * 25 >> 14


def pressure_pa(adc, fine, trim):
    """Return the air pressure, or 0 where the registers can't be one: not above zero, or at or above 2**20 Pa.

    Args:
        adc: 24 bits.
    """
    p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11 = trim
    square = _product(fine, fine)
    cube = _quotient(_product(_floored(square, 6), fine), 8)
    offset = _sum(
        _product(p1, _power(47)),
        _quotient(_product(p4, cube), 5),
        _product(_product(p3, square), 16),
        _product(_product(p2, fine), _power(22)),
    )
    slope = _sum(
        _product(p5 - 16384, _power(46)),
        _quotient(_product(p8, cube), 5),
        _product(_product(p7, square), 4),
        _product(_product(p6 - 16384, fine), _power(21)),
    )
    bend = _quotient(_product(_sum(_product(p10, fine), _product(p9, _power(16))), adc), 13)
    whole = _sum(
        _quotient(offset, 2),
        _product(_quotient(slope, 24), adc),
        _product(_quotient(_tenth(_product(bend, adc)), 9), 10),
        _quotient(_product(_quotient(_product(p11, _product(adc, adc)), 16), adc), 7),
    )
    quarters = _small(_quotient(whole, 40))  # * 25 / 100 in the source
    return quarters >> 2 if 0 < quarters < 1 << 22 else 0


def humidity_1024ths(adc, centi_c, trim):
    """Return relative humidity in 1/1024 %, 0..102400, at an air temperature of -4000..8500 centi_c; adc: 16 bits."""
    h1, h2, h3, h4, h5, h6 = trim
    fine = _toward_zero(centi_c * 256 - 128, 5) - 76800  # -512026..358374
    above = _quotient(_sum(_product(adc + 1 - (h1 << 6), _power(14)), _product(-h2, fine)), 15)
    curve = _toward_zero(fine * h4, 1024), _toward_zero(fine * h3, 2048) + 32768  # 2**17 and 2**17 at most
    slope = _sum(_quotient(_product(*curve), 10), _power(21))
    linear = _product(above, _quotient(_sum(_product(slope, h5), [8192]), 14))
    part = _quotient(linear, 15)
    bend = _quotient(_product(_quotient(_product(part, part), 7), -h6), 4)
    return min(max(_small(_floored(_sum(linear, bend), 12)), 0), 102400)


def _toward_zero(a, b):
    return a // b if a >= 0 else -(-a // b)
