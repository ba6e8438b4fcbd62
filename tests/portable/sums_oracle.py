"""What tests of updates by LoRaWAN hold sums of pieces against."""


class Chance:
    """Numbers of 15 bits. Source: ISO C's example of rand()."""

    def __init__(self, seed):
        self._state = seed

    def next(self):
        self._state = (self._state * 1103 + 12345) & 0xFFFFFF
        return self._state >> 9


def line_of(n, count):
    """Return the line n, from 1 on, of TS004's parity matrix as a list of bits, after its section's pseudocode."""
    bits = [0] * count
    x = 1 + 1001 * n
    m = 1 if count & (count - 1) == 0 else 0
    for _ in range(count // 2):
        r = 1 << 16
        while r >= count:
            feedback = (x & 1) ^ (x >> 5 & 1)
            x = x // 2 + feedback * 4194304
            r = x % (count + m)
        bits[r] = 1
    return bits
