"""CRC-32 in small ints only: two 16-bit halves, so that no VM allocates or lacks a long int for it."""

from array import array


def _tables():
    """Return the table of the reflected polynomial 0xEDB88320 for 4 bits at a time, split in halves: (high, low)."""
    tables = array("H"), array("H")
    for low in range(16):
        high = 0
        for _ in range(4):
            odd = low & 1
            low = (low >> 1 | (high & 1) << 15) ^ 0x8320 * odd
            high = high >> 1 ^ 0xEDB8 * odd
        tables[0].append(high)
        tables[1].append(low)
    return tables


_HIGH, _LOW = _tables()


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
