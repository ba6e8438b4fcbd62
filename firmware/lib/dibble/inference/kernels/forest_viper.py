"""The forest family's kernel in viper, where MicroPython has native emitters: see forest_plan.py, viper_probe.py."""

import micropython
from micropython import const

# Words of the plan, as in plan.py and forest_plan.py.
_FILE = const(0)
_FILE_HIGH = const(1)
_UNSURE_BELOW = const(2)
_STEADY = const(3)
_FLAGS = const(4)
_VALUES_AT = const(5)
_FOURS = const(6)
_ONES = const(7)
_RANKED_AT = const(8)
_RANKED_END = const(9)
_BASE_AT = const(10)
_SUMS_AT = const(11)
_CLASSES_BYTES = const(13)
_PAGES_AT = const(14)
_TREES_END = const(15)
_LEAVES_AT = const(16)
_LEAVES_END = const(17)
_NODES = const(18)
_RANGES_AT = const(76)
_VALUE = const(0x3FFFFFFF)  # all bits of one


@micropython.viper
def classify(p: ptr32, r: ptr32) -> int:
    plan = p
    inputs = r
    row = r
    # All inputs' distances from their low, of which bytes are kept, and whether none is below 0 or beyond its span.
    values = ptr8(int(plan) + plan[_VALUES_AT])
    bad = 0
    i = plan[_FOURS]
    p = ptr32(int(plan) + _RANGES_AT)
    while i:
        r = ptr32(inputs[0] - p[0])
        values[0] = int(r)
        bad = (p[1] - int(r)) | int(r) | bad
        r = ptr32(inputs[1] - p[2])
        values[1] = int(r)
        bad = (p[3] - int(r)) | int(r) | bad
        r = ptr32(inputs[2] - p[4])
        values[2] = int(r)
        bad = (p[5] - int(r)) | int(r) | bad
        r = ptr32(inputs[3] - p[6])
        values[3] = int(r)
        bad = (p[7] - int(r)) | int(r) | bad
        inputs = ptr32(int(inputs) + 16)
        p = ptr32(int(p) + 32)
        values = ptr8(int(values) + 4)
        i -= 16
    i = plan[_ONES]
    while i:
        r = ptr32(inputs[0] - p[0])
        values[0] = int(r)
        bad = (p[1] - int(r)) | int(r) | bad
        inputs = ptr32(int(inputs) + 4)
        p = ptr32(int(p) + 8)
        values = ptr8(int(values) + 1)
        i -= 4
    if (bad >> 30) & 3:
        return -1
    # Values of features with thresholds become their rank.
    file = plan[_FILE] | plan[_FILE_HIGH] << 16 << 16
    p = ptr32(int(plan) + plan[_RANKED_AT])
    end = int(plan) + plan[_RANKED_END]
    while int(p) < end:
        r = ptr32(int(row) + p[0])
        bad = (r[0] - p[1]) & _VALUE
        r = ptr32(file + p[2])
        m = p[3]
        i = p[4]
        if p[5] == 0:
            while m:
                if bad > ptr8(r)[m]:
                    r = ptr32(int(r) + i)
                m >>= 1
                i = m
        elif p[5] == 1:
            while m > 1:
                if bad > ptr16(int(r) + m)[0]:
                    r = ptr32(int(r) + i)
                m >>= 1
                i = m
        else:
            while m > 2:
                if bad > ptr32(int(r) + m)[0]:
                    r = ptr32(int(r) + i)
                m >>= 1
                i = m
        ptr8(int(plan) + p[6])[0] = int(r) - file - p[2] >> p[5]
        p = ptr32(int(p) + 28)
    # Each class's sum begins with its base.
    i = plan[_CLASSES_BYTES]
    sums = int(plan) + plan[_SUMS_AT]
    r = ptr32(sums)
    p = ptr32(int(plan) + plan[_BASE_AT])
    while i:
        r[0] = p[0]
        r = ptr32(int(r) + 4)
        p = ptr32(int(p) + 4)
        i -= 4
    # The walk: p the values, r the node or a reference.
    page = ptr32(int(plan) + plan[_PAGES_AT])
    trees_end = int(plan) + plan[_TREES_END]
    leaves = ptr16(int(plan) + plan[_LEAVES_AT] - 256)
    end = plan[_LEAVES_END]
    followers = int(page) - 8 * end
    m = plan[_NODES]
    p = ptr32(int(plan) + plan[_VALUES_AT])
    while int(page) < trees_end:
        next_page = page
        while True:
            features = ptr8(file + next_page[0])
            codes = ptr8(int(features) + m)
            lefts = ptr8(int(codes) + m)
            r = ptr32(0)
            while not (int(r) & 128):
                # Right where the value is beyond the code: then the difference's sign picks the table after lefts.
                r = ptr32(lefts[int(r) + (((codes[int(r)] - ptr8(p)[features[int(r)]]) >> 31) & m)])
            if int(r) < end:
                break
            next_page = ptr32(followers + next_page[1] + 8 * int(r))
        page = ptr32(int(page) + 8)
        i = leaves[int(r)]
        r = ptr32(sums + (i >> 8 << 2))
        r[0] = (i & 255) + r[0]
    # Winner and runner-up.
    p = ptr32(sums)
    r = ptr32(-1)
    second = -1
    i = 0
    m = plan[_CLASSES_BYTES] >> 2
    while i < m:
        bad = p[0]
        if (int(r) - bad) >> 31:
            second = int(r)
            r = ptr32(bad)
            end = i
        elif (second - bad) >> 31:
            second = bad
        p = ptr32(int(p) + 4)
        i += 1
    # The margin, and what goes with it.
    bad = int(r) - second
    i = plan[_FLAGS]
    if (bad - plan[_UNSURE_BELOW]) >> 31:
        i |= 1
    end |= i << 25
    if end == plan[_STEADY]:
        return -2 - bad
    return end | bad << 8
