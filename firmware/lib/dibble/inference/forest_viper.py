"""The forest family's kernels as machine code, where MicroPython has native emitters; results are forest_bytecode's."""

from array import array

import micropython
from micropython import const

_WORDS = const(6)  # of a feature in the plan of `encode`


@micropython.viper
def _aligned(blob) -> bool:
    return int(ptr8(blob)) & 3 == 0


def prepare_coders(blob, coders):
    """As forest_bytecode.prepare_coders: a plan of _WORDS words a feature; thresholds stay in the blob."""
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
    """As forest_bytecode.encode."""
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
def forest_scores(codes: ptr8, forest, scores):
    """As forest_bytecode.forest_scores."""
    features = ptr8(forest[0])
    thresholds = ptr8(forest[1])
    lefts = ptr8(forest[2])
    rights = ptr8(forest[3])
    starts = ptr32(forest[4])
    children = ptr32(forest[5])
    leaves_end = int(forest[6])
    trees = int(forest[7])
    classes = ptr8(forest[8])
    amounts = ptr8(forest[9])
    constants = ptr16(forest[10])
    sums = ptr16(scores)
    i = int(len(scores))
    while i > 0:
        i -= 1
        sums[i] = constants[i]
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
            elif reference < leaves_end:
                reference -= 128
                sums[classes[reference]] += amounts[reference]
                break
            else:
                page = children[page] + reference - leaves_end
                base = starts[page]
                i = base
        tree += 1
