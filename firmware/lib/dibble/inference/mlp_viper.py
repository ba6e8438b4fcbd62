"""The mlp family's kernel as machine code, where MicroPython has native emitters: see kernels_viper.py.

A sum is within -2**30..2**30 - 1, so bits 0..30 tell all of it.
"""

import micropython
from micropython import const

from dibble.inference.kernels_viper import HEAD, address, aligned, fill, front, place, plan_of

_SMALL = const(0x3FFFFFFF)  # the low 30 bits
# Words of the plan, after those that all families have. AT: where in the plan, in bytes, something lies.
_LAYERS = const(4)
_LAYERS_AT = const(5)
_CODES_AT = const(6)
_X_AT = const(7)
_SCORES_AT = const(8)
_OWN_WORDS = const(5)
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
    plan, _, codes = plan_of(_OWN_WORDS, low, limits, scalers)
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
    fill(plan, (len(layers), layers_at, codes, x_at, 4 * scores))
    ranges = 4 * (HEAD + _OWN_WORDS)
    blob = aligned(blob)
    blob_at = address(blob)
    plan_at = address(plan)

    # The objects must outlive f, which knows their addresses only.
    def run(inputs, kept=(blob, plan)):
        return _mlp(blob_at, 0, plan_at) if front(plan_at, ranges, inputs) else -1

    return run, memoryview(plan)[scores:]


@micropython.viper
def _mlp(p: int, r: int, words: int) -> int:
    plan = ptr32(words)
    file = p
    x = ptr8(int(plan) + plan[_X_AT])
    p = int(plan) + plan[_CODES_AT]
    r = plan[2]  # codes
    while r:
        x[0] = ptr32(p)[0]
        x = ptr8(int(x) + 1)
        p = p + 32
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
            p = int(inputs)
            r = layer[1]
            while r:
                excess += ptr8(p)[0]
                p = p + 1
                r -= 1
            excess *= layer[5] if form < 2 else 128
        book = ptr8(file + layer[5])
        unit = ptr32(int(layer) + _LAYER_BYTES)
        k = 0
        while k < layer[2]:
            r = unit[0] - excess
            p = file + unit[2]
            i = unit[3]
            x = inputs
            if form == 0:
                while i > 7:
                    r += ptr8(p)[0] * x[0]
                    r += ptr8(p)[1] * x[1]
                    r += ptr8(p)[2] * x[2]
                    r += ptr8(p)[3] * x[3]
                    r += ptr8(p)[4] * x[4]
                    r += ptr8(p)[5] * x[5]
                    r += ptr8(p)[6] * x[6]
                    r += ptr8(p)[7] * x[7]
                    p = p + 8
                    x = ptr8(int(x) + 8)
                    i -= 8
                while i:
                    i -= 1
                    r += ptr8(p)[i] * x[i]
            elif form == 1:
                i >>= 1
                while i:
                    i -= 1
                    r += ptr16(p)[i] * x[i]
            elif form == 2:
                x = ptr8(p + i)
                while i:
                    i -= 1
                    r += (x[i] - 128) * inputs[ptr8(p)[i]]
            else:
                while i:
                    pair = ptr8(p)[0]
                    r += book[pair >> 4] * x[0] + book[pair & 15] * x[1]
                    p = p + 1
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
