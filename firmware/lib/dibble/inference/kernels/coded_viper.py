"""The kernel of codes in viper, where MicroPython has native emitters: see coded_plan.py, viper_probe.py.

A sum of the mlp's is within -2**30..2**30 - 1, so bits 0..30 tell all of it.
"""

import micropython
from micropython import const

# Words of the plan, as in plan.py and coded_plan.py.
_FILE = const(0)
_FILE_HIGH = const(1)
_UNSURE_BELOW = const(2)
_STEADY = const(3)
_FLAGS = const(4)
_LAYERS = const(5)
_INPUTS_END = const(6)
_CODES_AT = const(7)
_SCORES_AT = const(8)
_SCORES_END = const(9)
_PARTS_AT = const(10)
_PARTS_END = const(11)
_LAST_ROW = const(12)
_INPUTS_AT = const(52)
_SMALL = const(0x3FFFFFFF)  # the low 30 bits
# Words of a layer.
_FORM = const(0)
_TOP = const(1)
_OUT_AT = const(2)
_UNITS_END = const(3)
_X_AT = const(4)
_X_BYTES = const(6)
_ZERO_POINT = const(7)
_ROW = const(8)
_BOOK = const(9)
_LAYER_BYTES = const(40)


@micropython.viper
def classify(p: ptr32, r: ptr32) -> int:
    plan = p
    x = r
    plan[_LAST_ROW] = int(r)
    # Each input's distance from its low, whether it is below 0 or beyond its span, and its code, as scale.scale.
    out = ptr32(int(plan) + plan[_CODES_AT])
    end = int(plan) + plan[_INPUTS_END]
    p = ptr32(int(plan) + _INPUTS_AT)
    bad = 0
    while int(p) < end:
        r = ptr32(x[0] - p[0])
        bad = (p[1] - int(r)) | int(r) | bad
        r = ptr32(int(r) & _SMALL)
        i = p[2]
        if i:
            r = ptr32(int(r) + i)
            i = 7
            while int(r) >= 8192:
                r = ptr32(int(r) >> 4)
                i += 4
            while int(r) >= 512:
                r = ptr32(int(r) >> 1)
                i += 1
            while int(r) < 256:
                r = ptr32(int(r) << 1)
                i -= 1
            r = ptr32(int(r) + (i << 8))
        else:
            r = ptr32(int(r) >> p[3])
        r = ptr32((int(r) - p[4]) * p[5] >> p[6])
        if int(r) >> 31:
            r = ptr32(0)
        i = p[7]
        if (i - int(r)) >> 31:
            r = ptr32(i)
        out[0] = int(r)
        x = ptr32(int(x) + 4)
        out = ptr32(int(out) + 4)
        p = ptr32(int(p) + 32)
    if (bad >> 30) & 3:
        return -1
    file = plan[_FILE] | plan[_FILE_HIGH] << 16 << 16
    end = int(plan) + plan[_PARTS_END]
    p = ptr32(int(plan) + plan[_PARTS_AT])
    scores = int(plan) + plan[_SCORES_AT]
    scores_end = int(plan) + plan[_SCORES_END]
    if plan[_LAYERS]:
        while int(p) < end:
            inputs = ptr32(int(plan) + p[_X_AT])
            form = p[_FORM]
            excess = 0
            if form != 2:
                r = inputs
                i = p[_X_BYTES]
                while i:
                    excess += r[0]
                    r = ptr32(int(r) + 4)
                    i -= 4
                excess *= p[_ZERO_POINT]
            row = ptr8(file + p[_ROW])
            book = ptr8(file + p[_BOOK])
            top = p[_TOP]
            out = ptr32(int(plan) + p[_OUT_AT])
            weights = p[_X_BYTES] >> 2
            units_end = int(plan) + p[_UNITS_END]
            p = ptr32(int(p) + _LAYER_BYTES)
            while int(p) < units_end:
                r = ptr32(p[0] - excess)
                x = inputs
                i = weights
                if form == 0:
                    while i > 7:
                        r = ptr32(int(r) + row[0] * x[0])
                        r = ptr32(int(r) + row[1] * x[1])
                        r = ptr32(int(r) + row[2] * x[2])
                        r = ptr32(int(r) + row[3] * x[3])
                        r = ptr32(int(r) + row[4] * x[4])
                        r = ptr32(int(r) + row[5] * x[5])
                        r = ptr32(int(r) + row[6] * x[6])
                        r = ptr32(int(r) + row[7] * x[7])
                        row = ptr8(int(row) + 8)
                        x = ptr32(int(x) + 32)
                        i -= 8
                    while i:
                        r = ptr32(int(r) + row[0] * x[0])
                        row = ptr8(int(row) + 1)
                        x = ptr32(int(x) + 4)
                        i -= 1
                elif form == 1:
                    while i:
                        r = ptr32(int(r) + ptr16(row)[0] * x[0])
                        row = ptr8(int(row) + 2)
                        x = ptr32(int(x) + 4)
                        i -= 1
                elif form == 2:
                    m = row[0]
                    i = m
                    while i:
                        row = ptr8(int(row) + 1)
                        r = ptr32(int(r) + (row[m] - 128) * x[row[0]])
                        i -= 1
                    row = ptr8(int(row) + m + 1)
                else:
                    while i > 0:
                        m = row[0]
                        r = ptr32(int(r) + book[m >> 4] * x[0] + book[m & 15] * x[1])
                        row = ptr8(int(row) + 1)
                        x = ptr32(int(x) + 8)
                        i -= 2
                if (int(r) >> 30) & 1:
                    r = ptr32(0)
                r = ptr32((int(r) & _SMALL) >> p[1])
                if int(r) > top:
                    r = ptr32(top)
                out[0] = int(r)
                out = ptr32(int(out) + 4)
                p = ptr32(int(p) + 8)
    else:
        r = ptr32(scores)
        x = ptr32(int(plan) + plan[_PARTS_END])
        while int(r) < scores_end:
            r[0] = x[0]
            r = ptr32(int(r) + 4)
            x = ptr32(int(x) + 4)
        x = ptr32(int(plan) + plan[_CODES_AT])
        while int(p) < end:
            i = ptr32(int(x) + p[0])[0]
            if p[3]:
                i = (i >> p[4]) * p[3] + (ptr32(int(x) + p[5])[0] >> p[6])
            row = ptr8(file + p[1] + i)
            i = p[2]
            r = ptr32(scores + 4)
            while int(r) < scores_end:
                r[0] = row[0] + r[0]
                r = ptr32(int(r) + 4)
                row = ptr8(int(row) + i)
            p = ptr32(int(p) + (28 if p[3] else 16))
    # Winner and runner-up.
    p = ptr32(scores)
    r = ptr32(-1)
    second = -1
    i = 0
    m = 0
    while int(p) < scores_end:
        bad = p[0]
        if (int(r) - bad) >> 31:
            second = int(r)
            r = ptr32(bad)
            m = i
        elif (second - bad) >> 31:
            second = bad
        p = ptr32(int(p) + 4)
        i += 1
    # The margin, and what goes with it.
    bad = int(r) - second
    i = plan[_FLAGS]
    if (bad - plan[_UNSURE_BELOW]) >> 31:
        i |= 1
    m |= i << 25
    if m == plan[_STEADY]:
        return -2 - bad
    return m | bad << 8
