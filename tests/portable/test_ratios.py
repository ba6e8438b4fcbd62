"""Channels made of others on every VM: the logarithm, ratios and means with the heap locked, in small ints."""

from array import array

from dibble.inference.ratios import before, log2
from support import Random, heap_lock, heap_unlock

LEAST = array("i", [1, 100, 5685, 1])
# Channel, those it is compared with, low and span in 1/1024 octave.
RATIOS = (
    (0, b"\x01", -3000, 9000),
    (2, b"\x00", -20480, 40960),
    (3, b"\x00\x01\x02\x03", -8000, 16000),
    (1, b"\x02\x03", 0, 500),
)


def naive_log2(value):
    exponent = 0
    while value >> exponent > 1:
        exponent += 1
    top = value >> exponent - 10 if exponent >= 10 else value << 10 - exponent
    above = top - 1024
    return exponent * 1024 + above + above * (1024 - above) * 45 // 131072


def naive(offsets):
    """Return offsets and ratios; the complement of a ratio where a channel is missing, which counts as its low."""
    logs = [naive_log2(max(offsets[i], 0) + LEAST[i]) for i in range(4)]
    found = list(offsets)
    for own, others, low, span in RATIOS:
        mean = (sum([logs[i] for i in others]) + len(others) // 2) // len(others)
        above = min(max(logs[own] - mean - low, 0), span)
        found.append(~above if min([offsets[i] for i in others] + [offsets[own]]) < 0 else above)
    return found


def test_logarithms_are_exact_at_powers_of_two_and_never_fall():
    for exponent in range(30):
        assert log2(1 << exponent) == exponent << 10
    last = 0
    for value in list(range(1, 5000)) + list(range(5000, 1 << 30, 7654321)) + [(1 << 30) - 1]:
        found = log2(value)
        assert found == naive_log2(value) and last <= found, value
        last = found


def test_ratios_are_what_they_say_with_the_heap_locked():
    """100 rows of up to 102,400,000 ohm, at each magnitude; some readings missing."""
    random = Random(7)

    def push(offsets):
        return offsets

    run = before(RATIOS, LEAST, push)
    row = array("i", [0] * 4)
    run(row)
    for _ in range(400):
        for i in range(4):
            value = (1 + random.below(1 << 15)) << random.below(12)
            row[i] = min(value, 102400000) if random.below(9) else -1
        expected = naive(row)
        heap_lock()
        try:
            kept_by = run(row)
        finally:
            heap_unlock()
        assert list(kept_by) == expected, list(row)


def test_ends_are_clamped():
    run = before(RATIOS, LEAST, list)
    top = array("i", [102399999, 0, 0, 0])
    assert run(top) == naive(top)
    assert run(top)[4] == 9000 and run(top)[6] == 0
