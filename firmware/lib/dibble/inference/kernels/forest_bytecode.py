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
    scores = array("H", tables[10])
    thresholds = _thresholds(blob, layout, tables[0], tables[1])
    return started(_forest(thresholds, tables, scores)), scores


def _thresholds(blob, layout, features, codes):
    """Return each node's threshold: its code's place among those of its feature, or the code where there are none."""
    ranked = {}
    for feature, width, position, count in layout:
        if count:
            table = blob[position : position + width * count]
            ranked[feature] = table if width == 1 else array("H" if width == 2 else "i", bytes(table))
    if not ranked:
        return codes
    widest = layout[0][1]
    found = array("B" if widest == 1 else "H" if widest == 2 else "i", [0] * len(codes))
    for i in range(len(codes)):
        code = codes[i]
        table = ranked.get(features[i], b"")
        found[i] = table[code] if code < len(table) else code  # what is beyond, forest_checks.py refuses
    return found


def _forest(thresholds, tables, scores):
    features, _, lefts, rights, starts, children, leaves_end, trees, classes, amounts, constants = tables
    winner = 0
    roots = starts if trees == len(starts) else starts[:trees]
    followers = {}
    for i in range(len(children)):
        followers[starts[i]] = children[i]
    values = yield
    while True:
        i = 0
        for score in constants:
            scores[i] = score
            i += 1
        for base in roots:
            i = base
            while True:
                reference = lefts[i] if values[features[i]] <= thresholds[i] else rights[i]
                if reference < 128:
                    i = base + reference
                elif reference < leaves_end:
                    reference -= 128
                    scores[classes[reference]] += amounts[reference]
                    break
                else:
                    i = base = starts[followers[base] + reference - leaves_end]
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
