"""Unpacks a model file that was Huffman-coded for a slow radio: `unpack_to_file(packed, free_slot)`.

models/PACKED.md specifies the bytes. Held are a block of input, a block of output and a code.
"""

import os
from array import array

from dibble import ModelError
from dibble.storage.bits import Bits

MAGIC = b"DIBZ"
CODED, STORED = 1, 129
LONGEST_CODE = 15
FIRST_LENGTH = 7  # which the first length of a code is told from
HISTORY = 64  # bytes written at once, a power of two; a difference reaches as far back


def unpack(source, write):
    """Unpack a model.

    Args:
        source: file open for reading, or bytes.
        write: called with the model's next bytes, again and again.
    Returns:
        int: how many bytes the model has.
    Raises:
        ModelError: damaged, cut short, of another version; some bytes may have been written, never
            more than the header states.
    """
    source = Bits(source)
    form, size = _header(source)
    out = bytearray(HISTORY)
    counts = array("H", [0] * LONGEST_CODE)
    symbols = bytearray(256)
    at = end = back = 0
    while at < size:
        if form == CODED and at == end:
            end += source.number()
            back = source.number() - 1
            if end > size or back > HISTORY:
                _contradiction("a part to byte %d with differences to %d before" % (end, back))
            read_code(source, counts, symbols)
        value = source.symbol(counts, symbols) if form == CODED else source.byte()
        if back:
            value += out[at - back & HISTORY - 1]
        out[at & HISTORY - 1] = value & 255
        at += 1
        if not at & HISTORY - 1:
            write(bytes(out))
    source.byte()
    source.byte()
    source.check()
    if at & HISTORY - 1:
        write(bytes(out[: at & HISTORY - 1]))
    return size


def unpack_to_file(source_path, target_path):
    """Unpack the file at source_path to target_path, which is new or a free slot; return the model's size.

    Raises:
        ModelError: damaged; the target is as it was, or gone if the damage escaped the first check.
        OSError: no such file, no room; a target half written is gone.
    """
    with open(source_path, "rb") as file:
        source = Bits(file)
        _header(source)
        while not source.ended():
            source.byte()
        source.check()
    target = open(target_path, "wb")
    try:
        with target:
            with open(source_path, "rb") as file:
                return unpack(file, target.write)
    except BaseException:
        os.remove(target_path)
        raise


def _header(source):
    magic = b""
    while len(magic) < len(MAGIC):
        magic += bytes([source.byte()])
    if magic != MAGIC:
        raise ModelError("expected a packed model that starts with %r, got %r" % (MAGIC, magic))
    form = source.byte()
    if form != CODED and form != STORED:
        raise ModelError("expected packing %d or %d, got %d: update the firmware" % (CODED, STORED, form))
    return form, source.byte() | source.byte() << 8 | source.byte() << 16


def read_code(source, counts, symbols):
    """Read a canonical code: how many symbols have 1, 2 ... bits, and the symbols by length, then by value."""
    lengths = bytearray(256)
    for i in range(LONGEST_CODE):
        counts[i] = 0
    length = FIRST_LENGTH
    used = False
    symbol = source.number() - 1
    room = 1 << LONGEST_CODE  # for codes of the longest kind; a complete code leaves none
    while room:
        run = source.number()
        change = source.number()
        used = change > 1 or not used
        length += -(change >> 1) if change & 1 else change >> 1
        end = symbol + run
        if end > 256 or not 1 <= length <= LONGEST_CODE:
            _contradiction("%d symbols of %d bits" % (end, length))
        if used:
            counts[length - 1] += run
            room -= run << LONGEST_CODE - length
            if room < 0:
                _contradiction("more codes than there are")
            for i in range(symbol, end):
                lengths[i] = length
        symbol = end
    places = [0]
    for count in counts:
        places.append(places[-1] + count)
    for i in range(symbol):
        length = lengths[i]
        if length:
            symbols[places[length - 1]] = i
            places[length - 1] += 1


def _contradiction(got):
    raise ModelError("expected a packed model that fits together, got %s: receive it again" % got)
