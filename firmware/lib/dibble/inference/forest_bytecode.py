"""Kernels of the forest family in plain bytecode, for every interpreter: see kernels_bytecode.py."""

from array import array


def prepare_coders(blob, coders):
    """Return what `encode` wants, from (feature, width, position, count) of each feature.

    Args:
        blob: the model file; each feature's `count` ascending thresholds, `width` bytes each,
            little-endian and aligned, lie at `position`.
        coders: count 0 means the value is its own code.
    """
    direct = []
    ranked = []
    for feature, width, position, count in coders:
        if count == 0:
            direct.append(feature)
            continue
        thresholds = blob[position : position + width * count]
        if width > 1:
            thresholds = array("H" if width == 2 else "i", bytes(thresholds))
        power = 1
        while power * 2 <= count:
            power *= 2
        steps = bytearray()
        step = power >> 1
        while step:
            steps.append(step - 1)
            step >>= 1
        ranked.append((feature, thresholds, power - 1, count - power + 1, bytes(steps)))
    return bytes(direct), ranked


def encode(values, coders, codes):
    """Squeeze each feature value to its 8-bit code: the number of thresholds below it.

    Args:
        values: array("i"), one value >= 0 a feature.
        coders: from `prepare_coders`.
        codes: bytearray, one code a feature.
    Source: Knuth, The Art of Computer Programming 3, 6.2.1, uniform binary search; the first
        probe leaves a power of two less one thresholds on either side, overlapping.
    """
    direct, ranked = coders
    for i in direct:
        codes[i] = values[i]
    for i, thresholds, first, jump, steps in ranked:
        value = values[i]
        code = jump if value > thresholds[first] else 0
        for step in steps:
            if value > thresholds[code + step]:
                code += step + 1
        codes[i] = code


def forest_scores(codes, forest, scores):
    """Add what each tree's leaf gives to its class.

    Args:
        codes: bytearray, one code a feature.
        forest: (features, thresholds, lefts, rights, starts, children, leaves_end, trees,
            leaf classes, leaf amounts, base) as `forest.read` returns them; models/FORMAT.md has
            the meaning of a reference.
        scores: array("H"), one a class; overwritten.
    """
    features, thresholds, lefts, rights, starts, children, leaves_end, trees, classes, amounts, constants = forest
    i = 0
    for score in constants:
        scores[i] = score
        i += 1
    for tree in range(trees):
        i = base = starts[tree]
        page = tree
        while True:
            if codes[features[i]] <= thresholds[i]:
                reference = lefts[i]
            else:
                reference = rights[i]
            if reference < 128:
                i = base + reference
            elif reference < leaves_end:
                scores[classes[reference - 128]] += amounts[reference - 128]
                break
            else:
                page = children[page] + reference - leaves_end
                i = base = starts[page]
