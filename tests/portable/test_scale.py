"""Feature values to codes by multiplier, shift and logarithm, in each kernel set this VM has."""

from array import array

from dibble.inference.scale import scale
from support import Random, heap_lock, heap_unlock

try:
    from dibble.inference.kernels.additive_plan import additive
except (ImportError, SyntaxError, NameError):
    additive = None

LIMIT = 0x3FFFFFFF


def by_machine_code(scalers, values):
    """Return the codes that machine code computes: each is the score of a class of its own."""
    n = len(scalers)
    file = bytes(256 * n) + bytes(range(256)) + bytes(256 * n)
    whole = memoryview(file)
    # Of term i, the table of class i + 1 is each code itself, those of the other classes are zeros.
    tables = [[whole[256 * (n - i + k) :][:256] for k in range(n)] for i in range(n)]
    parts = scalers, list(range(n)), [], tables, [], array("H", [0] * (n + 1))
    score, out = additive(file, parts, array("i", [0] * len(values)), [LIMIT] * len(values))
    assert score(values) >= 0
    return list(out)[1:]


def codes_of(values, scalers, limits=None):
    """Return the codes of a row, as with and, where limits are given, without clamping."""
    row = array("i", values)
    codes = bytearray([77] * len(scalers))
    run = scale(scalers, limits or [LIMIT] * len(values), codes)
    heap_lock()
    try:
        run(row)
    finally:
        heap_unlock()
    once = len(set([scaler[0] for scaler in scalers])) == len(scalers)
    assert not additive or not once or by_machine_code(scalers, row) == list(codes), (values, scalers, list(codes))
    return list(codes)


def code(value, drop=0, bias=0, zero_point=0, multiplier=1, shift=0, top=255):
    return codes_of([value], [(0, drop, bias, zero_point, multiplier, shift, top)])[0]


def naive(value, drop, bias, zero_point, multiplier, shift, top):
    if bias:
        value += bias
        e = 0
        while 2 << e <= value:
            e += 1
        above = value - (1 << e)  # of 2**e in 1/256, rounded down
        u = 256 * e + (above >> (e - 8) if e > 8 else above << (8 - e))
    else:
        u = value // (1 << drop)
    return min(max((u - zero_point) * multiplier // (1 << shift), 0), top)


def test_value_at_the_zero_point_is_code_0():
    assert [code(value, 0, 0, 100) for value in (99, 100, 101)] == [0, 0, 1]


def test_value_below_the_zero_point_is_code_0():
    assert code(0, 0, 0, 32767, 127, 0) == 0
    assert code(0, 0, 0, 32767, 127, 29) == 0
    assert code(0, 0, 0, 1, 1, 29) == 0


def test_codes_round_down():
    assert [code(value, 0, 0, 3, 1, 1) for value in range(8)] == [0, 0, 0, 0, 0, 1, 1, 2]
    assert [code(value, 0, 0, 0, 3, 2) for value in range(8)] == [0, 0, 1, 2, 3, 3, 4, 5]


def test_codes_end_at_the_top():
    assert [code(value) for value in (254, 255, 256, 32767)] == [254, 255, 255, 255]
    assert [code(value, 0, 0, 0, 1, 0, 15) for value in (14, 15, 16)] == [14, 15, 15]
    assert [code(value, 0, 0, 0, 1, 0, 1) for value in (0, 1, 2)] == [0, 1, 1]


def test_largest_product_is_exact():
    assert code(32767, 0, 0, 0, 127, 0) == 255
    assert code(32767, 0, 0, 0, 127, 14) == 253  # 4161409 : 16384 = 253.99
    assert code(32767, 0, 0, 0, 127, 29) == 0


def test_drop_comes_before_the_zero_point():
    assert [code(value, 4, 0, 2) for value in (31, 32, 47, 48, 63, 64)] == [0, 0, 0, 1, 1, 2]
    assert code(LIMIT, 15, 0, 32767 - 9) == 9
    assert code(LIMIT - 32768, 15, 0, 32767 - 9) == 8


def test_logarithm_at_powers_of_two_and_beside_them():
    logs = (
        (1, 0),
        (2, 256),
        (3, 384),
        (128, 1792),
        (255, 2046),
        (256, 2048),
        (257, 2049),
        (511, 2303),
        (512, 2304),
        (513, 2304),
        (514, 2305),
        (8191, 3327),
        (8192, 3328),
        (131071, 4351),
        (131072, 4352),
        (536870911, 7423),
        (536870912, 7424),
        (LIMIT, 7679),
    )
    for value, u in logs:
        assert code(value - 1, 0, 1, max(u - 7, 0)) == min(u, 7), value
        assert code(0, 0, value, max(u - 7, 0)) == min(u, 7), value


def test_logarithm_below_the_zero_point_is_code_0():
    assert code(0, 0, 1, 1, 127, 0) == 0
    assert code(0, 0, 1, 7679, 127, 0) == 0
    assert code(0, 0, 255, 2047, 1, 0) == 0


def test_drop_of_a_logarithm_is_not_used():
    assert code(255, 15, 1, 2048 - 9) == 9


def test_linear_and_logarithmic_side_by_side():
    scalers = [
        (2, 0, 0, 10, 1, 0, 255),
        (0, 0, 100, 1792, 1, 2, 200),
        (1, 3, 0, 0, 5, 1, 15),
        (3, 0, 1, 0, 1, 5, 255),
    ]
    assert codes_of([28, 17, 14, 65535], scalers) == [4, 0, 5, 128]
    assert codes_of([156, 999, 9, 0], scalers) == [0, 64, 15, 0]


def test_feature_used_twice_and_feature_unused():
    assert codes_of([5, 6, 7], [(2, 0, 0, 0, 1, 0, 255), (0, 0, 0, 0, 1, 0, 255), (2, 0, 0, 1, 1, 0, 255)]) == [7, 5, 6]


def test_no_scalers():
    assert codes_of([5], []) == []


def test_random_scalers_agree_with_the_definition():
    random = Random(1)
    for _ in range(60):
        linear = (
            random.below(16),
            0,
            random.below(32768),
            random.below(127) + 1,
            random.below(22),
            random.below(255) + 1,
        )
        logarithmic = (0, random.below(30000) + 1, random.below(7680), random.below(127) + 1, random.below(16), 255)
        value = random.below(65536) << random.below(15) >> random.below(15)
        values = [min(value, (32768 << linear[0]) - 1), value]
        expected = [naive(values[0], *linear), naive(value, *logarithmic)]
        assert codes_of(values, [(0,) + linear, (1,) + logarithmic]) == expected, (values, linear, logarithmic)


def test_a_scaler_that_nothing_can_leave_needs_no_clamp():
    for limit, multiplier, shift, top in (
        (255, 1, 0, 255),
        (256, 1, 0, 255),
        (32767, 127, 14, 254),
        (32767, 127, 14, 253),
    ):
        for value in (0, 1, limit - 1, limit):
            got = codes_of([value], [(0, 0, 0, 0, multiplier, shift, top)], [limit])
            assert got == [min(value * multiplier >> shift, top)]
