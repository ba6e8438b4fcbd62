"""The forest family in machine code: the plan that its kernel works on, for assembler and viper alike."""

from dibble.inference.kernels.choice import KIND
from dibble.inference.kernels.plan import HEAD_WORDS, STEADY, Plan, aligned, place

if KIND == "thumb":
    from dibble.inference.kernels.forest_thumb import classify
else:
    from dibble.inference.kernels.forest_viper import classify

WORDS = HEAD_WORDS + 14  # at the plan's beginning; AT is a place in the plan, in bytes: those of each plan, then
# VALUES_AT, FOURS and ONES (bytes of inputs in whole fours, and of the others), RANKED_AT,
# RANKED_END, BASE_AT, SUMS_AT, SUMS_BYTES (whole fours), CLASSES_BYTES, PAGES_AT, TREES_END, LEAVES_AT,
# LEAVES_END (the first reference to no leaf), NODES.
#
# Then (low, span) of each input; of each ranked feature, where its input lies in the row, its low, what lies in the
# file one before its first threshold, how far to look and to go at first, the width's shift, where its value lies in
# the plan; of each page, where its features lie in the file, and how many bytes of this part lie before its followers;
# base and sum of each class; two leaves a word, class << 8 | amount each; a byte for the value of each input. Nothing
# but low is below 0.


class Forest(Plan):
    """A forest's plan: classify(inputs) returns what plan.py says."""

    classify = __call__ = classify


def forest(blob, layout, tables, low, limits):
    """As forest_bytecode.forest, but for inputs within their ranges: returns (plan, scores).

    Args:
        low, limits: each input's least value, and by how much it may lie above that.
    """
    features, _, _, _, starts, children, leaves_end, trees, classes, amounts, base = tables
    plan = Forest("i", [0] * WORDS)
    plan[STEADY] = -1
    inputs = len(low)
    for i in range(inputs):
        plan.append(low[i])
        plan.append(limits[i])
    ranked_at = plan.at()
    ranked = [one for one in layout if one[3]]
    padded = len(base) + 3 & ~3
    pages_at = ranked_at + 28 * len(ranked)
    base_at = pages_at + 8 * len(starts)
    sums_at = base_at + 4 * padded
    leaves_at = sums_at + 4 * padded
    values_at = leaves_at + (len(classes) + 1 >> 1) * 4
    for feature, width, position, count in ranked:
        power = 1
        while power * 2 <= count:
            power *= 2
        look, go = width * power, width * (count - power + 1)
        for word in (4 * feature, low[feature], position - width, look, go, width >> 1, values_at + feature):
            plan.append(word)
    nodes = place(features, blob)
    for i in range(len(starts)):
        plan.append(nodes + starts[i])
        plan.append(8 * children[i] if i < len(children) else 0)
    for _ in range(2):
        for i in range(padded):
            plan.append(base[i] if i < len(base) else 0)
    leaf = 0
    for i in range(len(classes)):
        leaf |= (classes[i] << 8 | amounts[i]) << (i & 1) * 16
        if i & 1 or i + 1 == len(classes):
            plan.append(leaf)
            leaf = 0
    for _ in range(0, inputs, 4):
        plan.append(0)
    words = (values_at, 4 * (inputs & ~3), 4 * (inputs & 3), ranked_at, pages_at, base_at, sums_at, 4 * padded)
    words += (4 * len(base), pages_at, pages_at + 8 * trees, leaves_at, leaves_end, len(features))
    i = HEAD_WORDS
    for word in words:
        plan[i] = word
        i += 1
    wide = [one for one in ranked if one[1] > 1]  # what is of bytes lies anywhere
    plan.tell(aligned(blob) if wide else blob)
    sums = sums_at >> 2
    return plan, memoryview(plan)[sums : sums + len(base)]
