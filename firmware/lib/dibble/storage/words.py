"""Numbers of 4 bytes, least first, that never leave the small ints of a 32-bit VM."""


def number_bytes(value):
    """Return an int of 0..2**30 - 1 as 4 bytes."""
    return bytes((value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24))


def number_at(data, at):
    """Return the int at data[at : at + 4]; -1 where it would leave the small ints."""
    if data[at + 3] > 63:
        return -1
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24


def crc_bytes(crc):
    """Return the halves of a CRC-32 as 4 bytes."""
    high, low = crc
    return bytes((low & 255, low >> 8, high & 255, high >> 8))
