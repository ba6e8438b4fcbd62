"""The gate before frames: how far samples span, in machine code as in bytecode; when it opens and closes."""

from array import array

from dibble.senses.gate import Gate
from dibble.senses.span import span
from support import Random, heap_lock, heap_unlock

HOP = 20


def hop_of(level):
    return array("h", [level // 2 if i & 1 else -(level - level // 2) for i in range(HOP)])


def test_span_is_the_largest_less_the_smallest():
    random = Random(5)
    for count in (1, 2, 3, 64, 65):
        for size in (1, 7, 65536):
            samples = array("h", [random.below(size) - size // 2 for _ in range(count)])
            heap_lock()
            try:
                found = span(samples)
            finally:
                heap_unlock()
            assert found == max(samples) - min(samples), (count, size, found)
    for edge in ((-32768, 32767), (32767, -32768), (0, 0), (-1, 0), (-32768, -32768), (32767, 32767)):
        assert span(array("h", edge)) == max(edge) - min(edge), edge
    assert span(memoryview(array("h", [9, -5, 7, 100]))[1:3]) == 12


def opened(gate, levels):
    return [gate.opens(hop_of(level)) for level in levels]


def test_it_opens_above_the_quiet_and_stays_open_for_a_while():
    gate = Gate(2000, 2, 50)
    assert opened(gate, [100] * 10) == [False] * 10
    assert opened(gate, [300, 100, 100, 100, 100]) == [True, True, True, False, False]


def test_what_goes_on_is_noise_by_then():
    gate = Gate(2000, 1, 5)
    opened(gate, [100] * 4)
    assert opened(gate, [1000] * 9) == [True] * 5 + [False] * 4


def test_without_a_threshold_it_is_always_open():
    assert opened(Gate(0, 1, 5), [0, 0, 1000]) == [True] * 3
