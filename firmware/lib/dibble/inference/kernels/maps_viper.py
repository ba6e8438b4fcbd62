"""Kernels of maps in viper, where MicroPython has native emitters: see maps_words.py, viper_probe.py.

A 64-bit machine loads words without their sign: what may be below 0 gets it back.
"""

import micropython
from micropython import const

# As in maps_words.py.
_X_AT = const(0)
_OUT_AT = const(1)
_UNITS = const(2)
_RUN = const(3)
_X_ROW = const(4)
_X_DOWN = const(5)
_X_STEP = const(6)
_OUT_STEP = const(7)
_OUT_WIDTH = const(8)
_OUT_DOWN = const(9)
_OUT_HEIGHT = const(10)
_WEIGHTS = const(11)
_X_PIXEL = const(12)
_KERNEL_ROWS = const(13)
_WIDE = const(14)
_MULTIPLIER = const(15)
_BIAS = const(16)
_SHIFT = const(17)
_B_AT = const(18)
_B_DOWN = const(19)
_B_STEP = const(20)
_B_MULTIPLIER = const(21)
_BEFORE = const(1)
_BETWEEN = const(2)
_ROW = const(3)
_GAPS = const(4)
_AFTER = const(5)
_CODE = const(6)
_ROW_BYTES = const(1)
_SKIP = const(2)
_ROWS = const(3)
_SCALED = const(4)
_ZERO = const(5)
_FACTOR = const(6)
_DOWN = const(7)
_NO_READING = const(0x8000)


@micropython.viper
def conv(plan: ptr32, arena: ptr8, source: ptr8, scratch: ptr32) -> int:
    left = plan[_UNITS]
    out_first = plan[_OUT_AT]
    wide = plan[_WIDE]
    x_down = plan[_X_DOWN]
    x_down -= ((x_down >> 31) & 1) << 16 << 16
    out_down = plan[_OUT_DOWN]
    out_down -= ((out_down >> 31) & 1) << 16 << 16
    top = 65535 if wide else 255
    while left > 0:
        units = 8 if left > 8 else left
        shifts = ptr8(int(source) + 4 * units)
        weights = int(source) + 5 * units
        # A block of fewer than 8 units has further ones, of whatever follows in the file: theirs aren't stored.
        x0 = int(arena) + plan[_X_AT]
        out = int(arena) + out_first
        rows = plan[_OUT_HEIGHT]
        while rows:
            columns = plan[_OUT_WIDTH]
            while columns:
                t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = 0
                w = ptr8(weights)
                row = x0
                k = plan[_KERNEL_ROWS]
                while k:
                    x = ptr8(row)
                    end = row + plan[_RUN]
                    while int(x) < end:
                        code = x[0]
                        if code:
                            t0 += (w[0] - 128) * code
                            if units == 8:
                                t1 += (w[1] - 128) * code
                                t2 += (w[2] - 128) * code
                                t3 += (w[3] - 128) * code
                                t4 += (w[4] - 128) * code
                                t5 += (w[5] - 128) * code
                                t6 += (w[6] - 128) * code
                                t7 += (w[7] - 128) * code
                            elif units > 1:
                                t1 += (w[1] - 128) * code
                                if units > 2:
                                    t2 += (w[2] - 128) * code
                                    if units > 3:
                                        t3 += (w[3] - 128) * code
                                        if units > 4:
                                            t4 += (w[4] - 128) * code
                                            if units > 5:
                                                t5 += (w[5] - 128) * code
                                                if units > 6:
                                                    t6 += (w[6] - 128) * code
                        w = ptr8(int(w) + units)
                        x = ptr8(int(x) + 1)
                    row += plan[_X_ROW]
                    k -= 1
                scratch[0] = t0
                scratch[1] = t1
                scratch[2] = t2
                scratch[3] = t3
                scratch[4] = t4
                scratch[5] = t5
                scratch[6] = t6
                scratch[7] = t7
                to = ptr8(out)
                bias = source
                k = 0
                while k < units:
                    t0 = bias[3]
                    t0 = ((t0 - (t0 >> 7 << 8)) << 24) + (bias[2] << 16 | bias[1] << 8 | bias[0])
                    t1 = scratch[k]
                    t1 -= ((t1 >> 31) & 1) << 16 << 16
                    t0 = (t0 + t1) >> shifts[k]
                    if t0 < 0:
                        t0 = 0
                    if t0 > top:
                        t0 = top
                    to[0] = t0
                    if wide:
                        to = ptr8(int(to) + 1)
                        to[0] = t0 >> 8
                    to = ptr8(int(to) + 1)
                    bias = ptr8(int(bias) + 4)
                    k += 1
                x0 += plan[_X_STEP]
                out += plan[_OUT_STEP]
                columns -= 1
            x0 += x_down
            out += out_down
            rows -= 1
        out_first += units << wide
        left -= units
        source = ptr8(weights + units * plan[_WEIGHTS])
    return 0


@micropython.viper
def depthwise(plan: ptr32, arena: ptr8, source: ptr8, scratch: ptr32) -> int:
    left = plan[_UNITS]
    first = 0
    x_down = plan[_X_DOWN]
    x_down -= ((x_down >> 31) & 1) << 16 << 16
    out_down = plan[_OUT_DOWN]
    out_down -= ((out_down >> 31) & 1) << 16 << 16
    pixel = plan[_X_PIXEL]
    run = plan[_RUN]
    while left > 0:
        units = 32 if left > 32 else left
        weights = int(source) + 5 * units
        unit = 0
        while unit < units:
            bias = ptr8(int(source) + 4 * unit)
            start = bias[3]
            start = ((start - (start >> 7 << 8)) << 24) + (bias[2] << 16 | bias[1] << 8 | bias[0])
            shift = source[4 * units + unit]
            x0 = int(arena) + plan[_X_AT] + first + unit
            out = ptr8(int(arena) + plan[_OUT_AT] + first + unit)
            rows = plan[_OUT_HEIGHT]
            while rows:
                columns = plan[_OUT_WIDTH]
                while columns:
                    total = start
                    w = ptr8(weights)
                    row = x0
                    k = plan[_KERNEL_ROWS]
                    while k:
                        x = ptr8(row)
                        i = run
                        while i:
                            total += (w[0] - 128) * x[0]
                            w = ptr8(int(w) + 1)
                            x = ptr8(int(x) + pixel)
                            i -= 1
                        row += plan[_X_ROW]
                        k -= 1
                    total >>= shift
                    if total < 0:
                        total = 0
                    if total > 255:
                        total = 255
                    out[0] = total
                    x0 += plan[_X_STEP]
                    out = ptr8(int(out) + plan[_OUT_STEP])
                    columns -= 1
                x0 += x_down
                out = ptr8(int(out) + out_down)
                rows -= 1
            weights += plan[_WEIGHTS]
            unit += 1
        first += units
        left -= units
        source = ptr8(weights)
    return 0


@micropython.viper
def pool(plan: ptr32, arena: ptr8, source: ptr8, scratch: ptr32) -> int:
    x_down = plan[_X_DOWN]
    x_down -= ((x_down >> 31) & 1) << 16 << 16
    out_down = plan[_OUT_DOWN]
    out_down -= ((out_down >> 31) & 1) << 16 << 16
    start = plan[_BIAS]
    start -= ((start >> 31) & 1) << 16 << 16
    pixel = plan[_X_PIXEL]
    unit = 0
    while unit < plan[_UNITS]:
        x0 = int(arena) + plan[_X_AT] + unit
        out = ptr8(int(arena) + plan[_OUT_AT] + unit)
        rows = plan[_OUT_HEIGHT]
        while rows:
            columns = plan[_OUT_WIDTH]
            while columns:
                total = 0
                largest = 0
                row = x0
                k = plan[_KERNEL_ROWS]
                while k:
                    x = ptr8(row)
                    i = plan[_RUN]
                    while i:
                        code = x[0]
                        total += code
                        if code > largest:
                            largest = code
                        x = ptr8(int(x) + pixel)
                        i -= 1
                    row += plan[_X_ROW]
                    k -= 1
                if plan[_MULTIPLIER]:
                    largest = (total * plan[_MULTIPLIER] + start) >> plan[_SHIFT]
                    if largest < 0:
                        largest = 0
                    if largest > 255:
                        largest = 255
                out[0] = largest
                x0 += plan[_X_STEP]
                out = ptr8(int(out) + plan[_OUT_STEP])
                columns -= 1
            x0 += x_down
            out = ptr8(int(out) + out_down)
            rows -= 1
        unit += 1
    return 0


@micropython.viper
def add(plan: ptr32, arena: ptr8, source: ptr8, scratch: ptr32) -> int:
    x_down = plan[_X_DOWN]
    x_down -= ((x_down >> 31) & 1) << 16 << 16
    b_down = plan[_B_DOWN]
    b_down -= ((b_down >> 31) & 1) << 16 << 16
    out_down = plan[_OUT_DOWN]
    out_down -= ((out_down >> 31) & 1) << 16 << 16
    start = plan[_BIAS]
    start -= ((start >> 31) & 1) << 16 << 16
    a = ptr8(int(arena) + plan[_X_AT])
    b = ptr8(int(arena) + plan[_B_AT])
    out = ptr8(int(arena) + plan[_OUT_AT])
    rows = plan[_OUT_HEIGHT]
    while rows:
        columns = plan[_OUT_WIDTH]
        while columns:
            i = 0
            while i < plan[_UNITS]:
                total = (a[i] * plan[_MULTIPLIER] + b[i] * plan[_B_MULTIPLIER] + start) >> plan[_SHIFT]
                if total < 0:
                    total = 0
                if total > 255:
                    total = 255
                out[i] = total
                i += 1
            a = ptr8(int(a) + plan[_X_STEP])
            b = ptr8(int(b) + plan[_B_STEP])
            out = ptr8(int(out) + plan[_OUT_STEP])
            columns -= 1
        a = ptr8(int(a) + x_down)
        b = ptr8(int(b) + b_down)
        out = ptr8(int(out) + out_down)
        rows -= 1
    return 0


@micropython.viper
def fill(plan: ptr32, arena: ptr8, source: ptr8, scratch: ptr32) -> int:
    code = plan[_CODE]
    to = ptr8(int(arena) + plan[0])
    i = plan[_BEFORE]
    while i:
        i -= 1
        to[i] = code
    to = ptr8(int(to) + plan[_BEFORE] + plan[_ROW] - plan[_BETWEEN])
    gaps = plan[_GAPS]
    while gaps:
        i = plan[_BETWEEN]
        while i:
            i -= 1
            to[i] = code
        to = ptr8(int(to) + plan[_ROW])
        gaps -= 1
    i = plan[_AFTER]
    while i:
        i -= 1
        to[i] = code
    return 0


@micropython.viper
def take(plan: ptr32, arena: ptr8, source: ptr8, scratch: ptr32) -> int:
    to = ptr8(int(arena) + plan[0])
    readings = ptr16(source)
    zero = plan[_ZERO]
    zero -= ((zero >> 31) & 1) << 16 << 16
    missing = 0
    place = 0
    rows = plan[_ROWS]
    while rows:
        i = plan[_ROW_BYTES]
        while i:
            if plan[_SCALED]:
                code = readings[0]
                readings = ptr16(int(readings) + 2)
                place += 1
                if code == _NO_READING:
                    if missing == 0:
                        missing = place
                code -= code >> 15 << 16
                code = ((code - zero) * plan[_FACTOR]) >> plan[_DOWN]
                if code < 0:
                    code = 0
                if code > 255:
                    code = 255
                to[0] = code
            else:
                to[0] = source[0]
                source = ptr8(int(source) + 1)
            to = ptr8(int(to) + 1)
            i -= 1
        to = ptr8(int(to) + plan[_SKIP])
        rows -= 1
    return missing
