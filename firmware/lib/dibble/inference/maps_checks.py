"""The check of a network of maps: see checks.py. Its places are checked at each load, its weights once."""

from dibble.inference.bounds import within
from dibble.inference.fixed_point import READING_LIMIT
from dibble.inference.kernels import maps_words as p
from dibble.inference.maps import ADD, CONV, DEPTHWISE

MOST_WEIGHTS = 4096  # of a unit
MOST_BYTES = 1 << 20  # of the arena


def places(parts, classes):
    """Raise ValueError unless every kernel stays within the arena."""
    arena_bytes, taken, border, steps = parts
    within("classes", classes, 100, 1)
    within("arena", arena_bytes, MOST_BYTES, 1)
    within("steps", len(steps), 255, 1)
    _around(border, arena_bytes)
    to, row_bytes, skip, rows = taken[0], taken[1], taken[2], taken[3]
    within("frame", row_bytes, MOST_BYTES, 1)
    within("frame", rows, MOST_BYTES, 1)
    _reach("frame", to, ((row_bytes, 1), (rows, row_bytes + skip)), arena_bytes)
    within("multiplier", taken[p.FACTOR], 255, 1)
    within("zero point", taken[p.ZERO], 32768, -32768)
    within("shift", taken[p.DOWN], 30)
    for i in range(len(steps)):
        kind, plan, around, _ = steps[i]
        _around(around, arena_bytes)
        units, width, height = plan[p.UNITS], plan[p.OUT_WIDTH], plan[p.OUT_HEIGHT]
        for count in (units, width, height, plan[p.KERNEL_ROWS], plan[p.RUN], plan[p.X_PIXEL]):
            within("size", count, 65535, 1)
        right = plan[p.X_STEP]
        down = plan[p.X_DOWN] + width * right
        row = plan[p.X_ROW]
        kernel = (plan[p.KERNEL_ROWS], row), (plan[p.RUN], 1 if kind == CONV else plan[p.X_PIXEL])
        if kind != CONV:
            kernel += ((units, 1),)
        _reach("input", plan[p.X_AT], ((height, down), (width, right)) + kernel, arena_bytes)
        each = 1 + plan[p.WIDE]
        out_row = plan[p.OUT_DOWN] + width * plan[p.OUT_STEP]
        if plan[p.WIDE]:
            within("outputs", width * height, 1, 1)
            within("place of the scores", plan[p.OUT_AT] & 1, 0)
            if kind != CONV:
                raise ValueError("scores of a step of kind %d" % kind)
        _reach("output", plan[p.OUT_AT], ((height, out_row), (width, plan[p.OUT_STEP]), (units * each, 1)), arena_bytes)
        if kind == CONV or kind == DEPTHWISE:
            within("weights", plan[p.WEIGHTS], MOST_WEIGHTS)
        else:
            within("shift", plan[p.SHIFT], 30)
            within("multiplier", plan[p.MULTIPLIER], 32767)
            window = plan[p.WEIGHTS] if kind != ADD else 1
            sums = plan[p.MULTIPLIER] * 255 * window
            if kind == ADD:
                within("multiplier", plan[p.B_MULTIPLIER], 32767)
                sums += 255 * plan[p.B_MULTIPLIER]
                second = (height, plan[p.B_DOWN] + width * plan[p.B_STEP]), (width, plan[p.B_STEP]), (units, 1)
                _reach("second input", plan[p.B_AT], second, arena_bytes)
            within("sum", abs(plan[p.BIAS]) + sums)


def _around(border, arena_bytes):
    if border:
        at, before, between, row, gaps, after, _ = border
        for value in border:
            within("border", value, arena_bytes)
        within("border", between, row)
        within("border", at + before + row - between + gaps * row + after, arena_bytes)


def _reach(what, at, counts, arena_bytes):
    """Raise ValueError unless what is touched from `at` on is there: `counts` are (how many, bytes between two)."""
    within(what, at, arena_bytes)
    for count, step in counts:
        within(what, step, arena_bytes)
        at += (count - 1) * step
    within(what, at + 1, arena_bytes)


def maps(model):
    """Raise ValueError unless no sum of an ImageModel's network leaves the small ints, and each shift is one."""
    for kind, plan, _, at in model.steps:
        if kind <= DEPTHWISE:
            _weights(model.blob, at, plan, p.CONV_UNITS if kind == CONV else p.DEPTHWISE_UNITS, kind == CONV)


def _weights(blob, at, plan, block, together):
    left = plan[p.UNITS]
    each = plan[p.WEIGHTS]
    while left:
        units = min(left, block)
        weights = blob[at : at + units * (5 + each)]
        if len(weights) != units * (5 + each):
            raise ValueError("weights beyond the file's end")
        first = 5 * units
        for unit in range(units):
            top = weights[4 * unit + 3]
            within("bias", top - (top >> 7 << 8), 63, -64)
            least = (top - (top >> 7 << 8) << 24) + (weights[4 * unit + 2] << 16)
            least += weights[4 * unit + 1] << 8 | weights[4 * unit]
            within("shift", weights[4 * units + unit], 30)
            most = least
            k = first + (unit if together else unit * each)
            for _ in range(each):
                weight = weights[k] - 128
                k += units if together else 1
                if weight < 0:
                    least += 255 * weight
                else:
                    most += 255 * weight
            within("sum", least, READING_LIMIT, -READING_LIMIT)
            within("sum", most, READING_LIMIT, -READING_LIMIT)
        at += units * (5 + each)
        left -= units
