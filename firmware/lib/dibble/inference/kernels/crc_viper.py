"""The CRC-32 of large files in viper: see crc32.py."""

import micropython


@micropython.viper
def add_bytes(data: ptr8, size: int, both: ptr16):
    high = both[0] ^ 0xFFFF
    low = both[1] ^ 0xFFFF
    i = 0
    while i < size:
        low ^= data[i]
        bit = 8
        while bit:
            odd = low & 1
            low = low >> 1 | (high & 1) << 15
            high >>= 1
            if odd:
                low ^= 0x8320
                high ^= 0xEDB8
            bit -= 1
        i += 1
    both[0] = high ^ 0xFFFF
    both[1] = low ^ 0xFFFF
