"""motion.py in bytecode."""

_OCTAVES = 6
_OF_AXIS = 9
_HEAD = 8


def take(state, samples, count):
    """See Motion.take; there is room for `count` samples."""
    number = state[0]
    end = number + count
    i = 0
    while number < end:
        at = _HEAD
        last = _HEAD + state[1] * _OF_AXIS
        while at < last:
            x = samples[i] + 32768
            i += 1
            state[at] += x
            if x < state[at + 1]:
                state[at + 1] = x
            if x > state[at + 2]:
                state[at + 2] = x
            kept = at + 3
            octave = 2
            bits = number
            while bits & 1 and octave < _OCTAVES + 2:
                other = state[kept]
                more = x - other
                state[octave] += more if more > 0 else -more
                x = x + other >> 1
                bits >>= 1
                kept += 1
                octave += 1
            if octave < _OCTAVES + 2:
                state[kept] = x
            at += _OF_AXIS
        number += 1
    state[0] = number
