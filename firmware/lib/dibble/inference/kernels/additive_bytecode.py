"""Kernel of the additive family in plain bytecode, for every interpreter: see generator.py."""

from array import array

from dibble.inference.kernels.generator import started
from dibble.inference.scale import scale


def additive(blob, parts, low, limits):
    """Return (f(values), scores): f writes each class's score and returns winner | margin << 8.

    The scores of two or three classes travel in one small int where their largest sums leave room.

    Args:
        blob, low: not used here.
        parts: from `additive.read`.
        limits: largest value of each feature.
        values: one value a feature, 0..limit.
    """
    scalers, singles, pairs, tables, _, base = parts
    codes = bytearray(len(scalers))
    scores = array("H", base)
    groups = _pack(singles, pairs, tables, base)
    return started(_additive(scale(scalers, limits, codes), codes, groups, scores)), scores


def _additive(encode, codes, groups, scores):
    winner = 0
    values = yield
    while True:
        encode(values)
        for first, held, bits, total, singles, pairs in groups:
            for i, table in singles:
                total += table[codes[i]]
            for a, drop_a, n, b, drop_b, table in pairs:
                total += table[(codes[a] >> drop_a) * n + (codes[b] >> drop_b)]
            if held == 1:
                scores[first] = total
            else:
                mask = (1 << bits) - 1
                scores[first] = total & mask
                total >>= bits
                if held == 3:
                    scores[first + 2] = total >> bits
                    total &= mask
                scores[first + 1] = total
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


def _pack(singles, pairs, tables, base):
    """Return the groups of classes whose scores are summed at once.

    Each is (first class, classes, bits of each in the sum, sum to start from, (code, table) of each single,
    (code a, shift, n, code b, shift, table) of each pair); the sums stay small ints, as no class's can
    reach 2**bits.
    """
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
