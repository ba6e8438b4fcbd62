"""CRC-32 in small ints only: two 16-bit halves, so that no VM allocates or lacks a long int for it."""

from array import array

# The table of the reflected polynomial 0xEDB88320 for 4 bits at a time, split in halves: each bit has its own share.
_HIGH = array(
    "H", [0xEDB8 * (n >> 3) ^ 0x76DC * (n >> 2 & 1) ^ 0x3B6E * (n >> 1 & 1) ^ 0x1DB7 * (n & 1) for n in range(16)]
)
_LOW = array(
    "H", [0x8320 * (n >> 3) ^ 0x4190 * (n >> 2 & 1) ^ 0x20C8 * (n >> 1 & 1) ^ 0x1064 * (n & 1) for n in range(16)]
)


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
