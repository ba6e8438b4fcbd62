"""The same kernels as machine code, where MicroPython has native emitters.

Contract and results are those of kernels_bytecode, bit for bit. Viper ints are 32 bits and wrap;
the bounds stated there keep every value inside 31.
"""

from array import array

import micropython
from micropython import const

_SMALL = const(0x3FFFFFFF)  # the low 30 bits


@micropython.viper
def _offsets(readings: ptr32, low: ptr32, high: ptr32, out: ptr32, count: int) -> int:
    # A 64-bit VM loads through ptr32 without the sign. Both readings and lows are 31-bit, so the
    # lower 32 bits of their difference tell all: bit 31 is its sign, whatever the width of an int.
    missing = 0
    beyond = 0
    i = 0
    while i < count:
        reading = readings[i]
        above = reading - low[i]
        span = (high[i] - low[i]) & _SMALL
        if (above >> 31) & 1:
            if (reading & _SMALL) == 0 and ((reading >> 30) & 3) == 3:  # MISSING
                out[i] = -1
                if not missing:
                    missing = i + 1
            else:
                out[i] = 0
                if not beyond:
                    beyond = i + 1
        elif (above >> 30) & 1 or (above & _SMALL) > span:
            out[i] = span
            if not beyond:
                beyond = i + 1
        else:
            out[i] = above & _SMALL
        i += 1
    return missing | (beyond << 8)


def offsets(readings, low, high, out):
    """As kernels_bytecode.offsets."""
    return _offsets(readings, low, high, out, len(out))


def prepare_scalers(scalers, limits):
    """As kernels_bytecode.prepare_scalers: the same seven numbers of each code, in a row; clamping is cheap here."""
    plan = array("i")
    for scaler in scalers:
        for word in scaler:
            plan.append(word)
    return plan


@micropython.viper
def scale(values: ptr32, scalers, codes: ptr8):
    """As kernels_bytecode.scale."""
    plan = ptr32(scalers)
    end = int(len(scalers))
    k = 0
    at = 0
    while at < end:
        value = values[plan[at]]
        bias = plan[at + 2]
        if bias:
            value += bias
            exponent = 7
            while value >= 8192:
                value >>= 4
                exponent += 4
            while value >= 512:
                value >>= 1
                exponent += 1
            while value < 256:
                value <<= 1
                exponent -= 1
            value += exponent << 8
        else:
            value >>= plan[at + 1]
        value = (value - plan[at + 3]) * plan[at + 4] >> plan[at + 5]
        top = plan[at + 6]
        if value < 0:
            value = 0
        elif value > top:
            value = top
        codes[k] = value
        k += 1
        at += 7


@micropython.viper
def top_two(scores) -> int:
    """As kernels_bytecode.top_two."""
    table = ptr16(scores)
    count = int(len(scores))
    best = -1
    second = -1
    winner = 0
    i = 0
    while i < count:
        score = table[i]
        if score > best:
            second = best
            best = score
            winner = i
        elif score > second:
            second = score
        i += 1
    return winner | ((best - second) << 8)
