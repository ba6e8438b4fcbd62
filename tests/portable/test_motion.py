"""Slow streams in a few numbers: what is written here by hand, and machine code as bytecode has it."""

from array import array

from dibble.senses import motion, motion_bytecode
from dibble.senses.motion import AXES, HEAD, LEAST, MOST, OCTAVES, Motion
from support import Random, heap_lock, heap_unlock


def told(axes, samples):
    made = Motion(axes)
    made.take(array("h", samples), len(samples) // axes)
    values = [0] * (2 * axes + OCTAVES)
    made.tell(values)
    return values


def test_one_that_rests_does_not_move():
    assert told(1, [-7] * 64) == [-7, 0] + [0] * OCTAVES


def test_each_octave_has_its_own_pace():
    for octave in range(OCTAVES):
        half = 1 << octave
        samples = [100 if i & half else -100 for i in range(256)]
        assert told(1, samples) == [0, 200] + [200 if k == octave else 0 for k in range(OCTAVES)], octave


def test_axes_are_told_apart_and_move_together():
    samples = []
    for i in range(LEAST):
        samples += [10, i & 1, -20 - 3 * (i & 1)]
    assert told(3, samples) == [10, 0, -22, 0, 1, 3, 4, 0, 0, 0, 0, 0]


def test_the_ends_of_sixteen_bits():
    samples = [32767 if i & 1 else -32768 for i in range(3 * MOST)]
    found = told(3, samples)
    assert found[3:7] == [65535, 65535, 65535, 3 * 65535]


def test_what_is_more_than_it_counts_is_passed_over():
    made = Motion(1)
    for _ in range(MOST // 64 + 3):
        made.take(array("h", [5] * 64), 64)
    assert made.count == MOST


def test_every_kernel_has_the_same_state_and_allocates_nothing():
    random = Random(7)
    for axes in range(1, AXES + 1):
        made = Motion(axes)
        own = array("i", made._state)
        for size in (1, 2, 31, 32, 5, 64):
            samples = array("h", [random.below(65536) - 32768 for _ in range(axes * size)])
            heap_lock()
            try:
                made.take(samples, size)
                motion_bytecode.take(own, samples, size)
            finally:
                heap_unlock()
            assert list(made._state) == list(own), (axes, size)


def test_kernels_know_the_layout():
    assert (motion_bytecode._OCTAVES, motion_bytecode._OF_AXIS, motion_bytecode._HEAD) == (
        OCTAVES,
        motion.OF_AXIS,
        HEAD,
    )
