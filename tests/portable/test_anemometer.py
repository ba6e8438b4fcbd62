"""From closures to speeds."""

from dibble.drivers.anemometer import speed_cm_s
from support import heap_lock, heap_unlock


def test_one_closure_a_second_is_two_and_a_half_kilometres_an_hour():
    assert speed_cm_s(3, 667, 3000) == 67
    assert speed_cm_s(300, 667, 3000) == 6670


def test_rounds_halves_up():
    assert [speed_cm_s(n, 667, 3000) for n in (0, 1, 2)] == [0, 22, 44]
    assert speed_cm_s(1, 15, 3000) == 1
    assert speed_cm_s(1, 14, 3000) == 0


def test_the_most_closures_take_small_ints_only():
    heap_lock()
    try:
        a = speed_cm_s(200000, 2000, 200000)
        b = speed_cm_s(10000, 2000, 10000)
    finally:
        heap_unlock()
    assert (a, b) == (200000, 200000)
