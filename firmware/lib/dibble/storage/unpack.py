"""Unpacks a model file that was Huffman-coded for a slow radio: `unpack_to_file(packed, free_slot)`.

models/PACKED.md specifies the bytes read here. Held are one block of input, one of output, one code.
"""

import os
from array import array

from dibble import ModelError

MAGIC = b"DIBZ"
CODED, STORED = 1, 129
LONGEST_CODE = 15
BLOCK = 64  # bytes read and written at once; a power of two. So far back a difference may reach
_DAMAGED = "the packed model contradicts itself, receive it again: expected %s, got %d"


class _Source:
    """Bytes and bits in order, and the CRC-16 (polynomial 0x1021, from 0xFFFF) of the bytes so far."""

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

    def header(self):
        """Return the form, and the model's size in bytes."""
        magic = bytes([self.byte() for _ in MAGIC])
        if magic != MAGIC:
            raise ModelError("expected a packed model that starts with %r, got %r" % (MAGIC, magic))
        form = self.byte()
        if form != CODED and form != STORED:
            raise ModelError("expected packing %d or %d, got %d: update the firmware" % (CODED, STORED, form))
        return form, self.byte() | self.byte() << 8 | self.byte() << 16

    def end(self):
        """Read the CRC-16: that of all bytes, it included, is 0."""
        self.byte()
        self.byte()
        if self.crc or not self.ended():
            raise ModelError("expected CRC-16 0 at the packed model's end, got %d: receive it again" % self.crc)

    def bit(self):
        if not self.left:
            self.bits = self.byte()
            self.left = 8
        self.left -= 1
        return self.bits >> self.left & 1

    def number(self):
        """Read an Elias gamma code: below the leading 1 are as many bits as zeros before it."""
        zeros = 0
        while not self.bit():
            zeros += 1
            if zeros > 15:
                raise ModelError(_DAMAGED % ("a number of 16 bits", zeros + 1))
        value = 1
        for _ in range(zeros):
            value = value << 1 | self.bit()
        return value

    def code(self, counts, symbols):
        """Read a canonical code: how many symbols have 1, 2 ... bits, and the symbols by length."""
        lengths = bytearray(len(symbols))
        for i in range(LONGEST_CODE):
            counts[i] = 0
        length = LENGTH_BEFORE
        used = True
        symbol = 0
        room = 1 << LONGEST_CODE  # which codes still have to fill
        while room:
            run = self.number()
            change = self.number()
            used = change > 1 or not used
            length += -(change >> 1) if change & 1 else change >> 1
            if symbol + run > len(symbols):
                raise ModelError(_DAMAGED % ("symbols below 256", symbol + run - 1))
            if not 1 <= length <= LONGEST_CODE:
                raise ModelError(_DAMAGED % ("codes of 1 to 15 bits", length))
            if used:
                counts[length - 1] += run
                room -= run << LONGEST_CODE - length
                if room < 0:
                    raise ModelError(_DAMAGED % ("a complete code", room))
                for i in range(symbol, symbol + run):
                    lengths[i] = length
            symbol += run
        places = [0]
        for count in counts:
            places.append(places[-1] + count)
        for symbol in range(symbol):
            if lengths[symbol]:
                symbols[places[lengths[symbol] - 1]] = symbol
                places[lengths[symbol] - 1] += 1

    def symbol(self, counts, symbols):
        """Read a symbol; the code is complete, so one is found."""
        bits = self.bits
        left = self.left
        above = 0  # the first code of this length that is no prefix of... a longer one
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


def unpack(source, write):
    """Unpack a model.

    Args:
        source: file open for reading, or bytes.
        write: called with the model's next bytes, again and again.
    Returns:
        int: how many bytes the model has.
    Raises:
        ModelError: damaged, cut short, of another version; some bytes may have been written.
    """
    source = _Source(source)
    form, size = source.header()
    out = bytearray(BLOCK)
    counts = array("H", [0] * LONGEST_CODE)
    symbols = bytearray(256)
    at = end = back = 0
    while at < size:
        if form == CODED and at == end:
            end += source.number()
            back = source.number() - 1
            if end > size or back > BLOCK:
                raise ModelError(_DAMAGED % ("parts of %d bytes in all" % size, end))
            source.code(counts, symbols)
        value = source.symbol(counts, symbols) if form == CODED else source.byte()
        if back:
            value += out[at - back & BLOCK - 1]
        out[at & BLOCK - 1] = value & 255
        at += 1
        if not at & BLOCK - 1:
            write(bytes(out))
    source.end()
    if at & BLOCK - 1:
        write(bytes(out[: at & BLOCK - 1]))
    return size


def unpack_to_file(source_path, target_path):
    """Unpack the file at source_path to target_path, which is new or a free slot; return the model's size.

    Raises:
        ModelError: damaged; the target is as it was, or gone if the damage escaped the first check.
        OSError: no such file, no room; a target half written is gone.
    """
    with open(source_path, "rb") as file:
        source = _Source(file)
        while not source.ended():
            source.byte()
        if source.crc:
            raise ModelError("expected CRC-16 0 of the packed model, got %d: receive it again" % source.crc)
    try:
        with open(source_path, "rb") as file, open(target_path, "wb") as target:
            return unpack(file, target.write)
    except BaseException:
        os.remove(target_path)
        raise
