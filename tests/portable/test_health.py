"""A sensor that says the same for ever, or jumps."""

from dibble import SensorError
from dibble.health import AGREE, Health
from dibble.inference.fixed_point import MISSING


def seen(health, *readings):
    """Return what is left of each reading of one channel, which is its own raw value; "stuck" where that is said."""
    out = []
    for reading in readings:
        values = [7, reading]
        try:
            at = health.check_plausible(values, 1, reading)
            assert at == (0 if values[1] != reading else -1)
            out.append(values[1])
        except SensorError:
            out.append("stuck")
        assert values[0] == 7
    return out


def test_small_steps_are_left_alone():
    assert seen(Health(1, 0, (10,)), 100, 110, 100, 90) == [100, 110, 100, 90]


def test_one_jump_is_doubted():
    assert seen(Health(1, 0, (10,)), 100, 500, 101, 102) == [100, MISSING, 101, 102]


def test_jumps_that_disagree_are_doubted_for_ever():
    assert seen(Health(1, 0, (10,)), 100, 500, 900, 300, 700, 99) == [100] + 4 * [MISSING] + [99]


def test_the_third_reading_that_agrees_is_believed():
    assert AGREE == 3
    assert seen(Health(1, 0, (10,)), 100, 500, 505, 510, 515) == [100, MISSING, MISSING, 510, 515]


def test_a_missing_reading_ends_an_agreement():
    assert seen(Health(1, 0, (10,)), 100, 500, MISSING, 500, 500, 500) == [100, MISSING, MISSING, MISSING, MISSING, 500]


def test_the_first_reading_has_nothing_to_jump_from():
    assert seen(Health(1, 0, (10,)), 30000, 30001) == [30000, 30001]


def test_steps_of_zero_and_none_doubt_nothing():
    assert seen(Health(1, 0, (0,)), 1, 1000) == [1, 1000]
    assert seen(Health(1, 0, ()), 1, 1000) == [1, 1000]


def test_the_largest_step_that_counts_as_none():
    assert seen(Health(1, 0, (10,)), 100, 111, 89) == [100, MISSING, MISSING]


def test_the_place_of_the_first_channel_that_is_doubted():
    health = Health(3, 0, (10, 10, 10))
    assert health.check_plausible([1, 2, 3], 0, None) == -1
    values = [5, 200, 300]
    assert health.check_plausible(values, 0, None) == 1
    assert values == [5, MISSING, MISSING]
    assert (health.good[1], health.last[1]) == (2, 200)


def test_stuck_after_so_many_repeats():
    assert seen(Health(1, 3, ()), 5, 5, 5, 5, 5, 6, 6) == [5, 5, 5, "stuck", "stuck", 6, 6]


def test_a_reading_at_a_limit_is_not_stuck_while_what_it_is_made_of_moves():
    health = Health(1, 3, ())
    for raw in range(40):
        assert health.check_plausible([0], 0, raw) == -1


def test_a_moving_reading_of_a_raw_value_that_rests_is_stuck():
    health = Health(1, 3, ())
    for reading in (1, 2, 3):
        health.check_plausible([reading], 0, (5, 6))
    try:
        health.check_plausible([4], 0, (5, 6))
        raise AssertionError("expected it to be stuck")
    except SensorError as error:
        text = str(error)
    try:
        health.check_plausible([4], 0, (5, 6))
        raise AssertionError("expected it to be stuck")
    except SensorError as error:
        assert str(error) == text == "expected raw values that change by their noise, got the same 4 times: stuck"


def test_one_raw_value_that_moves_is_enough():
    health = Health(2, 2, ())
    for moving in range(6):
        health.check_plausible([4, 4], 0, [4, moving])
    health.check_plausible([4, 4], 0, [4, 5])
    try:
        health.check_plausible([4, 4], 0, [4, 5])
        raise AssertionError("expected it to be stuck")
    except SensorError as error:
        assert "the same 3 times" in str(error)


def test_never_stuck_without_a_limit():
    assert seen(Health(1, 0, ()), *([3] * 50)) == [3] * 50
