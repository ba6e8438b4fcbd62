"""From a probe's voltage to soil moisture."""

from dibble.drivers.soil_adc import moisture_permille
from support import heap_lock, heap_unlock


def test_the_ends_of_the_curve():
    assert [moisture_permille(uv, 2300, 1200) for uv in (2300000, 1200000)] == [0, 1000]


def test_the_line_between_rounds_halves_up():
    # 1100 mV span: a permille is 1100 uV.
    found = [moisture_permille(2300000 - uv, 2300, 1200) for uv in (549, 550, 1649, 1650, 550000, 1099449, 1099450)]
    assert found == [0, 1, 1, 2, 500, 999, 1000]


def test_a_curve_that_rises():
    assert [moisture_permille(uv, 1000, 2000) for uv in (1000000, 1250000, 1250499, 1250500, 2000000)] == [
        0,
        250,
        250,
        251,
        1000,
    ]


def test_a_quarter_beyond_an_end_is_that_end():
    assert moisture_permille(2575000, 2300, 1200) == 0
    assert moisture_permille(2575001, 2300, 1200) is None
    assert moisture_permille(925000, 2300, 1200) == 1000
    assert moisture_permille(924999, 2300, 1200) is None


def test_a_quarter_beyond_an_end_of_a_curve_that_rises():
    assert moisture_permille(750000, 1000, 2000) == 0
    assert moisture_permille(749999, 1000, 2000) is None
    assert moisture_permille(2250000, 1000, 2000) == 1000
    assert moisture_permille(2250001, 1000, 2000) is None


def test_the_shortest_and_the_longest_span():
    assert [moisture_permille(uv, 1000, 1100) for uv in (1000049, 1000050, 1099950)] == [0, 1, 1000]
    assert [moisture_permille(uv, 5000, 0) for uv in (0, 2499, 2500, 2500000, 5000000)] == [1000, 1000, 1000, 500, 0]
    assert moisture_permille(2501, 5000, 0) == 999


def test_takes_small_ints_only():
    heap_lock()
    try:
        a = moisture_permille(10000000, 5000, 0)
        b = moisture_permille(1, 5000, 0)
    finally:
        heap_unlock()
    assert (a, b) == (None, 1000)
