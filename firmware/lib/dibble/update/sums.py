"""Sums of pieces: each is the XOR of some, and stands for any one of them that is missing.

Those that can't be solved yet are held in RAM, at most MOST_SUMS: rows over GF(2), the first bit of each in no other.
"""

MOST_SUMS = 24


def chosen(number, count):
    """Return which of `count` pieces a sum is of: a bit each, the first piece's the highest of the first byte.

    Half as many draws as there are pieces, each of a register of 23 bits, modulo their number. Source: LoRa Alliance
    TS004-1.0.0, Fragmented Data Block Transport, its parity matrix, whose line is number - count + 1.
    """
    mask = bytearray((count + 7) >> 3)
    x = 1 + 1001 * (number - count + 1)  # < 2**26
    modulus = count + (count & count - 1 == 0)
    for _ in range(max(count >> 1, 1)):
        place = count
        while place >= count:
            x = (x >> 1) + (((x ^ x >> 5) & 1) << 22)
            place = x % modulus
        mask[place >> 3] |= 128 >> (place & 7)
    return mask


def first_of(mask):
    """Return the place of the first bit that is set, -1: none."""
    for i in range(len(mask)):
        if mask[i]:
            bit = 0
            while not mask[i] << bit & 128:
                bit += 1
            return 8 * i + bit
    return -1


class Sums:
    """Sums of a stream's pieces.

    Args:
        count: of the pieces; piece_bytes: of one.
    """

    def __init__(self, count, piece_bytes):
        self._count = count
        self._piece_bytes = piece_bytes
        self._held = []  # [mask, data]

    def held(self):
        """Return how many are held: so many pieces fewer are wanted."""
        return len(self._held)

    def add(self, number, data):
        """Take the sum of a number, from the count of pieces on; solve() is next."""
        self._held.append([chosen(number, self._count), bytearray(data)])

    def solve(self, parcel):
        """Take from the sums what is there, until nothing more comes of them.

        Args:
            parcel: has(number), read(number, target) -> its bytes, put(number, data) of what was found.
        """
        again = True
        piece = bytearray(self._piece_bytes)
        while again:
            again = False
            held = []
            for mask, data in self._held:
                for number in range(self._count):
                    if mask[number >> 3] & 128 >> (number & 7) and parcel.has(number):
                        _clear(piece, parcel.read(number, piece))
                        _add(data, piece)
                        mask[number >> 3] ^= 128 >> (number & 7)
                for other, what in held:
                    first = first_of(other)
                    if mask[first >> 3] & 128 >> (first & 7):
                        _add(mask, other)
                        _add(data, what)
                first = first_of(mask)
                if first >= 0:
                    for other, what in held:
                        if other[first >> 3] & 128 >> (first & 7):
                            _add(other, mask)
                            _add(what, data)
                    held.append([mask, data])
            self._held = held[:MOST_SUMS]
            for mask, data in self._held:
                first = first_of(mask)
                mask[first >> 3] ^= 128 >> (first & 7)
                alone = not any(mask)
                mask[first >> 3] ^= 128 >> (first & 7)
                if alone:
                    parcel.put(first, data)
                    again = True


def _add(target, other):
    for i in range(len(target)):
        target[i] ^= other[i]


def _clear(piece, start):
    """Pad the last piece's data with zeros."""
    for i in range(start, len(piece)):
        piece[i] = 0
