"""CRC-32 in small ints only: two 16-bit halves, so that no VM allocates or lacks a long int for it."""

from array import array

# The table of the reflected polynomial 0xEDB88320 for 4 bits at a time, split in halves.
_HIGH = array("H", (0, 7607, 15214, 9945, 30428, 27499, 19890, 20485,
                    60856, 61455, 54998, 52065, 39780, 34515, 40970, 48573))  # fmt: skip
_LOW = array("H", (0, 4196, 8392, 12460, 16784, 20980, 24920, 28988,
                   33568, 37700, 41960, 45964, 49840, 53972, 57976, 61980))  # fmt: skip


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
