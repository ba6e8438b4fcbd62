"""The BME680's compensation with the heap locked: on a 32-bit VM the first int beyond 31 bits is a MemoryError.

The expected values are the formulas of BoschSensortec BME68x_SensorAPI v4.4.5 in unlimited ints, and some that its C
gave, retyped and compiled by gcc with -fwrapv.
"""

from dibble.drivers.bme680_compensation import (
    centi_c_of,
    fine_of,
    gas_high_ohm,
    gas_low_ohm,
    heater_code,
    heater_time_code,
    humidity_milli_percent,
    pressure_pa,
    trim_of,
)
from support import Random, heap_lock, heap_unlock

# A real sensor's (github.com/pimoroni/bme680-python, issue 11).
T = (26041, 26469, 3)
P = (36673, -10515, 88, 7310, -129, 30, 46, -3177, -2379, 30)
H = (676, 1029, 0, 45, 20, 120, -100)
G = (-30, -24754, 18, 1, 48, 0)
REGISTERS = (
    b"eg\x03\x00A\x8f\xed\xd6X\x00\x8e\x1c\x7f\xff.\x1e\x00\x00\x97\xf3\xb5\xf6\x1e"
    b"@T*\x00-\x14x\x9c\xb9eN\x9f\xe2\x12"
    b"0\x00\x10\x00\x00"
)
# Counts, coefficients, switching error, and centi_c, Pa, 1/1000 % and ohm of the compiled C.
# fmt: off
CASES = (
    ((340299, 712360, 27558, 120, 6), T, P, H, 0, (-2409, 34306, 94740, 176688)),
    ((562569, 716785, 23532, 494, 0), T, P, H, 0, (4605, 38054, 75633, 8108926)),
    ((644462, 515178, 20774, 431, 3), (27053, 25581, 2), (37035, -10782, 83, 8477, 215, 19, -27, -701, -2840, 30),
     (842, 1021, -5, 34, 33, 132, -90), 6, (6455, 70535, 43907, 1062839)),
    ((626393, 660897, 18260, 117, 10), (27259, 26277, 10), (35759, -10285, 65, 5577, -151, 24, 18, -976, -2418, 30),
     (631, 1085, 3, 32, 8, 113, -85), 6, (5966, 55239, 44762, 10986)),
    ((638838, 750794, 15581, 346, 14), (25979, 26616, 1), (34998, -10811, 64, 8994, -121, 37, 56, -3106, -2952, 30),
     (898, 961, 5, 34, 23, 120, -99), -1, (7082, 30074, 4863, 558)),
    ((656163, 364707, 17749, 135, 13), (27437, 25697, 8), (37873, -10098, 86, 7044, -14, 33, -17, -4067, -2829, 30),
     (640, 1008, 2, 36, 30, 130, -99), -3, (6659, 99297, 42794, 1370)),
    ((475568, 607903, 14264, 105, 4), (25536, 25661, 5), (36061, -10894, 80, 7786, -18, 32, -21, -3231, -2808, 30),
     (675, 955, -5, 41, 27, 115, -103), -8, (2050, 53773, 14711, 727156)),
)
# fmt: on
# How many bits the coefficients have; those below zero have a sign.
T_SIZES = (16, -16, -8)
P_SIZES = (16, -16, -8, -16, -16, -8, -8, -16, -16, 8)
H_SIZES = (12, 12, -8, -8, -8, 8, -8)
G_SIZES = (-8, -16, -8, 2, -8, -4)


def locked(question):
    heap_lock()
    try:
        return question()
    finally:
        heap_unlock()


def c_div(a, b):
    return a // b if a >= 0 else -(-a // b)


def naive_fine(adc, trim):
    t1, t2, t3 = trim
    a = (adc >> 3) - (t1 << 1)
    return (a * t2 >> 11) + (((a >> 1) * (a >> 1) >> 12) * (t3 << 4) >> 14)


def naive_pressure(adc, fine, trim):
    p1, p2, p3, p4, p5, p6, p7, p8, p9, p10 = trim
    v = (fine >> 1) - 64000
    square = (v >> 2) * (v >> 2)
    b = ((((square >> 11) * p6 >> 2) + (v * p5 << 1)) >> 2) + (p4 << 16)
    a = (((square >> 13) * (p3 << 5) >> 3) + (p2 * v >> 1)) >> 18
    a = (32768 + a) * p1 >> 15
    p = (1048576 - adc - (b >> 12)) * 3125
    if p <= 0 or a <= 0:
        return 0
    p = p // a << 1 if p >= 1 << 30 else (p << 1) // a
    if p >= 1 << 17:
        return 0
    more = p9 * ((p >> 3) * (p >> 3) >> 13) >> 12
    more += (p >> 2) * p8 >> 13
    more += (p >> 8) * (p >> 8) * (p >> 8) * p10 >> 17
    return p + ((more + (p7 << 7)) >> 4)


def naive_humidity(adc, t, trim):
    h1, h2, h3, h4, h5, h6, h7 = trim
    a = adc - h1 * 16 - (c_div(t * h3, 100) >> 1)
    b = h2 * (c_div(t * h4, 100) + c_div(t * c_div(t * h5, 100) >> 6, 100) + (1 << 14)) >> 10
    c = a * b
    d = ((h6 << 7) + c_div(t * h7, 100)) >> 4
    e = d * ((c >> 14) * (c >> 14) >> 10) >> 1
    return min(max(((c + e) >> 10) * 1000 >> 12, 0), 100000)


FIRST = (2147483647, 2126008810, 2130303777, 2143188679, 2136746228)
FIRST_OF = b"\0\0\0\0\0\1\0\2\0\0\3\4\0\1\0\0"
SECOND = {4: 255744255, 5: 127110228, 7: 32258064, 8: 16016016}


def naive_gas_low(adc, gas_range, error):
    a = (1340 + 5 * error) * FIRST[FIRST_OF[gas_range]] >> 16
    b = (adc << 15) - 16777216 + a
    return ((SECOND.get(gas_range, 4096000000 >> gas_range) * a >> 9) + (b >> 1)) // b


def naive_gas_high(adc, gas_range):
    return 10000 * (262144 >> gas_range) // (4096 + 3 * (adc - 512)) * 100


def naive_heater(c, ambient, trim):
    gh1, gh2, gh3, heater_range, value, _ = trim
    a = c_div(ambient * gh3, 1000) * 256
    b = (gh1 + 784) * ((((gh2 + 154009) * c * 5) // 100 + 3276800) // 10)
    code = c_div(c_div(c_div(a + b // 2, heater_range + 4), 131 * value + 65536) * 34 - 250 * 34 + 50, 100)
    return min(max(code, 0), 255)


def random_bits(random, size):
    """Return an int of so many bits, or, with a sign, of two's complement; one in four is an extreme."""
    bits = abs(size)
    value = (random.below(1 << 10) << 10 | random.below(1 << 10)) >> 20 - bits
    if not random.below(4):
        value = (0, (1 << bits) - 1, 1 << bits - 1, (1 << bits - 1) - 1)[random.below(4)]
    return value - ((value >> bits - 1) << bits) if size < 0 else value


def random_trim(random, sizes):
    return tuple([random_bits(random, size) for size in sizes])


def check(adc_t, adc_p, adc_h, t, p, h):
    """Check one reading against the formulas; out of -40..85 C the temperature alone."""
    fine = locked(lambda: fine_of(adc_t, t))
    assert fine == naive_fine(adc_t, t), (adc_t, t)
    centi_c = locked(lambda: centi_c_of(fine))
    assert centi_c == (fine * 5 + 128) >> 8
    if -4000 <= centi_c <= 8500:
        assert locked(lambda: pressure_pa(adc_p, fine, p)) == naive_pressure(adc_p, fine, p), (adc_p, fine, p)
        assert locked(lambda: humidity_milli_percent(adc_h, centi_c, h)) == naive_humidity(adc_h, centi_c, h), (
            adc_h,
            fine,
            h,
        )
        return True
    return False


def test_what_the_c_gave():
    assert fine_of(501240, T) == 136667
    assert centi_c_of(136667) == 2669
    assert pressure_pa(353485, 136667, P) == 98711
    assert humidity_milli_percent(19019, 2669, H) == 42402
    assert gas_low_ohm(0, 0, G) == 12946860
    for (adc_t, adc_p, adc_h, gas, gas_range), t, p, h, error, expected in CASES:
        fine = fine_of(adc_t, t)
        centi_c = centi_c_of(fine)
        assert (
            centi_c,
            pressure_pa(adc_p, fine, p),
            humidity_milli_percent(adc_h, centi_c, h),
            gas_low_ohm(gas, gas_range, (0, 0, 0, 0, 0, error)),
        ) == expected
    assert [heater_code(*wish, G) for wish in ((200, -40), (320, 25), (400, 85))] == [78, 106, 124]


def test_trim_is_taken_apart():
    registers = bytearray(REGISTERS)
    assert trim_of(registers) == (T, P, H, G)
    registers[41] = 0x8F
    assert trim_of(registers)[3][5] == -8
    registers[41] = 0x70
    assert trim_of(registers)[3][5] == 7
    registers[39] = 0xFF
    assert trim_of(registers)[3][3] == 3


def test_h1_is_the_low_half_of_0xe2():
    registers = bytearray(42)
    registers[23:26] = b"\x12\x3a\x45"
    assert trim_of(registers)[2][:2] == (0x45A, 0x123)


def test_random_readings_of_a_real_sensor():
    random = Random(1)
    for _ in range(400):
        # Counts of -36..77 C.
        assert check(300000 + random.below(1 << 16) * 5, random_bits(random, 20), random_bits(random, 16), T, P, H)


def test_any_registers_at_all():
    random = Random(2)
    inside = 0
    for _ in range(1500):
        t = random_trim(random, T_SIZES)
        if random.below(3):
            t = T  # so that most are within -40..85 C
        p, h = random_trim(random, P_SIZES), random_trim(random, H_SIZES)
        inside += check(random_bits(random, 20), random_bits(random, 20), random_bits(random, 16), t, p, h)
    assert inside > 500


def test_coldest_and_hottest_with_every_coefficient_at_its_ends():
    for centi_c in (-4000, 8500):
        fine = centi_c * 256 // 5
        for ends in (0, 1):
            for odd in range(10):
                p = tuple([end(size, ends ^ (at == odd)) for at, size in enumerate(P_SIZES)])
                for adc in (0, 1, 400000, 0xFFFFF):
                    assert locked(lambda: pressure_pa(adc, fine, p)) == naive_pressure(adc, fine, p), (adc, fine, p)
            for odd in range(7):
                h = tuple([end(size, ends ^ (at == odd)) for at, size in enumerate(H_SIZES)])
                for adc in (0, 1, 20000, 0xFFFF):
                    got = locked(lambda: humidity_milli_percent(adc, centi_c, h))
                    assert got == naive_humidity(adc, centi_c, h), (adc, centi_c, h)


def end(size, upper):
    if size > 0:
        return (1 << size) - 1 if upper else 0
    return (1 << -size - 1) - 1 if upper else -(1 << -size - 1)


def test_divisor_of_nothing_is_no_pressure():
    assert pressure_pa(353485, 136667, (0,) + P[1:]) == 0
    assert pressure_pa(0xFFFFF, 136667, P[:3] + (32767,) + P[4:]) == 0


def test_doubling_before_and_after_the_division():
    """Beside the count where Bosch's product reaches 2**30: (343597, 343598) * 3125."""
    trim = (40000,) + (0,) * 9
    assert locked(lambda: pressure_pa(1048576 - 343597, 128000, trim)) == 53687  # 2 * 26843.515
    assert locked(lambda: pressure_pa(1048576 - 343598, 128000, trim)) == 53686  # 2 * 26843.594, rounded down first


def test_gas_of_every_range_and_error():
    for error in range(-8, 8):
        trim = (0, 0, 0, 0, 0, error)
        for gas_range in range(16):
            for adc in (0, 1, 511, 512, 513, 777, 1023):
                assert locked(lambda: gas_low_ohm(adc, gas_range, trim)) == naive_gas_low(adc, gas_range, error)


def test_gas_of_the_bme688():
    for gas_range in range(16):
        for adc in (0, 1, 511, 512, 513, 777, 1023):
            assert locked(lambda: gas_high_ohm(adc, gas_range)) == naive_gas_high(adc, gas_range)
    assert gas_high_ohm(0, 0) == 102400000
    assert gas_high_ohm(1023, 15) == 1400


def test_heater_codes():
    random = Random(3)
    for _ in range(300):
        trim = random_trim(random, G_SIZES)
        heater_c = 200 + random.below(201)
        ambient_c = random.below(126) - 40
        assert locked(lambda: heater_code(heater_c, ambient_c, trim)) == naive_heater(heater_c, ambient_c, trim), trim
    for trim in ((127, 32767, 127, 0, -128, 0), (-128, -32768, -128, 3, 127, 0)):
        for heater_c in (200, 400):
            assert locked(lambda: heater_code(heater_c, 85, trim)) == naive_heater(heater_c, 85, trim)


def test_heater_times():
    expected = ((1, 1), (63, 63), (64, 80), (150, 101), (252, 127), (255, 127), (256, 144), (1000, 190), (4032, 255))
    assert [(ms, locked(lambda: heater_time_code(ms))) for ms, _ in expected] == list(expected)
