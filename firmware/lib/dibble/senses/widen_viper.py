"""widen.py in viper, where MicroPython has native emitters."""

import micropython


@micropython.viper
def widen_words(r: ptr16, place: int, w: ptr16, count: int):
    at = place & 32767
    size = place >> 15
    i = 0
    while i < count:
        if at == size:
            at = 0
        w[i] = ((r[at] & 4095) << 4) ^ 32768
        at += 1
        i += 1
