"""MLP family: a small dense ReLU network of int8 weights.

Class 0 is the reference: its score is constant. A layer's weights lie in the file in one of four
forms, and are read where they lie.
"""

from array import array

from dibble.inference.kernels.choice import KIND
from dibble.inference.scale import scaler

if KIND == "bytecode":
    from dibble.inference.kernels.mlp_bytecode import mlp
else:
    from dibble.inference.kernels.mlp_plan import mlp

DENSE8, DENSE16, SPARSE8, CODEBOOK4 = range(4)


def read(cursor, limits, classes, in_place=False):
    """Return (scalers, base, layers).

    scalers: (feature, drop, bias, zero_point, multiplier, shift, 255) of each feature; base: class 0's
    score; layers: (form, (rows, biases, shifts, extra)). Rows are weights + extra, which is 128 (DENSE8)
    or 32768 (DENSE16, an array("H") or, with `in_place`, its bytes in the file); (inputs, weights + 128)
    without the zeros (SPARSE8); or two 4-bit places in the book a byte, the first in the upper half
    (CODEBOOK4; extra is the book of weights + 128).
    """
    if isinstance(limits, bytes):  # see parts.cells
        scalers = [(i, 0, 0, 0, 1, 0, 255) for i in range(len(limits))]
    else:
        scalers = [(i,) + scaler(cursor, limits[i]) + (255,) for i in range(len(limits))]
    base = cursor.number()
    count = cursor.number()
    layers = []
    inputs = len(limits)
    for i in range(count):
        units = cursor.byte() if i + 1 < count else classes - 1
        form = cursor.byte()
        shifts = cursor.take(units) if i + 1 < count else bytes([cursor.byte()]) * units
        biases = array("i", [cursor.signed() for _ in range(units)])
        extra = cursor.take(16) if form == CODEBOOK4 else 128 if form == DENSE8 else 32768
        if form == DENSE16:
            cursor.align(2)
        rows = [_row(cursor, form, inputs) for _ in range(units)]
        if form == DENSE16 and not in_place:
            rows = [array("H", bytes(row)) for row in rows]
        layers.append((form, (rows, biases, shifts, extra)))
        inputs = units
    return scalers, base, layers


def build(cursor, low, limits, classes):
    """Return (f, scores) of the network that the file holds at the cursor: see mlp_bytecode.mlp."""
    in_place = KIND != "bytecode"
    return mlp(cursor.blob, read(cursor, limits, classes, in_place), low, limits)


def _row(cursor, form, inputs):
    if form == DENSE8:
        return cursor.take(inputs)
    if form == DENSE16:
        return cursor.take(2 * inputs)
    if form == CODEBOOK4:
        return cursor.take(inputs + 1 >> 1)
    if form != SPARSE8:
        raise ValueError("a layer of form %d" % form)
    count = cursor.byte()
    at = cursor.take(count)
    if count and max(at) >= inputs:
        raise ValueError("a weight for input %d of %d" % (max(at), inputs))
    return at, cursor.take(count)
