"""The forest family's kernel as machine code, where MicroPython has native emitters: see kernels_viper.py."""

import micropython
from micropython import const

from dibble.inference.kernels_viper import aligned, fill, place, plan_of

# Words of the plan. AT: where in the plan, in bytes, something lies.
_VALUES_AT = const(0)
_COUNT = const(1)
_TREES = const(2)
_LEAVES_END = const(3)
_CLASSES = const(4)
_RANKED = const(5)
_RANKED_AT = const(6)
_LEAVES_AT = const(7)
_SUMS_AT = const(8)
_PAGES_AT = const(9)
_BASE_AT = const(10)
_HEAD = const(11)
# Bytes of a ranked feature: where its value lies, where its thresholds do, their width, power, jump.
_RANKED_BYTES = const(20)


def forest(blob, layout, tables, low, limits):
    """As forest_bytecode.forest, but for inputs within their ranges: returns (f(inputs), scores).

    Args:
        low, limits: each input's least value, and by how much it may lie above that.
    f returns:
        -1 where an input, of an array("i"), isn't within its range.
    """
    features, _, _, _, starts, children, leaves_end, trees, classes, amounts, base = tables
    plan, values = plan_of(_HEAD, low, limits)
    ranked_at = 4 * len(plan)
    ranked = 0
    for feature, width, position, count in layout:
        if count:
            ranked += 1
            power = 1
            while power * 2 <= count:
                power *= 2
            for word in (values + 4 * feature, position, width, power, count - power + 1):
                plan.append(word)
    leaves_at = 4 * len(plan)
    for i in range(len(classes)):
        plan.append(4 * classes[i] | amounts[i] << 10)
    pages_at = 4 * len(plan)
    nodes = place(features, blob)
    for i in range(len(starts)):
        plan.append(nodes + starts[i])
        plan.append(8 * children[i] + pages_at if i < len(children) else 0)
    base_at = 4 * len(plan)
    for score in base:
        plan.append(score)
    sums = len(plan)
    for score in base:
        plan.append(score)
    head = (
        values,
        len(features),
        trees,
        leaves_end,
        len(base),
        ranked,
        ranked_at,
        leaves_at,
        4 * sums,
        pages_at,
        base_at,
    )
    fill(plan, head)
    count = len(low)
    blob = aligned(blob)
    return lambda inputs: _forest(blob, count, inputs, plan), memoryview(plan)[sums:]


@micropython.viper
def _forest(p: ptr8, r: int, inputs: ptr32, plan: ptr32) -> int:
    file = int(p)
    i = r
    # All inputs' distances from their low, and whether none is below 0 or beyond its span.
    p = ptr8(int(plan) + 4 * _HEAD)
    values = ptr32(int(plan) + plan[_VALUES_AT])
    bad = 0
    while i > 3:
        r = inputs[0] - ptr32(p)[0]
        values[0] = r
        bad = (ptr32(p)[1] - r) | r | bad
        r = inputs[1] - ptr32(p)[2]
        values[1] = r
        bad = (ptr32(p)[3] - r) | r | bad
        r = inputs[2] - ptr32(p)[4]
        values[2] = r
        bad = (ptr32(p)[5] - r) | r | bad
        r = inputs[3] - ptr32(p)[6]
        values[3] = r
        bad = (ptr32(p)[7] - r) | r | bad
        inputs = ptr32(int(inputs) + 16)
        p = ptr8(int(p) + 32)
        values = ptr32(int(values) + 16)
        i -= 4
    while i:
        r = inputs[0] - ptr32(p)[0]
        values[0] = r
        bad = (ptr32(p)[1] - r) | r | bad
        inputs = ptr32(int(inputs) + 4)
        p = ptr8(int(p) + 8)
        values = ptr32(int(values) + 4)
        i -= 1
    if (bad >> 30) & 3:
        return -1
    # Values of features with thresholds become their rank.
    p = ptr8(int(plan) + plan[_RANKED_AT])
    i = plan[_RANKED]
    while i:
        values = ptr32(int(plan) + ptr32(p)[0])
        bad = values[0]
        inputs = ptr32(file + ptr32(p)[1])
        m = ptr32(p)[3]
        r = 0
        if ptr32(p)[2] == 1:
            if bad > ptr8(inputs)[m - 1]:
                r = ptr32(p)[4]
            m >>= 1
            while m:
                if bad > ptr8(inputs)[r + m - 1]:
                    r += m
                m >>= 1
        elif ptr32(p)[2] == 2:
            if bad > ptr16(inputs)[m - 1]:
                r = ptr32(p)[4]
            m >>= 1
            while m:
                if bad > ptr16(inputs)[r + m - 1]:
                    r += m
                m >>= 1
        else:
            if bad > inputs[m - 1]:
                r = ptr32(p)[4]
            m >>= 1
            while m:
                if bad > inputs[r + m - 1]:
                    r += m
                m >>= 1
        values[0] = r
        p = ptr8(int(p) + _RANKED_BYTES)
        i -= 1
    i = plan[_CLASSES]
    r = int(plan) + plan[_SUMS_AT]
    p = ptr8(int(plan) + plan[_BASE_AT])
    while i:
        ptr32(r)[0] = ptr32(p)[0]
        r += 4
        p = ptr8(int(p) + 4)
        i -= 1
    p = ptr8(int(plan) + plan[_VALUES_AT])
    m = plan[_COUNT]
    leaves = int(plan) + plan[_LEAVES_AT] - 512
    end = plan[_LEAVES_END]
    sums = int(plan) + plan[_SUMS_AT]
    page = ptr32(int(plan) + plan[_PAGES_AT])
    i = plan[_TREES]
    while i:
        r = page[0]
        next_page = page
        while True:
            features = ptr8(file + r)
            codes = ptr8(int(features) + m)
            lefts = ptr8(int(codes) + m)
            r = 0
            while not (r & 128):
                # Right where the value is beyond the code: then the difference's sign picks the table after lefts.
                r = lefts[r + (((codes[r] - ptr32(p)[features[r]]) >> 31) & m)]
            if r < end:
                break
            next_page = ptr32(int(plan) + next_page[1] + 8 * (r - end))
            r = next_page[0]
        page = ptr32(int(page) + 8)
        r = ptr32(leaves)[r]
        values = ptr32(sums + (r & 1023))
        values[0] = (r >> 10) + values[0]
        i -= 1
    r = sums
    m = plan[_CLASSES]
    p = ptr8(-1)
    second = -1
    while i < m:
        bad = ptr32(r)[0]
        if (int(p) - bad) >> 31:
            second = int(p)
            p = ptr8(bad)
            end = i
        elif (second - bad) >> 31:
            second = bad
        r += 4
        i += 1
    return end | ((int(p) - second) << 8)
