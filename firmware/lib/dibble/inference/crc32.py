"""CRC-32 in small ints only: two 16-bit halves, so that no VM allocates or lacks a long int for it."""

from array import array


def _table(one, two, four, eight):
    """Return a half of the table of the reflected polynomial 0xEDB88320 for 4 bits: each bit has its own share."""
    return array("H", [one * (n & 1) ^ two * (n >> 1 & 1) ^ four * (n >> 2 & 1) ^ eight * (n >> 3) for n in range(16)])


_HIGH = _table(0x1DB7, 0x3B6E, 0x76DC, 0xEDB8)
_LOW = _table(0x1064, 0x20C8, 0x4190, 0x8320)


def crc32(data, end, start=0, before=(0, 0)):
    """Return the CRC-32 (as zlib's) of data[start:end] as (high 16 bits, low 16 bits).

    Args:
        before: the CRC-32 of what comes before data[start], where that was summed already.
    """
    table_high = _HIGH
    table_low = _LOW
    high = before[0] ^ 0xFFFF
    low = before[1] ^ 0xFFFF
    for i in range(start, end):
        low ^= data[i]
        for _ in (0, 1):
            nibble = low & 15
            low = (low >> 4 | (high & 15) << 12) ^ table_low[nibble]
            high = high >> 4 ^ table_high[nibble]
    return high ^ 0xFFFF, low ^ 0xFFFF
