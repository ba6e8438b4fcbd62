"""motion.py in viper, where MicroPython has native emitters."""

import micropython
from micropython import const

_OCTAVES = const(6)
_OF_AXIS = const(9)
_HEAD = const(8)


@micropython.viper
def take(state: ptr32, samples: ptr16, count: int):
    number = state[0]
    end = number + count
    last = _HEAD + state[1] * _OF_AXIS
    i = 0
    while number < end:
        at = _HEAD
        while at < last:
            x = samples[i] ^ 32768
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
                if more < 0:
                    more = 0 - more
                state[octave] += more
                x = x + other >> 1
                bits >>= 1
                kept += 1
                octave += 1
            if octave < _OCTAVES + 2:
                state[kept] = x
            at += _OF_AXIS
        number += 1
    state[0] = number
