"""Windows of readings: how they fill, restart, and what each kind computes."""

from dibble.inference.features import ABOVE, DELTA, EMA, LAST, MAX, MEAN, MIN, SLOPE, ema_shift
from dibble.inference.fixed_point import READING_LIMIT
from dibble.inference.kernels.features_bytecode import Windows


def values(kind, size, span, series):
    windows = Windows([(0, kind, size)], [span], 1000)
    return [windows.push([offset])[0] for offset in series]


def test_last_is_the_reading():
    assert values(LAST, 1, 100, [0, 100, 7]) == [0, 100, 7]


def test_mean_starts_as_if_the_first_reading_had_always_been():
    assert values(MEAN, 4, 100, [8, 0, 0, 0, 0]) == [8, 6, 4, 2, 0]


def test_mean_rounds_halves_up():
    assert values(MEAN, 2, 9, [0, 1, 2, 2, 3]) == [0, 1, 2, 2, 3]
    assert values(MEAN, 4, 9, [0, 1, 1, 1]) == [0, 0, 1, 1]


def test_min_and_max_forget_what_leaves_the_window():
    series = [5, 9, 5, 5, 1, 5, 5]
    assert values(MIN, 3, 10, series) == [5, 5, 5, 5, 1, 1, 1]
    assert values(MAX, 3, 10, series) == [5, 9, 9, 9, 5, 5, 5]


def test_delta_is_newest_less_oldest_above_the_span():
    assert values(DELTA, 3, 10, [4, 6, 10, 0, 0, 0]) == [10, 12, 16, 4, 0, 10]


def test_slope_of_a_ramp_is_its_rise():
    assert values(SLOPE, 3, 100, [10, 10, 10, 20, 30, 40])[-1] == 200 + 20
    assert values(SLOPE, 3, 100, [40, 30, 20])[-1] == 200 - 20


def test_slope_rounds_halves_toward_plus_infinity():
    # Four readings 0, 0, 0, y: the line rises 0.9 y. So 5 makes 4.5, and -5 makes -4.5.
    assert values(SLOPE, 4, 10, [0, 0, 0, 5])[-1] == 20 + 5
    assert values(SLOPE, 4, 10, [5, 5, 5, 0])[-1] == 20 - 4


def test_steepest_slope_rises_half_more_than_the_span():
    assert values(SLOPE, 4, 10, [0, 0, 10, 10])[-1] == 20 + 12
    assert values(SLOPE, 4, 10, [10, 10, 0, 0])[-1] == 20 - 12


def test_window_of_two_slopes_like_its_delta():
    assert values(SLOPE, 2, 10, [3, 10, 0]) == [20, 27, 10]


def test_ema_follows_by_its_power_of_two():
    # Size 3 takes half of each difference, rounded down.
    assert values(EMA, 3, 100, [0, 8, 8, 8, 8, 0]) == [0, 4, 6, 7, 7, 4]
    assert values(EMA, 1, 100, [0, 8, 3]) == [0, 8, 3]


def test_above_is_the_reading_less_its_ema_and_the_span():
    assert values(ABOVE, 3, 100, [0, 8, 8, 8, 8, 0]) == [100, 104, 102, 101, 101, 96]
    assert values(ABOVE, 255, 100, [100, 0, 0]) == [100, 1, 2]


def test_constant_readings_change_nothing():
    for kind, expected in ((LAST, 7), (MEAN, 7), (MIN, 7), (MAX, 7), (EMA, 7), (ABOVE, 9), (DELTA, 9), (SLOPE, 18)):
        assert values(kind, 5, 9, [7] * 12) == [expected] * 12


def test_largest_readings_are_exact():
    span = READING_LIMIT >> 8
    assert values(MEAN, 255, span, [span] * 3) == [span] * 3
    assert values(EMA, 255, span, [span] * 3) == [span] * 3


def test_missing_reading_restarts_its_windows_only():
    windows = Windows([(0, MEAN, 2), (1, MEAN, 2)], [100, 100], 1000)
    assert list(windows.push([10, 10])) == [10, 10]
    assert windows.push([20, 20])[1] == 15
    assert windows.push([-1, 40])[1] == 30
    assert list(windows.push([50, 60])) == [50, 50]


def test_restart_forgets_all_readings():
    windows = Windows([(0, kind, 3) for kind in (MEAN, MIN, MAX, DELTA, SLOPE, EMA)], [10], 1000)
    for offset in (1, 9, 4):
        windows.push([offset])
    windows.restart()
    assert list(windows.push([5])) == [5, 5, 5, 10, 20, 5]


def test_gap_is_anything_but_one_interval_give_or_take_half():
    windows = Windows([], [], 1000)
    assert [windows.is_gap(ms) for ms in (499, 500, 1000, 1500, 1501)] == [True, False, False, False, True]
    assert windows.is_gap(-1) and windows.is_gap(0)


def test_odd_interval_is_halved_downwards():
    windows = Windows([], [], 7)
    assert [windows.is_gap(ms) for ms in (3, 4, 10, 11)] == [True, False, False, True]


def test_ema_shift_is_the_power_of_two_nearest_to_the_usual_weight():
    # Nearest by ratio: 2**-s >= 3 / 4 of 2 / (size + 1), and 2**-(s - 1) is beyond 3 / 2 of it.
    sizes = (1, 2, 4, 5, 10, 11, 22, 23, 46, 47, 94, 95, 190, 191, 255)
    assert [ema_shift(size) for size in sizes] == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]
