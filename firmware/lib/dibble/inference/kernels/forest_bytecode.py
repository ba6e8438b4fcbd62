"""Kernel of the forest family in plain bytecode, for every interpreter: see generator.py."""

from array import array

from dibble.inference.kernels.generator import started


def forest(blob, layout, tables, low, limits):
    """Return (f(values), scores): f adds what each tree's leaf gives to its class, returns winner | margin << 8.

    Args:
        blob: the model file; each feature's `count` ascending thresholds, `width` bytes each,
            little-endian and aligned, lie at `position`.
        layout: (feature, width, position, count) of each feature; count 0 means a node's code is its threshold.
        tables: (features, codes, lefts, rights, starts, children, leaves_end, trees, leaf classes,
            leaf amounts, base) as `forest.read` returns them; models/FORMAT.md has the meaning of a reference.
        low: not used here.
        limits: largest value of each feature.
        values: one value a feature, 0..limit.
    """
    cuts = [range(256)] * len(limits)
    ranked = False
    for feature, width, position, count in layout:
        if count:
            ranked = True
            thresholds = blob[position : position + width * count]
            if width > 1:
                thresholds = array("H" if width == 2 else "i", bytes(thresholds))
            cuts[feature] = thresholds
    scores = array("H", tables[10])
    return started(_forest(cuts if ranked else None, tables, scores)), scores


def _forest(cuts, tables, scores):
    features, codes, lefts, rights, starts, children, leaves_end, trees, classes, amounts, constants = tables
    winner = 0
    values = yield
    while True:
        i = 0
        for score in constants:
            scores[i] = score
            i += 1
        for page in range(trees):
            i = base = starts[page]
            while True:
                # A code is a place among its feature's thresholds: value <= threshold where fewer lie below it.
                if cuts:
                    feature = features[i]
                    reference = lefts[i] if values[feature] <= cuts[feature][codes[i]] else rights[i]
                else:
                    reference = lefts[i] if values[features[i]] <= codes[i] else rights[i]
                if reference < 128:
                    i = base + reference
                elif reference < leaves_end:
                    reference -= 128
                    scores[classes[reference]] += amounts[reference]
                    break
                else:
                    page = children[page] + reference - leaves_end
                    i = base = starts[page]
        best = second = -1
        i = 0
        for score in scores:
            if score > best:
                second = best
                best = score
                winner = i
            elif score > second:
                second = score
            i += 1
        values = yield winner | (best - second) << 8
