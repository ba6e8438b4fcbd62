"""Bosch's integer compensation of the BME680 and BME688, within 31 bits: pure functions of register values.

Every int stays in -2**30 .. 2**30 - 1, whatever the registers hold: Bosch's C needs 32 bits for pressure, 64 for gas.
Where the C doesn't overflow, the results are its results. Where its int32 would (pressure from some 1063 hPa on, in
the P10 term; humidity far above 100 %), they are what its formula means.
`fine` is the air temperature in 1/5120 C, as `t_fine` in the source.
Source: BoschSensortec BME68x_SensorAPI v4.4.5, bme68x.c, the integer branch.
"""

from struct import unpack

# The BME680's ranges whose factors aren't 2**31 - 1 and 4096000000 >> range: the first (the source's lookup_table1)
# as two halves of 16 bits, the second (lookup_table2) as quotient and remainder of 512.
_GAS_FACTORS = {
    4: (32767, 65535, 499500, 255),
    5: (32440, 20970, 248262, 84),
    7: (32505, 56097, 63004, 16),
    8: (32767, 65535, 31281, 144),
    10: (32702, 30407, 7812, 256),
    11: (32604, 10484, 3906, 128),
    13: (32440, 20970, 976, 288),
}


def trim_of(registers):
    """Return what the factory measured, from the 42 bytes at 0x8A (23), 0xE1 (14) and 0x00 (5).

    Returns:
        four tuples of ints: t1..t3; p1..p10; h1..h7; gh1, gh2, gh3, heater range, heater value, switching error.
    """
    # fmt: off
    # Fill bytes are read as B: no runtime's manual promises the code x.
    (t2, t3, _, p1, p2, p3, _, p4, p5, p7, p6, _, _, p8, p9, p10, h2, h12, h1, h3, h4, h5, h6, h7,
     t1, gh2, gh1, gh3, value, _, heater, _, switching) = unpack("<hbBHhbBhhbbBBhhBBBBbbbBbHhbbbBBBb", registers)
    # fmt: on
    return (
        (t1, t2, t3),
        (p1, p2, p3, p4, p5, p6, p7, p8, p9, p10),
        # 0xE2 is shared: its low half is H1's, its high half H2's (BME680_driver issues 1 and 24).
        (h1 << 4 | h12 & 15, h2 << 4 | h12 >> 4, h3, h4, h5, h6, h7),
        (gh1, gh2, gh3, heater >> 4 & 3, value, (switching & -16) // 16),
    )


def air_of(field, trim):
    """Return (centi_c, Pa, permille) of a field's registers, halves up; out of -40..85 C the latter two are 0."""
    fine = fine_of(_adc20(field, 5), trim[0])
    centi_c = centi_c_of(fine)
    if not -4000 <= centi_c <= 8500:
        return centi_c, 0, 0
    milli = humidity_milli_percent(field[8] << 8 | field[9], centi_c, trim[2])
    return centi_c, pressure_pa(_adc20(field, 2), fine, trim[1]), (milli + 50) // 100


def ambient_centi_c(field, trim):
    """Return the air temperature of a field's registers alone."""
    return centi_c_of(fine_of(_adc20(field, 5), trim[0]))


def _adc20(field, at):
    return field[at] << 12 | field[at + 1] << 4 | field[at + 2] >> 4


def _scaled(a, b, shift):
    """Return floor(a * b / 2**shift) where (a >> shift) * b and b << shift stay within 30 bits and a sign."""
    return (a >> shift) * b + ((a & ((1 << shift) - 1)) * b >> shift)


def _quotient(a, b):
    """Return a / b rounded toward zero as C does, b > 0."""
    return a // b if a >= 0 else -(-a // b)


def fine_of(adc, trim):
    """Return the air temperature in 1/5120 C, of any 20-bit adc."""
    t1, t2, t3 = trim
    above = (adc >> 3) - (t1 << 1)  # 18 bits with sign
    square = _scaled(above >> 1, above >> 1, 12)  # |above >> 1| <= 2**16: 2**20 + 2**28
    return _scaled(above, t2, 11) + _scaled(square, t3 << 4, 14)  # |t3 << 4| <= 2**11, square <= 2**20


def centi_c_of(fine):
    return (fine * 5 + 128) >> 8


def pressure_pa(adc, fine, trim):
    """Return the air pressure, or 0 where the registers can't be one: not above zero, or at or above 2**17 Pa.

    Args:
        adc: 20 bits.
        fine: of -40..85 C, so that |v| < 2**18 and |v >> 2| <= 41613 below.
    """
    p1, p2, p3, p4, p5, p6, p7, p8, p9, p10 = trim
    v = (fine >> 1) - 64000
    quarter = v >> 2
    # Shifts of sums are taken together where the source nests them: floor(floor(x / a) / b) = floor(x / (a * b)).
    # |_scaled| <= 845491, * 2**7 >> 2: 2**25; the second term: 2**13 * 2**15 * 2 = 2**29.
    low = (_scaled(quarter, quarter, 11) * p6 >> 2) + ((v & 8191) * p5 << 1)
    offset = (v >> 13) * p5 + (low >> 14) + (p4 << 4)
    # 211372 * 2**12 < 2**30, >> 3 << 1: 2**28; 2**13 * 2**15 = 2**28.
    low = (_scaled(quarter, quarter, 13) * (p3 << 5) >> 3 << 1) + (v & 8191) * p2
    slope = 32768 + (((v >> 13) * p2 + (low >> 13)) >> 6)  # 21 * 2**15 + 2**16 >> 6: |slope| < 2**16
    divisor = (slope * (p1 >> 8) + (slope * (p1 & 255) >> 8)) >> 7  # 2**24
    rest = 1048576 - adc - offset  # below 2**22
    if rest <= 0 or divisor <= 0:
        return 0
    late = rest > 343597  # * 3125 is 2**30 and more: Bosch doubles after the division, not before
    factor = 3125 if late else 6250
    whole = rest // divisor
    if whole > 20:
        return 0
    pa = (factor * whole + rest % divisor * factor // divisor) << late  # divisor < 2**17, * 6250 < 2**30
    if pa >> 17:
        return 0
    # pa < 2**17: 32764 * 2**15 < 2**30; 2**15 * 2**15 - 2**15 < 2**30; (2**9)**3 = 2**27, * p10 by _scaled: 2**25.
    high = pa >> 8
    more = ((pa >> 3) * (pa >> 3) >> 13) * p9 >> 12
    more += (pa >> 2) * p8 >> 13
    more += _scaled(high * high * high, p10, 17)
    return pa + ((more + (p7 << 7)) >> 4)


def humidity_milli_percent(adc, centi_c, trim):
    """Return relative humidity in 1/1000 %, 0..100000, at an air temperature of -4000..8500 centi_c; adc: 16 bits."""
    h1, h2, h3, h4, h5, h6, h7 = trim
    above = adc - h1 * 16 - (_quotient(centi_c * h3, 100) >> 1)  # 18 bits with sign
    # 8500 * 10880 < 2**27; the sum is below 41715, * 4095: 2**28.
    curve = _quotient(centi_c * _quotient(centi_c * h5, 100) >> 6, 100)
    slope = h2 * (_quotient(centi_c * h4, 100) + curve + 16384) >> 10  # below 2**18
    # linear * 1024 + low is the source's product of 31 bits and more.
    low = above * (slope & 1023)  # 2**27
    linear = above * (slope >> 10) + (low >> 10)  # 2**17 * 163 + 2**17 < 2**25
    bend = ((h6 << 7) + _quotient(centi_c * h7, 100)) >> 4  # -680..2720
    square = _scaled(linear >> 4, linear >> 4, 10)  # |linear >> 4| < 730000: below 2**29
    # 2**18 * 2720 < 2**30
    whole = linear + (square >> 11) * bend + (((low & 1023) * 2 + (square & 2047) * bend) >> 11)
    return min(max(whole, 0), 409600) * 1000 >> 12  # 409600 is 100 %


def gas_low_ohm(adc, gas_range, trim):
    """Return the BME680's gas resistance; adc: 10 bits, gas_range: 0..15."""
    high = 32767
    low = 65535
    factor = 8000000 >> gas_range
    part = 8000000 >> gas_range - 9 & 511 if gas_range > 9 else 0
    if gas_range in _GAS_FACTORS:
        high, low, factor, part = _GAS_FACTORS[gas_range]
    gain = 1340 + 5 * trim[5]  # 1300..1375
    gain = gain * high + (gain * low >> 16)  # below 2**26
    divisor = (adc << 15) - 16777216 + gain  # 25 * 10**6 .. 62 * 10**6: below 2**26
    # floor((factor + part / 512) * gain / divisor + 1/2), 58 bits in the source: long division in digits of 3 bits.
    # rest * 8 + 7 * gain < 8 * 62 * 10**6 + 7 * 46 * 10**6 < 2**30; ohm ends below 2**24.
    ohm = rest = 0
    for shift in range(21, -1, -3):
        rest = (rest << 3) + (factor >> shift & 7) * gain
        ohm = (ohm << 3) + rest // divisor
        rest %= divisor
    return ohm + (rest + (divisor >> 1) + _scaled(gain, part, 9)) // divisor


def gas_high_ohm(adc, gas_range):
    """Return the BME688's gas resistance, a multiple of 100 as Bosch's; adc: 10 bits, gas_range: 0..15."""
    divisor = 4096 + 3 * (adc - 512)  # 2560..5629
    dividend = (262144 >> gas_range) * 100  # below 2**25; * 100 again would need 32 bits
    return (dividend // divisor * 100 + dividend % divisor * 100 // divisor) * 100


def heater_code(heater_c, ambient_c, trim):
    """Return the register value that heats to 50..400 C."""
    gh1, gh2, gh3, heater_range, value, _ = trim
    ambient = _quotient(ambient_c * gh3, 1000) * 256
    # 186776 * 400 * 5 < 2**29; 701232 * 911 < 2**30.
    target = (gh1 + 784) * (((gh2 + 154009) * heater_c * 5 // 100 + 3276800) // 10)
    ohm = (ambient + target // 2) // (heater_range + 4) // (131 * value + 65536)
    return min(max((ohm - 250) * 34 + 50, 0) // 100, 255)


def heater_time_code(ms):
    """Return the register value of a duration of 1..4032 ms: 6 bits times a power of four."""
    factor = 0
    while ms > 63:
        ms >>= 2
        factor += 64
    return factor + ms
