"""Sums of pieces, which stand for those that are lost; small enough for the micro:bit, too."""

from dibble.update.sums import Sums, chosen
from sums_oracle import Chance, line_of


class Pieces:
    """Pieces that came, or were found; the last one is shorter."""

    def __init__(self, whole):
        self.whole = whole
        self.there = [None] * len(whole)

    def has(self, number):
        return self.there[number] is not None

    def read(self, number, target):
        data = self.there[number]
        for i in range(len(data)):  # the board's bytearrays take no slices
            target[i] = data[i]
        return len(data)

    def put(self, number, data):
        self.there[number] = data[: len(self.whole[number])]


def piece_of(size, chance):
    data = bytearray(size)
    for i in range(size):
        data[i] = chance.next() & 255
    return data


def sum_of(pieces, number, size):
    data = bytearray(size)
    bits = line_of(number - len(pieces) + 1, len(pieces))
    for i in range(len(pieces)):
        for j in range(len(pieces[i]) if bits[i] else 0):
            data[j] ^= pieces[i][j]
    return data


def brought(count, size, seed):
    """Return (pieces, how many sums brought those that a third of all lost)."""
    chance = Chance(seed)
    whole = [piece_of(size - (i == count - 1) * (size // 3), chance) for i in range(count)]
    pieces = Pieces(whole)
    sums = Sums(count, size)
    for number in range(count):
        if chance.next() % 3:
            pieces.put(number, whole[number])
    lost = pieces.there.count(None)
    number = count
    while None in pieces.there:
        number += 1 + chance.next() % 3  # some are lost, too
        sums.add(number, sum_of(whole, number, size))
        sums.solve(pieces)
        assert sums.held() < lost
    return pieces, lost


def check_line(count, n):
    mask = chosen(count + n - 1, count)
    bits = [mask[i >> 3] >> (7 - (i & 7)) & 1 for i in range(count)]
    assert bits == line_of(n, count) or count == 1


def test_lines_are_those_of_ts004():
    for count in (1, 2, 13, 16, 24):
        for n in (1, 2, 77):
            check_line(count, n)


def test_lines_of_many_pieces():
    for count in (64, 200):
        for n in (1, 2, 77):
            check_line(count, n)


def test_sums_bring_what_is_lost():
    for seed in range(1, 4):
        pieces, lost = brought(9, 47, seed)
        assert lost and pieces.there == pieces.whole


def test_sums_bring_most_of_many():
    pieces, lost = brought(60, 47, 5)
    assert lost > 10 and pieces.there == pieces.whole
