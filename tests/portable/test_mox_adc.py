"""A metal-oxide sensor's resistance, and its baseline."""

from dibble.drivers.mox_adc import BASELINE_BITS, next_baseline, resistance_ohm
from support import heap_lock, heap_unlock


def test_half_the_supply_is_the_load():
    assert resistance_ohm(1650000, 3300000, 10000) == 10000


def test_rounds_halves_up():
    # 1000 * (3000 - 2000) / 2000 = 500; the others by hand.
    assert resistance_ohm(2000000, 3000000, 1000) == 500
    assert resistance_ohm(2000000, 3000000, 1001) == 501
    assert resistance_ohm(1900000, 3300000, 10000) == 7368


def test_the_ends_of_what_counts_as_plugged_in():
    assert resistance_ohm(33000, 3300000, 10000) == 990000
    assert resistance_ohm(32999, 3300000, 10000) is None
    assert resistance_ohm(3267000, 3300000, 10000) == 101
    assert resistance_ohm(3267001, 3300000, 10000) is None
    assert resistance_ohm(0, 3300000, 10000) is None
    assert resistance_ohm(4000000, 3300000, 10000) is None


def test_the_largest_resistance_takes_small_ints_only():
    heap_lock()
    try:
        ohm = resistance_ohm(55000, 5500000, 1000000)
        up = next_baseline(0, 30000)
        down = next_baseline(30000 << BASELINE_BITS, 0)
    finally:
        heap_unlock()
    assert (ohm, up, down) == (99000000, 30000 << 10, 122760000)


def test_the_smallest_resistance_is_an_ohm():
    assert resistance_ohm(99000, 100000, 100) == 1


def test_the_baseline_rises_by_a_quarter_and_falls_by_a_1024th():
    at_16000 = 16000 << BASELINE_BITS
    assert next_baseline(at_16000, 16000) == at_16000
    assert next_baseline(at_16000, 17000) == 16250 << BASELINE_BITS
    assert next_baseline(at_16000, 14976) == 15999 << BASELINE_BITS


def test_the_baseline_reaches_both():
    baseline = 16000 << BASELINE_BITS
    for _ in range(60):
        baseline = next_baseline(baseline, 17000)
    assert (baseline + 2048) >> BASELINE_BITS == 17000
    for _ in range(15000):
        baseline = next_baseline(baseline, 16000)
    assert (baseline + 2048) >> BASELINE_BITS == 16000
