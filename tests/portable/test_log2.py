"""The binary logarithm in thousandths."""

from dibble.drivers.log2 import millilog2
from support import heap_lock, heap_unlock


def test_powers_of_two_are_exact():
    assert [millilog2(1 << k) for k in range(30)] == [1000 * k for k in range(30)]


def test_known_logarithms():
    # 1000 * log2(n): 1584.96, 2321.93, 2807.35, 3321.93, 9965.78, 13287.71, 16913.64
    assert [millilog2(n) for n in (3, 5, 7, 10, 1000, 10000, 123456)] == [1585, 2322, 2807, 3322, 9966, 13288, 16914]


def test_the_largest_resistance():
    assert [millilog2(n) for n in (99000000, 0x1FFFFFFF, 0x3FFFFFFF)] == [26561, 29000, 30000]


def test_never_falls():
    before = 0
    for n in range(1, 3000):
        now = millilog2(n)
        assert now >= before, n
        before = now


def test_takes_small_ints_only():
    heap_lock()
    try:
        a = millilog2(0x3FFFFFFF)
        b = millilog2(0x7FFF)
    finally:
        heap_unlock()
    assert (a, b) == (30000, 15000)
