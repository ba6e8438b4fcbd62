"""Rounding, and the limits of a small int."""

from dibble.inference.fixed_point import MISSING, READING_LIMIT, divide


def test_divide_rounds_positive_halves_up():
    assert [divide(n, 4) for n in range(9)] == [0, 0, 1, 1, 1, 1, 2, 2, 2]


def test_divide_rounds_negative_halves_toward_plus_infinity():
    assert [divide(n, 4) for n in range(-8, 0)] == [-2, -2, -1, -1, -1, -1, 0, 0]


def test_divide_by_an_odd_number_has_no_ties():
    assert [divide(n, 3) for n in range(-5, 6)] == [-2, -1, -1, -1, 0, 0, 0, 1, 1, 1, 2]


def test_divide_by_one_changes_nothing():
    assert [divide(n, 1) for n in (MISSING, -1, 0, 1, READING_LIMIT)] == [MISSING, -1, 0, 1, READING_LIMIT]


def test_divide_is_exact_at_the_limits():
    assert divide(READING_LIMIT - 1, 2) == 536870911
    assert divide(-READING_LIMIT, 2) == -536870911
    assert divide(READING_LIMIT - 127, 255) == 4210752
    assert divide(-READING_LIMIT, READING_LIMIT) == -1


def test_limits_are_those_of_a_31_bit_small_int():
    assert (READING_LIMIT, MISSING) == (2**30 - 1, -(2**30))
