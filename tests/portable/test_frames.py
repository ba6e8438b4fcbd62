"""Frames of sound: every kernel has the same codes, allocates nothing, and those that are written here.

The rows' CRC-32 was computed by the host's NumPy: tests/host/data/test_front_end.py computes it anew.
"""

from array import array

from dibble.inference.crc32 import crc32
from dibble.senses import frames, frames_bytecode
from support import Random, heap_lock, heap_unlock

SPECS = ((6, 1, (1, 2, 3, 4)), (8, 2, (2, 3, 5, 9, 17, 33)), (9, 1, (1, 64, 64, 40, 86 - 64)))
ROWS = 6
CRC = 17323, 657  # its halves


def spec_of(log2, first, widths):
    return frames.FrameSpec(8000, log2, 1 << log2, 16 * log2 + 161, first, bytes(widths))


def random_samples(log2, random):
    """Return samples of noise, louder from row to row, on a level of its own."""
    size = 1 + random.below(60000)
    least = random.below(65536 - size) - 32768
    return array("h", [least + random.below(size) for _ in range(1 << log2)])


def codes(build, spec):
    levels, row = build(spec)
    random = Random(spec.log2)
    found = bytearray()
    for _ in range(ROWS):
        samples = random_samples(spec.log2, random)
        heap_lock()
        try:
            levels(samples)
        finally:
            heap_unlock()
        found.extend(row)
    return found


def by_bytecode(spec):
    return frames_bytecode.frames(spec, frames.sines(spec.log2), frames.reversed_bits(spec.log2 - 2))


def test_every_kernel_has_the_same_codes():
    found = bytearray()
    for log2, first, widths in SPECS:
        spec = spec_of(log2, first, widths)
        own = codes(frames.build, spec)
        assert own == codes(by_bytecode, spec), (log2, own)
        found.extend(own)
    assert crc32(found, len(found)) == CRC, crc32(found, len(found))


def test_whatever_does_not_change_is_silence():
    spec = spec_of(8, 1, (4, 4, 4))
    levels, row = frames.build(spec)
    for level in (0, 1, -1, 32767, -32768):
        for i in range(2):
            row[i] = 99
        levels(array("h", [level] * 256))
        assert bytes(row) == b"\0\0", (level, row)


def test_a_piece_of_a_longer_recording():
    spec = spec_of(6, 1, (4, 4, 4, 4, 4))
    random = Random(3)
    samples = array("h", [random.below(4000) for _ in range(200)])
    levels, row = frames.build(spec)
    levels(array("h", [samples[i] for i in range(7, 71)]))
    alone = bytes(row)
    levels(memoryview(samples)[7:71])
    assert bytes(row) == alone


def test_sines_are_within_a_step():
    found = list(frames.sines(6))
    assert found[:9] == [0, 401, 799, 1189, 1567, 1931, 2276, 2598, 2896], found
    assert found[9:] == [3166, 3406, 3612, 3784, 3920, 4017, 4076, 4096], found


def test_bits_in_reverse():
    assert list(frames.reversed_bits(3)) == [0, 4, 2, 6, 1, 5, 3, 7]
