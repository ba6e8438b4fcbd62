"""Kernels of the mlp family in plain bytecode, for every interpreter. They allocate nothing.

All write out[first], out[first + 1], ... one a unit: the exact sum of weight * input plus bias,
shifted right (the half for rounding is in the bias) and clamped to 0..top, which is the ReLU. The
host proves that no sum leaves the small ints of a 32-bit VM.

Args of all:
    x: bytearray, the inputs and a zero.
    layer: (rows, biases, shifts, extra), a row, a bias and a shift a unit: rows are what the kernel's
        own docstring says, and so is extra; biases an array("i"); shifts bytes.
    out: bytearray, or array("H") for the last layer, whose top is 65535.
"""


def dense(x, layer, out, first, top):
    """A row holds weight + zero_point for every input; extra is zero_point: 128 in bytes, 32768 in array("H")."""
    rows, biases, shifts, zero_point = layer
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


def sparse(x, layer, out, first, top):
    """A row holds the inputs whose weight isn't 0, and these weights + 128; extra isn't used."""
    rows, biases, shifts, _ = layer
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


def codebook(x, layer, out, first, top):
    """A row holds two places in the book a byte; extra is the book, 16 weights + 128 in bytes."""
    rows, biases, shifts, book = layer
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
