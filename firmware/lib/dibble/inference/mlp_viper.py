"""The mlp family's kernel as machine code, where MicroPython has native emitters: see kernels_viper.py.

A sum is within -2**30..2**30 - 1, so bits 0..30 tell all of it.
"""

import micropython
from micropython import const

from dibble.inference.kernels_viper import append_scalers, fill, judging, place, plan_of
from dibble.inference.started import started

_SMALL = const(0x3FFFFFFF)  # the low 30 bits
# Words of the plan. AT: where in the plan, in bytes, something lies.
_LAYERS = const(0)
_LAYERS_AT = const(1)
_INPUTS = const(2)
_CODES_AT = const(3)
_X_AT = const(4)
_SCORES_AT = const(5)
_SCALER_BYTES = const(32)  # see kernels_viper.append_scalers
_HEAD = const(6)
# Words of a layer: its form, inputs, units, where their inputs lie and where their outputs go, zero
# point of its weights or place of its book in the file. Then those of each unit: bias, shift, where its
# row lies in the file, how many weights it has.
_LAYER_BYTES = const(24)
_UNIT_BYTES = const(16)


def mlp(blob, parts, low, limits):
    """As mlp_bytecode.mlp, but for inputs within their ranges: returns (f(inputs), scores).

    Args:
        low, limits: each input's least value, and by how much it may lie above that.
    f returns:
        -1 where an input, of an array("i"), isn't within its range.
    """
    scalers, base, layers = parts
    plan, values = plan_of(_HEAD, low, limits)
    scalers_at = 4 * len(plan)
    append_scalers(plan, scalers, values)
    # Each layer's inputs are bytes, and a zero after them that a codebook's last half byte meets.
    x_at = 4 * len(plan)
    sizes = [len(scalers)] + [len(layer[0]) for _, layer in layers]
    places = [x_at]
    for size in sizes[:-1]:
        places.append(places[-1] + (size // 4 + 1) * 4)
    while 4 * len(plan) < places[-1]:
        plan.append(0)
    layers_at = 4 * len(plan)
    for i in range(len(layers)):
        form, (rows, biases, shifts, extra) = layers[i]
        if form == 3:
            extra = place(extra, blob)
        for word in (form, sizes[i], len(rows), places[i], places[i + 1] if i + 1 < len(layers) else -1, extra):
            plan.append(word)
        for k in range(len(rows)):
            row = rows[k][0] if form == 2 else rows[k]
            start = place(row, blob) if len(row) else 0
            for word in (biases[k], shifts[k], start, len(row)):
                plan.append(word)
    scores = len(plan)
    plan.append(base)
    for _ in range(sizes[-1]):
        plan.append(0)
    fill(plan, (len(layers), layers_at, len(scalers), scalers_at + _SCALER_BYTES - 4, x_at, 4 * scores))
    run = judging(_mlp, blob, plan, len(low), values, scalers_at, len(scalers))
    return started(run), memoryview(plan)[scores:]


@micropython.viper
def _mlp(p: ptr8, r: int, plan: ptr32) -> int:
    file = int(p)
    x = ptr8(int(plan) + plan[_X_AT])
    p = ptr8(int(plan) + plan[_CODES_AT])
    r = plan[_INPUTS]
    while r:
        x[0] = ptr32(p)[0]
        x = ptr8(int(x) + 1)
        p = ptr8(int(p) + _SCALER_BYTES)
        r -= 1
    layer = ptr32(int(plan) + plan[_LAYERS_AT])
    layers = plan[_LAYERS]
    scores = ptr32(int(plan) + plan[_SCORES_AT])
    best = scores[0]
    second = -1
    winner = 0
    while layers:
        form = layer[0]
        inputs = ptr8(int(plan) + layer[3])
        out = ptr8(int(plan) + layer[4])
        excess = 0
        if form != 2:
            p = inputs
            r = layer[1]
            while r:
                excess += p[0]
                p = ptr8(int(p) + 1)
                r -= 1
            excess *= layer[5] if form < 2 else 128
        book = ptr8(file + layer[5])
        unit = ptr32(int(layer) + _LAYER_BYTES)
        k = 0
        while k < layer[2]:
            r = unit[0] - excess
            p = ptr8(file + unit[2])
            i = unit[3]
            x = inputs
            if form == 0:
                while i > 3:
                    r += p[0] * x[0]
                    r += p[1] * x[1]
                    r += p[2] * x[2]
                    r += p[3] * x[3]
                    p = ptr8(int(p) + 4)
                    x = ptr8(int(x) + 4)
                    i -= 4
                while i:
                    i -= 1
                    r += p[i] * x[i]
            elif form == 1:
                i >>= 1
                while i:
                    i -= 1
                    r += ptr16(p)[i] * x[i]
            elif form == 2:
                x = ptr8(int(p) + i)
                while i:
                    i -= 1
                    r += (x[i] - 128) * inputs[p[i]]
            else:
                while i:
                    pair = p[0]
                    r += book[pair >> 4] * x[0] + book[pair & 15] * x[1]
                    p = ptr8(int(p) + 1)
                    x = ptr8(int(x) + 2)
                    i -= 1
            if (r >> 30) & 1:
                r = 0
            r = (r & _SMALL) >> unit[1]
            k += 1
            if layers > 1:
                if r > 255:
                    r = 255
                out[0] = r
                out = ptr8(int(out) + 1)
            else:
                if r > 65535:
                    r = 65535
                scores[k] = r
                if r > best:
                    second = best
                    best = r
                    winner = k
                elif r > second:
                    second = r
            unit = ptr32(int(unit) + _UNIT_BYTES)
        layer = unit
        layers -= 1
    return winner | ((best - second) << 8)
