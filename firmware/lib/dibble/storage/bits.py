"""Reads the bytes, bits and codes of a packed model in order; models/PACKED.md specifies them."""

from dibble import ModelError

BLOCK = 64  # bytes read at once


class Bits:
    """A place in a packed model.

    Args:
        source: file open for reading, or bytes.
    Attributes:
        crc: CRC-16 (polynomial 0x1021, from 0xFFFF) of the bytes so far.
    """

    def __init__(self, source):
        self.file = source if hasattr(source, "read") else None
        self.block = b"" if self.file else source
        self.at = self.bits = self.left = 0
        self.crc = 0xFFFF

    def ended(self):
        if self.at == len(self.block) and self.file:
            self.block = self.file.read(BLOCK)
            self.at = 0
        return self.at == len(self.block)

    def byte(self):
        if self.ended():
            raise ModelError("expected more of the packed model, got its end: cut short, receive it again")
        byte = self.block[self.at]
        self.at += 1
        x = self.crc >> 8 ^ byte
        x ^= x >> 4
        self.crc = (self.crc << 8 ^ x << 12 ^ x << 5 ^ x) & 0xFFFF
        return byte

    def check(self):
        """Raise ModelError unless the end is reached; the CRC-16 of all bytes, it included, is 0."""
        if not self.ended():
            raise ModelError("expected the packed model's end, got more bytes: receive it again")
        if self.crc:
            raise ModelError("expected the packed model's CRC-16 to be 0, got %d: receive it again" % self.crc)

    def number(self):
        """Read an Elias gamma code: below the leading 1 are as many bits as zeros before it."""
        zeros = 0
        value = 0
        while True:
            if not self.left:
                self.bits = self.byte()
                self.left = 8
            self.left -= 1
            bit = self.bits >> self.left & 1
            if value or bit:
                value = value << 1 | bit
                if not zeros:
                    return value
                zeros -= 1
            elif zeros == 15:
                raise ModelError("expected a number of at most 16 bits, got more: receive it again")
            else:
                zeros += 1

    def symbol(self, counts, symbols):
        """Read a symbol of a complete canonical code: see unpack.read_code."""
        bits = self.bits
        left = self.left
        above = 0  # what the bits so far exceed the first code of their length by
        place = 0
        for count in counts:
            if not left:
                bits = self.byte()
                left = 8
            left -= 1
            above = above << 1 | (bits >> left & 1)
            if above < count:
                break
            above -= count
            place += count
        self.bits = bits
        self.left = left
        return symbols[place + above]
