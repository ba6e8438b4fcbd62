"""The kernel of the stream family in viper, where MicroPython has native emitters: see stream_plan.py, viper_probe.py.

A sum is within -2**30..2**30 - 1, so bits 0..30 tell all of it.
"""

import micropython
from micropython import const

# Words of the plan, as in stream_plan.py.
_FILE = const(0)
_FILE_HIGH = const(1)
_LAYERS_AT = const(2)
_SCORES_AT = const(3)
_SCORES_END = const(4)
# Words of a layer.
_KIND = const(0)
_SLOT = const(1)
_FIRST = const(2)
_AGAIN = const(3)
_ROW = const(4)
_SPAN = const(5)
_LEFT = const(6)
_STRIDE = const(7)
_BEHIND = const(8)
_UNITS_AT = const(9)
_UNITS_END = const(10)
_WEIGHTS = const(11)
_SIZE = const(12)
_SMALL = const(0x3FFFFFFF)


@micropython.viper
def hop(p: ptr32, r: ptr8) -> int:
    plan = p
    file = plan[_FILE] | plan[_FILE_HIGH] << 16 << 16
    layer = ptr32(int(plan) + plan[_LAYERS_AT])
    # The row goes to the first layer's history, twice.
    x = ptr8(int(plan) + layer[_SLOT])
    n = layer[_SPAN]
    i = layer[_ROW]
    while i:
        i -= 1
        x[i] = r[i]
        x[i + n] = r[i]
    scores = int(plan) + plan[_SCORES_AT]
    scores_end = int(plan) + plan[_SCORES_END]
    while True:
        # What the layer sees begins behind its newest row's first copy.
        n = layer[_SLOT] + layer[_ROW]
        window = ptr8(int(plan) + n)
        if n == layer[_AGAIN]:
            n = layer[_FIRST]
        layer[_SLOT] = n
        n = layer[_LEFT] - 1
        if n:
            layer[_LEFT] = n
            return -1
        layer[_LEFT] = layer[_STRIDE]
        span = layer[_SPAN]
        out = ptr8(scores)
        twin = 0
        behind = ptr32(int(plan) + layer[_BEHIND])
        if layer[_BEHIND]:
            out = ptr8(int(plan) + behind[_SLOT])
            twin = behind[_SPAN]
        kind = layer[_KIND]
        row = ptr8(file + layer[_WEIGHTS])
        size = layer[_SIZE]
        if kind == 3:
            p = ptr32(int(plan) + layer[_WEIGHTS])
            i = layer[_ROW]
            newest = span - i
            half = size & 255
            size >>= 8
            while i:
                n = (p[0] + window[newest] - window[0]) & _SMALL
                p[0] = n
                n = n + half >> size
                out[0] = n
                out[twin] = n
                p = ptr32(int(p) + 4)
                window = ptr8(int(window) + 1)
                out = ptr8(int(out) + 1)
                i -= 1
        else:
            excess = 0
            if kind < 2:
                x = window
                i = span
                while i:
                    excess += x[0]
                    x = ptr8(int(x) + 1)
                    i -= 1
                excess <<= 7 if kind == 0 else 3
            p = ptr32(int(plan) + layer[_UNITS_AT])
            units_end = int(plan) + layer[_UNITS_END]
            while int(p) < units_end:
                shifts = p[4]
                newest = 0
                while newest < 4:
                    r = row
                    x = window
                    n = p[0] - excess
                    if kind == 0:
                        r = ptr8(int(r) + newest)
                        i = span
                        while i > 3:
                            n += r[0] * x[0] + r[4] * x[1] + r[8] * x[2] + r[12] * x[3]
                            r = ptr8(int(r) + 16)
                            x = ptr8(int(x) + 4)
                            i -= 4
                        while i:
                            n += r[0] * x[0]
                            r = ptr8(int(r) + 4)
                            x = ptr8(int(x) + 1)
                            i -= 1
                    elif kind == 1:
                        r = ptr8(int(r) + (newest >> 1))
                        half = (newest & 1) << 2
                        i = span
                        while i:
                            n += (r[0] >> half & 15) * x[0]
                            r = ptr8(int(r) + 2)
                            x = ptr8(int(x) + 1)
                            i -= 1
                    else:
                        r = ptr8(int(r) + newest)
                        x = ptr8(int(x) + newest)
                        half = layer[_ROW]
                        i = size
                        while i:
                            n += (r[0] - 128) * x[0]
                            r = ptr8(int(r) + 4)
                            x = ptr8(int(x) + half)
                            i -= 4
                    if (n >> 30) & 1:
                        n = 0
                    n = (n & _SMALL) >> (shifts & 31)
                    shifts >>= 8
                    if layer[_BEHIND]:
                        if n > 255:
                            n = 255
                        out[0] = n
                        out[twin] = n
                        out = ptr8(int(out) + 1)
                    else:
                        ptr32(out)[0] = n
                        out = ptr8(int(out) + 4)
                    p = ptr32(int(p) + 4)
                    newest += 1
                p = ptr32(int(p) + 4)
                row = ptr8(int(row) + size)
                if kind == 2:
                    window = ptr8(int(window) + 4)
        if layer[_BEHIND] == 0:
            break
        layer = behind
    # Winner and runner-up.
    p = ptr32(scores)
    best = -1
    second = -1
    i = 0
    n = 0
    while int(p) < scores_end:
        size = p[0]
        if size > best:
            second = best
            best = size
            n = i
        elif size > second:
            second = size
        p = ptr32(int(p) + 4)
        i += 1
    return n | best - second << 8
