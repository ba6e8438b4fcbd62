"""Kernels of maps in plain bytecode, for every interpreter: see generator.py, maps_words.py.

Args of all of these:
    plan: array("i").
    arena: bytearray, all maps.
    source: what is sent: the bytes of the blocks, of a frame its buffer.
"""

from dibble.inference.kernels.maps_take import take  # noqa: F401
from dibble.inference.kernels.maps_words import (
    AFTER,
    AT,
    B_AT,
    B_DOWN,
    B_MULTIPLIER,
    B_STEP,
    BEFORE,
    BETWEEN,
    BIAS,
    CODE,
    CONV_UNITS,
    DEPTHWISE_UNITS,
    GAPS,
    KERNEL_ROWS,
    MULTIPLIER,
    OUT_AT,
    OUT_DOWN,
    OUT_HEIGHT,
    OUT_STEP,
    OUT_WIDTH,
    ROW,
    RUN,
    SHIFT,
    UNITS,
    WEIGHTS,
    WIDE,
    X_AT,
    X_DOWN,
    X_PIXEL,
    X_ROW,
    X_STEP,
)


def conv(plan, arena):
    """A full convolution, or a dense layer, whose kernel is as large as the map."""
    while True:
        source = yield
        block = first = 0
        left = plan[UNITS]
        while left:
            units = CONV_UNITS if left > CONV_UNITS else left
            weights = block + 5 * units
            for unit in range(units):
                at = block + 4 * unit
                bias = source[at + 3]
                bias = (bias - (bias >> 7 << 8) << 24) + (source[at + 2] << 16 | source[at + 1] << 8 | source[at])
                shift = source[block + 4 * units + unit]
                x = plan[X_AT]
                out = plan[OUT_AT] + (first + unit << plan[WIDE])
                for _ in range(plan[OUT_HEIGHT]):
                    for _ in range(plan[OUT_WIDTH]):
                        total = bias
                        k = weights + unit
                        row = x
                        for _ in range(plan[KERNEL_ROWS]):
                            for i in range(row, row + plan[RUN]):
                                code = arena[i]
                                if code:
                                    total += (source[k] - 128) * code
                                k += units
                            row += plan[X_ROW]
                        total >>= shift
                        if plan[WIDE]:
                            total = 0 if total < 0 else 65535 if total > 65535 else total
                            arena[out + 1] = total >> 8
                            total &= 255
                        arena[out] = 0 if total < 0 else 255 if total > 255 else total
                        x += plan[X_STEP]
                        out += plan[OUT_STEP]
                    x += plan[X_DOWN]
                    out += plan[OUT_DOWN]
            first += units
            left -= units
            block = weights + units * plan[WEIGHTS]


def depthwise(plan, arena):
    """A kernel for each channel by itself."""
    while True:
        source = yield
        block = first = 0
        left = plan[UNITS]
        while left:
            units = DEPTHWISE_UNITS if left > DEPTHWISE_UNITS else left
            weights = block + 5 * units
            for unit in range(units):
                at = block + 4 * unit
                bias = source[at + 3]
                bias = (bias - (bias >> 7 << 8) << 24) + (source[at + 2] << 16 | source[at + 1] << 8 | source[at])
                shift = source[block + 4 * units + unit]
                x = plan[X_AT] + first + unit
                out = plan[OUT_AT] + first + unit
                for _ in range(plan[OUT_HEIGHT]):
                    for _ in range(plan[OUT_WIDTH]):
                        total = bias
                        k = weights
                        row = x
                        for _ in range(plan[KERNEL_ROWS]):
                            i = row
                            for _ in range(plan[RUN]):
                                total += (source[k] - 128) * arena[i]
                                i += plan[X_PIXEL]
                                k += 1
                            row += plan[X_ROW]
                        total >>= shift
                        arena[out] = 0 if total < 0 else 255 if total > 255 else total
                        x += plan[X_STEP]
                        out += plan[OUT_STEP]
                    x += plan[X_DOWN]
                    out += plan[OUT_DOWN]
                weights += plan[WEIGHTS]
            first += units
            left -= units
            block = weights


def pool(plan, arena):
    """The mean or the largest of a window, for each channel by itself."""
    while True:
        yield
        for unit in range(plan[UNITS]):
            x = plan[X_AT] + unit
            out = plan[OUT_AT] + unit
            for _ in range(plan[OUT_HEIGHT]):
                for _ in range(plan[OUT_WIDTH]):
                    total = largest = 0
                    row = x
                    for _ in range(plan[KERNEL_ROWS]):
                        i = row
                        for _ in range(plan[RUN]):
                            code = arena[i]
                            total += code
                            if code > largest:
                                largest = code
                            i += plan[X_PIXEL]
                        row += plan[X_ROW]
                    if plan[MULTIPLIER]:
                        total = total * plan[MULTIPLIER] + plan[BIAS] >> plan[SHIFT]
                        largest = 0 if total < 0 else 255 if total > 255 else total
                    arena[out] = largest
                    x += plan[X_STEP]
                    out += plan[OUT_STEP]
                x += plan[X_DOWN]
                out += plan[OUT_DOWN]


def add(plan, arena):
    """The weighted sum of two maps."""
    while True:
        yield
        a = plan[X_AT]
        b = plan[B_AT]
        out = plan[OUT_AT]
        for _ in range(plan[OUT_HEIGHT]):
            for _ in range(plan[OUT_WIDTH]):
                for i in range(plan[UNITS]):
                    total = arena[a + i] * plan[MULTIPLIER] + arena[b + i] * plan[B_MULTIPLIER] + plan[BIAS]
                    total >>= plan[SHIFT]
                    arena[out + i] = 0 if total < 0 else 255 if total > 255 else total
                a += plan[X_STEP]
                b += plan[B_STEP]
                out += plan[OUT_STEP]
            a += plan[X_DOWN]
            b += plan[B_DOWN]
            out += plan[OUT_DOWN]


def fill(plan, arena):
    """What lies around a map."""
    while True:
        yield
        at = plan[AT]
        code = plan[CODE]
        for i in range(at, at + plan[BEFORE]):
            arena[i] = code
        at += plan[BEFORE] + plan[ROW] - plan[BETWEEN]
        for _ in range(plan[GAPS]):
            for i in range(at, at + plan[BETWEEN]):
                arena[i] = code
            at += plan[ROW]
        for i in range(at, at + plan[AFTER]):
            arena[i] = code
