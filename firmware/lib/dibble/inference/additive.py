"""Additive family: scores are sums of table entries, one for each feature and chosen pair of features.

Class 0 is the reference: its score is constant. The scores of two or three classes travel in one
small int where their largest sums leave room.
"""

from array import array

from dibble.inference.additive_kernels import additive_scores
from dibble.inference.kernels import prepare_scalers, scale

OWN_TABLE = 128  # flag of a feature's number of codes: it has no table of its own, only in pairs


class Additive:
    """Tables ready to run.

    Args:
        parts: from `read`.
        limits: largest value of each feature.
    """

    def __init__(self, parts, limits):
        scalers, singles, pairs, tables, centres, base = parts
        self.scalers = prepare_scalers(scalers, limits)
        self.codes = bytearray(len(scalers))
        self.singles = singles
        self.pairs = pairs
        self.tables = tables
        self.centres = centres
        self.features = bytes([scaler[0] for scaler in scalers])
        self.base = base[0]
        self.groups = _pack(singles, pairs, tables, base)

    def score(self, values, scores):
        """Write each class's score for one row of feature values."""
        scale(values, self.scalers, self.codes)
        scores[0] = self.base
        additive_scores(self.codes, self.groups, scores)

    def push(self, winner, other):
        """Return (feature, amount): what moved the last row's margin most from where training rows are on average.

        Args:
            winner, other: classes; amount is the change of winner's score less other's.
        """
        codes = self.codes
        amounts = array("i", [0] * (max(self.features) + 1))
        at = 0
        for i in self.singles:
            amounts[self.features[i]] += self._lead(at, codes[i], winner, other)
            at += 1
        for a, drop_a, n, b, drop_b in self.pairs:
            half = self._lead(at, (codes[a] >> drop_a) * n + (codes[b] >> drop_b), winner, other)
            amounts[self.features[a]] += half >> 1
            amounts[self.features[b]] += half - (half >> 1)
            at += 1
        best = 0
        for i in range(len(amounts)):
            if abs(amounts[i]) > abs(amounts[best]):
                best = i
        return best, amounts[best]

    def _lead(self, term, code, winner, other):
        lead = 0
        for sign, column in ((1, winner - 1), (-1, other - 1)):
            if column >= 0:
                lead += sign * (self.tables[term][column][code] - self.centres[term][column])
        return lead


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
        scalers.append((feature,) + cursor.scaler(limits[feature]) + (top,))
    pairs = []
    for _ in range(cursor.number()):
        a = cursor.byte()
        b = cursor.byte()
        shifts = cursor.byte()
        n = (scalers[b][6] >> (shifts & 15)) + 1
        pairs.append((a, shifts >> 4, n, b, shifts & 15))
        sizes.append(((scalers[a][6] >> (shifts >> 4)) + 1) * n)
    base = array("H", [cursor.number() for _ in range(classes)])
    centres = [cursor.take(classes - 1) for _ in sizes]
    tables = [[cursor.take(size) for _ in range(classes - 1)] for size in sizes]
    return scalers, singles, pairs, tables, centres, base


def build(cursor, limits, classes):
    """Return the Additive that the file holds at the cursor."""
    return Additive(read(cursor, limits, classes), limits)


def _pack(singles, pairs, tables, base):
    """Return the groups of classes that additive_scores sums at once: see additive_bytecode."""
    columns = len(base) - 1
    largest = 0
    for column in range(columns):
        largest = max(largest, base[column + 1] + sum([max(table[column]) for table in tables]))
    bits = 10 if largest < 1024 else 15
    together = 1 if columns == 1 or largest >= 32768 else 3 if largest < 1024 else 2
    groups = []
    for first in range(0, columns, together):
        held = min(together, columns - first)
        packed = [_columns(table[first : first + held], bits) for table in tables]
        start = 0
        for i in range(held):
            start |= base[first + i + 1] << bits * i
        own = [(singles[i], packed[i]) for i in range(len(singles))]
        crossed = [pairs[i] + (packed[len(singles) + i],) for i in range(len(pairs))]
        groups.append((first + 1, held, bits, start, own, crossed))
    return groups


def _columns(tables, bits):
    """Return one table of small ints that hold the entries of several; a single table stays as it is."""
    if len(tables) == 1:
        return tables[0]
    packed = array("i", [0] * len(tables[0]))
    for i in range(len(tables)):
        for j in range(len(packed)):
            packed[j] |= tables[i][j] << bits * i
    return packed
