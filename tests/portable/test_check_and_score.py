"""Readings to offsets above their channel's low; machine code, where there is some, tells only whether all is well."""

from array import array

from dibble.inference.additive import additive
from dibble.inference.decision import OUT_OF_RANGE, SENSOR_FAULT
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.inference.forest import forest
from dibble.inference.kernels.choice import KIND
from dibble.inference.kernels.generator import started
from dibble.inference.ranges import check_and_score
from support import heap_lock, heap_unlock, in_file

NO_TREES = array("i", [0]), array("i"), 129, 0, b"\0", b"\0", array("H", [7, 3])
NO_TERMS = [], [], [], [], [], array("H", [7, 3])


def by_machine_code(readings, low, high):
    """Return whether each of viper's ways to hold readings against their ranges finds them well."""
    spans = [high[i] - low[i] for i in range(len(low))]
    file, nodes = in_file([b"\0"] * 4)
    forest_score, _ = forest(file, [], tuple(nodes) + NO_TREES, low, spans)
    additive_score, _ = additive(file, NO_TERMS, low, spans)
    found = [score(readings) for score in (forest_score, additive_score)]
    assert found in ([4 << 8] * 2, [-1] * 2), (list(readings), found)
    return found[0] >= 0


def seen(row, low, high, out, raw=False):
    """Return (first missing channel + 1, first channel out of range + 1); 0 for none."""
    kernel = started(check_and_score(low, high, out, lambda values: 0, raw))
    heap_lock()
    try:
        found = kernel(row)
    finally:
        heap_unlock()
    flags, channel = ~found & 255, ~found >> 8
    assert found == 0 or flags in (SENSOR_FAULT, OUT_OF_RANGE)
    return (0, 0) if not found else (channel, 0) if flags == SENSOR_FAULT else (0, channel)


def check(readings, low, high, expected, missing=0, beyond=0):
    row, low, high = array("i", readings), array("i", low), array("i", high)
    out = array("i", [-7] * len(readings))
    bad = seen(row, low, high, out)
    assert list(out) == expected, list(out)
    assert bad == (missing, beyond), bad
    if not missing:
        assert seen(row, low, high, out, True) == bad
        assert list(out) == [low[i] + expected[i] for i in range(len(low))], list(out)
    if KIND != "bytecode":
        assert by_machine_code(row, low, high) == (bad == (0, 0)), (readings, bad)


def test_none_is_missing():
    out = array("i", [7, 7])
    assert seen([3, None], array("i", [0, 0]), array("i", [5, 5]), out) == (2, 0)
    assert list(out) == [3, -1]


def test_range_is_inclusive():
    check([10, 11, 19, 20], [10] * 4, [20] * 4, [0, 1, 9, 10])


def test_below_low_is_clamped_and_told():
    check([9], [10], [20], [0], 0, 1)


def test_above_high_is_clamped_and_told():
    check([21], [10], [20], [10], 0, 1)


def test_negative_range():
    check([-21, -20, -15, -10, -9], [-20] * 5, [-10] * 5, [0, 0, 5, 10, 10], 0, 1)


def test_range_across_zero():
    check([-6, -5, -1, 0, 1, 5, 6], [-5] * 7, [5] * 7, [0, 0, 4, 5, 6, 10, 10], 0, 1)


def test_range_of_one_value():
    check([4, 5, 6], [5] * 3, [5] * 3, [0, 0, 0], 0, 1)


def test_missing_is_no_offset():
    check([MISSING, 3], [0, 0], [5, 5], [-1, 3], 1, 0)


def test_of_missing_and_out_of_range_the_missing_is_told():
    check([1, 9, MISSING, 8, MISSING], [0] * 5, [5] * 5, [1, 5, -1, 5, -1], 3, 0)


def test_only_the_smallest_small_int_is_missing():
    check([MISSING, MISSING + 1], [-9] * 2, [9] * 2, [-1, 0], 1, 0)


def test_zero_is_not_missing():
    check([0], [-READING_LIMIT + 1], [0], [READING_LIMIT - 1])


def test_extreme_readings_in_a_narrow_range():
    check([-READING_LIMIT, READING_LIMIT], [-5] * 2, [5] * 2, [0, 10], 0, 1)


def test_extreme_readings_at_the_low_end():
    low = 1 - READING_LIMIT
    check([-READING_LIMIT, low, READING_LIMIT, MISSING], [low] * 4, [low + 9] * 4, [0, 0, 9, -1], 4, 0)


def test_extreme_readings_at_the_high_end():
    high = READING_LIMIT - 1
    check([-READING_LIMIT, high, READING_LIMIT, MISSING], [high - 9] * 4, [high] * 4, [0, 9, 9, -1], 4, 0)


def test_widest_range_from_zero():
    high = READING_LIMIT - 1
    check([-READING_LIMIT, -1, 0, high, READING_LIMIT], [0] * 5, [high] * 5, [0, 0, 0, high, high], 0, 1)


def test_widest_range_around_zero():
    low, high = -536870911, 536870912
    check([low - 1, low, 0, high, high + 1], [low] * 5, [high] * 5, [0, 0, 536870911, 2**30 - 1, 2**30 - 1], 0, 1)


def test_many_channels():
    n = 200
    check(list(range(n)), [0] * n, [n] * n, list(range(n)))
    check([0] * (n - 1) + [MISSING], [0] * n, [n] * n, [0] * (n - 1) + [-1], n, 0)
    check([0] * (n - 1) + [-1], [0] * n, [n] * n, [0] * n, 0, n)
