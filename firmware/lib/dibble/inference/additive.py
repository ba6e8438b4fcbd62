"""Additive family: scores are sums of table entries, one for each feature and chosen pair of features.

Class 0 is the reference: its score is constant.
"""

from dibble.inference.kernels.choice import KIND
from dibble.inference.scale import scaler

if KIND == "bytecode":
    from dibble.inference.kernels.additive_bytecode import additive
else:
    from dibble.inference.kernels.additive_plan import additive

OWN_TABLE = 128  # flag of a feature's number of codes: it has no table of its own, only in pairs


def read(cursor, limits, classes):
    """Return (scalers, singles, pairs, tables, centres, base).

    scalers: (feature, drop, bias, zero_point, multiplier, shift, top) of each code; singles: the codes
    with a table of their own; pairs: (code a, its shift, n, code b, its shift), a row of the table has
    n entries; tables: for each term, singles first, a byte table for each class but the first;
    centres: for each term and such class the mean entry over the training rows; base: score of each
    class before any table.
    """
    scalers = []
    singles = []
    sizes = []
    for feature in range(len(limits)):
        top = cursor.byte()
        if not top:
            continue
        if not top & OWN_TABLE:
            singles.append(len(scalers))
            sizes.append(top + 1)
        top &= OWN_TABLE - 1
        scalers.append((feature,) + scaler(cursor, limits[feature]) + (top,))
    pairs = []
    for _ in range(cursor.number()):
        a = cursor.byte()
        b = cursor.byte()
        shifts = cursor.byte()
        n = (scalers[b][6] >> (shifts & 15)) + 1
        pairs.append((a, shifts >> 4, n, b, shifts & 15))
        sizes.append(((scalers[a][6] >> (shifts >> 4)) + 1) * n)
    base = [cursor.number() for _ in range(classes)]
    centres = [cursor.take(classes - 1) for _ in sizes]
    tables = [[cursor.take(size) for _ in range(classes - 1)] for size in sizes]
    return scalers, singles, pairs, tables, centres, base


def build(cursor, low, limits, classes):
    """Return (f, scores) of the model that the file holds at the cursor: see additive_bytecode.additive."""
    return additive(cursor.blob, read(cursor, limits, classes), low, limits)
