"""Maps family: a small convolutional network of int8 weights over a frame of bytes.

All maps lie in one arena; each step reads what lies at one place of it and writes to another. Kernels run on plans
(kernels/maps_words.py); weights are used where they lie, or read block by block where the file isn't in memory.
"""

from array import array

from dibble.inference.kernels.choice import KIND
from dibble.inference.kernels.generator import started
from dibble.inference.kernels.maps_words import (
    CONV_UNITS,
    DEPTHWISE_UNITS,
    OUT_AT,
    UNITS,
    WEIGHTS,
    WIDE,
    WORDS,
    X_AT,
)

if KIND == "bytecode":
    from dibble.inference.kernels.maps_bytecode import add, conv, depthwise, fill, pool, take
elif KIND == "thumb":
    from dibble.inference.kernels.maps_conv_thumb import conv
    from dibble.inference.kernels.maps_depthwise_thumb import depthwise
    from dibble.inference.kernels.maps_frame_thumb import fill, take
    from dibble.inference.kernels.maps_pool_thumb import add, pool
else:
    from dibble.inference.kernels.maps_viper import add, conv, depthwise, fill, pool, take

CONV, DEPTHWISE, POOL, ADD = range(4)
KERNELS = conv, depthwise, pool, add
BUFFER_BYTES = 4096  # of weights that are read at once, if that isn't less than a block's


def read(cursor, frame, classes):
    """Return (arena bytes, plan of the frame, plan of what lies around it, steps) and pass over the weights.

    Args:
        frame: (height, width, depth, scaled, zero_point, multiplier, shift), as image.read_frame tells it.
    Returns:
        steps: (kind, plan, plan of what lies around its output, place of its weights in the file) of each. The last
        one's outputs are scores, one a class. A plan of what lies around is () where nothing does.
    """
    height, width, depth = frame[:3]
    arena_bytes = cursor.number()
    row_bytes = width * depth
    taken = array("i", [cursor.number(), row_bytes, cursor.number(), height])
    taken.extend(array("i", frame[3:]))
    border = _border(cursor, height, row_bytes + taken[2])
    count = cursor.number()
    steps = []
    for i in range(count):
        steps.append(_step(cursor, classes if i + 1 == count else 0))
    for i in range(count):
        kind, plan, around = steps[i]
        steps[i] = kind, plan, around, cursor.at
        if kind <= DEPTHWISE:
            cursor.at += plan[UNITS] * (5 + plan[WEIGHTS])
    return arena_bytes, taken, border, steps


def _step(cursor, classes):
    """Return (kind, plan, plan of what lies around its output) of a step; `classes`: of the last one, else 0."""
    kind = cursor.byte()
    if kind > ADD:
        raise ValueError("a step of kind %d" % kind)
    plan = array("i", [0] * WORDS)
    x_at, x_row, x_pixel, out_at, out_row, height, width = [cursor.number() for _ in range(7)]
    units = classes or cursor.number()
    kernel_rows, kernel_width, down, right = [cursor.byte() for _ in range(4)]
    run = kernel_width * x_pixel if kind == CONV else kernel_width
    words = [x_at, out_at, units, run, x_row, down * x_row - width * right * x_pixel, right * x_pixel]
    words += [units, width, out_row - width * units, height]
    words += [kernel_rows * run, x_pixel, kernel_rows, 1 if classes else 0]
    if kind > DEPTHWISE:
        words += [cursor.number(), cursor.signed(), cursor.byte()]
    if kind == ADD:
        b_at, b_row, b_pixel, multiplier = [cursor.number() for _ in range(4)]
        words += [b_at, b_row - width * b_pixel, b_pixel, multiplier]
    for k in range(len(words)):
        plan[k] = words[k]
    return kind, plan, _border(cursor, height, out_row)


def _border(cursor, rows, row):
    """Return the plan of what lies around a map of so many rows, `row` bytes from one to the next; () if nothing."""
    if not cursor.byte():
        return ()
    words = cursor.number(), cursor.number(), cursor.number(), row, rows - 1, cursor.number(), cursor.byte()
    return array("i", words)


def build(blob, parts):
    """Return (take, run, arena): take(frame) tells whether one of its readings is missing, run(None) finds the scores.

    Args:
        blob: the model file's bytes, or its image.Pages: then weights are read from it in pieces of BUFFER_BYTES.
        parts: from `read`.
    """
    file = getattr(blob, "file", None)
    arena_bytes, taken, border, steps = parts
    arena = bytearray(arena_bytes)
    scratch = arena
    if KIND != "bytecode":
        scratch = bytearray(max([_scratch_bytes(kind, plan) for kind, plan, _, _ in steps]))
    buffer = None
    if file:
        buffer = memoryview(bytearray(max([_piece(kind, plan)[1] for kind, plan, _, _ in steps])))
    run = [_bound(fill, border, arena, arena)] if border else []
    for kind, plan, around, at in steps:
        if around:
            run.append(_bound(fill, around, arena, arena))
        kernel = _bound(KERNELS[kind], plan, arena, scratch)
        if kind > DEPTHWISE:
            run.append(kernel)
        elif file:
            run.append(started(_streamed(kernel, kind, plan, file, at, buffer)))
        else:
            run.append(started(_kept(kernel, _view(blob, at, plan[UNITS] * (5 + plan[WEIGHTS])))))
    return _bound(take, taken, arena, arena), started(_run(run, arena)), arena


def _view(blob, at, size):
    if at + size > len(blob):
        raise ValueError("weights of %d bytes at %d of %d" % (size, at, len(blob)))
    return memoryview(blob)[at : at + size]


def _bound(kernel, plan, arena, scratch):
    """Return f(source) of a kernel."""
    return started(kernel(plan, arena) if KIND == "bytecode" else _call(kernel, plan, arena, scratch))


def _call(kernel, plan, arena, scratch):
    found = None
    while True:
        source = yield found
        found = kernel(plan, arena, source, scratch)


def _scratch_bytes(kind, plan):
    """Return what a kernel in machine code needs for one block's weights as words."""
    block = CONV_UNITS if kind == CONV else DEPTHWISE_UNITS if kind == DEPTHWISE else 0
    return 4 * block * (2 + plan[WEIGHTS])


def _piece(kind, plan):
    """Return (units whose weights are read at once, bytes of these)."""
    if kind > DEPTHWISE:
        return 0, 0
    block = CONV_UNITS if kind == CONV else DEPTHWISE_UNITS
    each = 5 + plan[WEIGHTS]
    units = min(plan[UNITS], max(1, BUFFER_BYTES // (block * each)) * block)
    return units, units * each


def _run(steps, arena):
    while True:
        yield
        for step in steps:
            step(arena)  # a kernel without weights takes any buffer for them


def _kept(kernel, weights):
    while True:
        yield
        kernel(weights)


def _streamed(kernel, kind, plan, file, at, buffer):
    total = plan[UNITS]
    out_at = plan[OUT_AT]
    x_at = plan[X_AT]
    units, size = _piece(kind, plan)
    rest = total % units
    whole = buffer[:size]
    last = buffer[: rest * (size // units)]
    while True:
        yield
        file.seek(at)
        done = 0
        while done < total:
            view = whole
            plan[UNITS] = units
            if done + units > total:
                view = last
                plan[UNITS] = rest
            plan[OUT_AT] = out_at + (done << plan[WIDE])
            if kind == DEPTHWISE:
                plan[X_AT] = x_at + done
            file.readinto(view)
            kernel(view)
            done += units
