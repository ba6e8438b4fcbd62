"""MLP family: a small dense ReLU network of int8 weights.

Class 0 is the reference: its score is constant. A layer's weights lie in the file in one of four
forms, and are read where they lie.
"""

from array import array

from dibble.inference.kernels import prepare_scalers, scale
from dibble.inference.mlp_kernels import codebook, dense, sparse

DENSE8, DENSE16, SPARSE8, CODEBOOK4 = range(4)
KERNELS = (dense, dense, sparse, codebook)


class Mlp:
    """A network ready to run.

    Args:
        parts: from `read`.
        limits: largest value of each feature.
    """

    def __init__(self, parts, limits):
        scalers, base, layers = parts
        self.scalers = prepare_scalers(scalers, limits)
        self.base = base
        # One zero more than there are inputs, so that a codebook's last nibble has one to meet.
        self.codes = bytearray(len(scalers) + 1)
        self.layers = []
        x = self.codes
        for form, layer in layers:
            out = bytearray(len(layer[0]) + 1)
            self.layers.append((KERNELS[form], x, layer, out))
            x = out

    def score(self, values, scores):
        """Write each class's score for one row of feature values."""
        scale(values, self.scalers, self.codes)
        scores[0] = self.base
        left = len(self.layers)
        for kernel, x, layer, out in self.layers:
            left -= 1
            if left:
                kernel(x, layer, out, 0, 255)
            else:
                kernel(x, layer, scores, 1, 65535)


def read(cursor, limits, classes):
    """Return (scalers, base, layers).

    scalers: (feature, drop, bias, zero_point, multiplier, shift, 255) of each feature; base: class 0's
    score; layers: (form, (rows, biases, shifts, extra)). Rows are weights + extra, which is 128 (DENSE8)
    or 32768 (DENSE16); (inputs, weights + 128) without the zeros (SPARSE8); or two 4-bit places in
    the book a byte, the first in the upper half (CODEBOOK4; extra is the book of weights + 128).
    """
    scalers = [(i,) + cursor.scaler(limits[i]) + (255,) for i in range(len(limits))]
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
        layers.append((form, ([_row(cursor, form, inputs) for _ in range(units)], biases, shifts, extra)))
        inputs = units
    return scalers, base, layers


def build(cursor, limits, classes):
    """Return the Mlp that the file holds at the cursor."""
    return Mlp(read(cursor, limits, classes), limits)


def _row(cursor, form, inputs):
    if form == DENSE8:
        return cursor.take(inputs)
    if form == DENSE16:
        return array("H", bytes(cursor.take(2 * inputs)))
    if form == CODEBOOK4:
        return cursor.take(inputs + 1 >> 1)
    if form != SPARSE8:
        raise ValueError("a layer of form %d" % form)
    count = cursor.byte()
    at = cursor.take(count)
    if count and max(at) >= inputs:
        raise ValueError("a weight for input %d of %d" % (max(at), inputs))
    return at, cursor.take(count)
