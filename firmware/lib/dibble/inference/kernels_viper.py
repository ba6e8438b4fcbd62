"""The same kernels as machine code, where MicroPython has native emitters.

Contract and results are those of kernels_bytecode, bit for bit. Viper ints are 32 bits and wrap;
the bounds stated there keep every value inside 31.
"""

from array import array

import micropython
from micropython import const

_SMALL = const(0x3FFFFFFF)  # the low 30 bits
_WORDS = const(6)  # of a feature in the plan of `encode`


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


@micropython.viper
def _aligned(blob) -> bool:
    return int(ptr8(blob)) & 3 == 0


def prepare_coders(blob, coders):
    """As kernels_bytecode.prepare_coders: a plan of _WORDS words a feature; thresholds stay in the blob."""
    if not _aligned(blob):
        blob = bytes(blob)
    plan = array("i")
    for feature, width, position, count in coders:
        power = 1
        while power * 2 <= count:
            power *= 2
        for word in (feature, width, position // width, count, power, count - power + 1):
            plan.append(word)
    return plan, blob, len(coders)


@micropython.viper
def encode(values: ptr32, coders, codes: ptr8):
    """As kernels_bytecode.encode."""
    plan = ptr32(coders[0])
    bytes_table = ptr8(coders[1])
    halves_table = ptr16(coders[1])
    words_table = ptr32(coders[1])
    left = int(coders[2])
    at = 0
    while left > 0:
        left -= 1
        i = plan[at]
        width = plan[at + 1]
        position = plan[at + 2]
        step = plan[at + 4]
        value = values[i]
        code = 0
        if plan[at + 3] == 0:
            code = value
        elif width == 1:
            if value > bytes_table[position + step - 1]:
                code = plan[at + 5]
            step >>= 1
            while step:
                if value > bytes_table[position + code + step - 1]:
                    code += step
                step >>= 1
        elif width == 2:
            if value > halves_table[position + step - 1]:
                code = plan[at + 5]
            step >>= 1
            while step:
                if value > halves_table[position + code + step - 1]:
                    code += step
                step >>= 1
        else:
            if value > words_table[position + step - 1]:
                code = plan[at + 5]
            step >>= 1
            while step:
                if value > words_table[position + code + step - 1]:
                    code += step
                step >>= 1
        codes[i] = code
        at += _WORDS


@micropython.viper
def forest_votes(codes: ptr8, forest, votes):
    """As kernels_bytecode.forest_votes."""
    features = ptr8(forest[0])
    thresholds = ptr8(forest[1])
    lefts = ptr8(forest[2])
    rights = ptr8(forest[3])
    starts = ptr32(forest[4])
    children = ptr32(forest[5])
    classes_end = int(forest[6])
    trees = int(forest[7])
    counts = ptr16(votes)
    i = int(len(votes))
    while i > 0:
        i -= 1
        counts[i] = 0
    tree = 0
    while tree < trees:
        page = tree
        base = starts[page]
        i = base
        while True:
            if codes[features[i]] <= thresholds[i]:
                reference = lefts[i]
            else:
                reference = rights[i]
            if reference < 128:
                i = base + reference
            elif reference < classes_end:
                counts[reference - 128] += 1
                break
            else:
                page = children[page] + reference - classes_end
                base = starts[page]
                i = base
        tree += 1


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
