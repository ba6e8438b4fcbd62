"""Kernels in plain bytecode, for every interpreter.

A bytecode costs about the same whatever it does, so these hoist, iterate and don't call. Nothing
here but `prepare_coders` allocates, and nothing leaves the small ints of a 32-bit VM: readings are
within +-READING_LIMIT, offsets within 0..high - low, codes and references are bytes, scores <= trees.
"""

from array import array

from dibble.inference.fixed_point import MISSING


def offsets(readings, low, high, out):
    """Write each reading's offset above its channel's low to `out`, clamped to the channel's range.

    Args:
        readings: array("i"), one a channel; MISSING where there is none.
        low, high: array("i"), the range each channel was trained on, inclusive.
        out: array("i"); -1 where the reading is missing.
    Returns:
        (first missing channel + 1) | (first channel out of range + 1) << 8; 0 when all is well.
    """
    missing = beyond = i = 0
    for reading in readings:
        least = low[i]
        if reading < least:
            if reading == MISSING:
                out[i] = -1
                if not missing:
                    missing = i + 1
            else:
                out[i] = 0
                if not beyond:
                    beyond = i + 1
        elif reading > high[i]:
            out[i] = high[i] - least
            if not beyond:
                beyond = i + 1
        else:
            out[i] = reading - least
        i += 1
    return missing | beyond << 8


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


def forest_votes(codes, forest, votes):
    """Count each tree's vote.

    Args:
        codes: bytearray, one code a feature.
        forest: (features, thresholds, lefts, rights, starts, children, classes_end, trees) as read
            by `model.Model`; models/FORMAT.md has the meaning of a reference.
        votes: array("H"), one a class; overwritten.
    """
    features, thresholds, lefts, rights, starts, children, classes_end, trees = forest
    for i in range(len(votes)):
        votes[i] = 0
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
            elif reference < classes_end:
                votes[reference - 128] += 1
                break
            else:
                page = children[page] + reference - classes_end
                i = base = starts[page]


def top_two(scores):
    """Return winner | margin << 8: the first of the highest scores, and its lead over the runner-up."""
    best = second = -1
    winner = i = 0
    for score in scores:
        if score > best:
            second = best
            best = score
            winner = i
        elif score > second:
            second = score
        i += 1
    return winner | (best - second) << 8
