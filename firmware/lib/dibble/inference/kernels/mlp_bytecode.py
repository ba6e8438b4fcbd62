"""Kernels of the mlp family in plain bytecode, for every interpreter: see generator.py.

Those of a layer write out[first], out[first + 1], ... one a unit: the exact sum of weight * input plus
bias, shifted right (the half for rounding is in the bias) and clamped to 0..top, which is the ReLU. The
host proves that no sum leaves the small ints of a 32-bit VM.

Args of these:
    x: bytearray, the inputs and a zero.
    rows, biases, shifts, extra: of each unit; rows and extra are what the kernel's own docstring says.
    out: bytearray, or array("H") for the last layer, whose top is 65535.
"""

from array import array

from dibble.inference.kernels.generator import started
from dibble.inference.scale import scale


def mlp(blob, parts, low, limits):
    """Return (f(values), scores): f writes each class's score and returns winner | margin << 8.

    Args:
        blob, low: not used here.
        parts: from `mlp.read`.
        limits: largest value of each feature.
        values: one value a feature, 0..limit.
    """
    scalers, base, layers = parts
    # One zero more than there are inputs, so that a codebook's last half byte has one to meet.
    x = bytearray(len(scalers) + 1)
    encode = scale(scalers, limits, x)
    run = []
    scores = array("H", [base])
    for form, layer in layers:
        out = bytearray(len(layer[0]) + 1)
        if len(run) + 1 == len(layers):
            out = scores
            scores.extend(array("H", [0] * len(layer[0])))
        run.append(started(LAYERS[form](x, layer[0], layer[1], layer[2], layer[3], out)))
        x = out
    return started(_mlp(encode, run, scores)), scores


def _mlp(encode, layers, scores):
    winner = 0
    values = yield
    while True:
        encode(values)
        for layer in layers:
            layer(None)
        best = second = -1
        i = 0
        for score in scores:
            if score > best:
                second = best
                best = score
                winner = i
            elif score > second:
                second = score
            i += 1
        values = yield winner | (best - second) << 8


def _bounds(out):
    """Return the first place of `out` that a layer writes, and the most it may."""
    return (0, 255) if isinstance(out, bytearray) else (1, 65535)


def dense(x, rows, biases, shifts, zero_point, out):
    """A row holds weight + zero_point for every input: 128 in bytes, 32768 in array("H")."""
    first, top = _bounds(out)
    while True:
        yield
        excess = sum(x) * zero_point
        k = 0
        for row in rows:
            total = biases[k] - excess
            i = 0
            for weight in row:
                total += weight * x[i]
                i += 1
            total >>= shifts[k]
            out[first + k] = 0 if total < 0 else top if total > top else total
            k += 1


def sparse(x, rows, biases, shifts, extra, out):
    """A row holds the inputs whose weight isn't 0, and these weights + 128; extra isn't used."""
    first, top = _bounds(out)
    while True:
        yield
        k = 0
        for at, weights in rows:
            total = biases[k]
            j = 0
            for weight in weights:
                total += (weight - 128) * x[at[j]]
                j += 1
            total >>= shifts[k]
            out[first + k] = 0 if total < 0 else top if total > top else total
            k += 1


def codebook(x, rows, biases, shifts, book, out):
    """A row holds two places in the book a byte; extra is the book, 16 weights + 128 in bytes."""
    first, top = _bounds(out)
    while True:
        yield
        excess = sum(x) << 7
        k = 0
        for row in rows:
            total = biases[k] - excess
            i = 0
            for places in row:
                total += book[places >> 4] * x[i] + book[places & 15] * x[i + 1]
                i += 2
            total >>= shifts[k]
            out[first + k] = 0 if total < 0 else top if total > top else total
            k += 1


LAYERS = (dense, dense, sparse, codebook)
