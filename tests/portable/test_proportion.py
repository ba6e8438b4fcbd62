"""a * b / c beyond 31 bits, without an int beyond 31 bits."""

from dibble.drivers.proportion import proportion
from support import Random, heap_lock, heap_unlock

LARGEST = 0x3FFFFFFF


def test_halves_round_up():
    assert [proportion(n, 1, 4) for n in range(9)] == [0, 0, 1, 1, 1, 1, 2, 2, 2]


def test_nothing_of_something_is_nothing():
    assert [proportion(0, LARGEST, 1), proportion(LARGEST, 0, 1), proportion(0, 0, 1 << 28)] == [0, 0, 0]


def test_products_beyond_31_bits():
    assert proportion(3300000, 20000, 1000000) == 66000
    assert proportion(LARGEST, 1 << 28, 1 << 28) == LARGEST
    assert proportion(LARGEST, (1 << 28) - 1, 1 << 28) == 1073741819
    assert proportion(1 << 28, 3, (1 << 28) - 1) == 3


def test_the_largest_divisor_leaves_small_ints():
    heap_lock()
    try:
        a = proportion(LARGEST, (1 << 28) - 1, 1 << 28)
        b = proportion((1 << 28) - 1, LARGEST, 1 << 28)
        c = proportion(5000000, 5500, 2750)
    finally:
        heap_unlock()
    assert (a, b, c) == (1073741819, 1073741819, 10000000)


def test_is_the_nearest_integer():
    # Where the product fits, against plain division.
    random = Random(7)
    for _ in range(500):
        a = random.below(30000)
        b = random.below(30000)
        c = 1 + random.below(30000)
        assert proportion(a, b, c) == (2 * a * b + c) // (2 * c)
