"""One decision as bytes. Layout: models/RECORDS.md.

The node writes with this module, the host reads with it.
"""

from dibble import RecordError
from dibble.inference.fixed_point import MISSING
from dibble.inference.format import Cursor

_LIMIT = 0x40000000


def encode(day, second, class_index, held_index, flags, margin, battery_mv, actions, readings):
    """Return a decision as a record, less its CRC, which depends on where it will lie.

    Args:
        day, second: days since 2000-01-01, seconds since midnight; before 2024: since power-on, as no clock is set.
        class_index, held_index: 0..255; 255: none.
        flags, margin, battery_mv, actions: ints of 0..2**30 - 1; battery_mv 0: unknown.
        readings: one int a channel within the small ints, MISSING or None where there is none.
    Raises:
        RecordError: it takes more than 255 bytes, or a value lies outside its range.
    """
    record = bytearray(1)
    for value in (day, second, flags, margin, battery_mv, actions):
        _put(record, value, 0, 0x80)
    record.append(class_index)
    record.append(held_index)
    for reading in readings:
        if reading is None or reading == MISSING:
            record.append(0x40)  # minus zero
        elif reading < 0:
            _put(record, -reading, 0x40, 0x40)
        else:
            _put(record, reading, 0, 0x40)
    if len(record) > 256:
        raise RecordError("expected a record of at most 255 bytes, got %d" % (len(record) - 1))
    record[0] = len(record) - 1
    return bytes(record)


def _put(record, value, sign, limit):
    """Append a number in groups of 7 bits, least first; the first group has only the bits below `limit`."""
    if not 0 <= value < _LIMIT:
        raise RecordError("expected 0..%d in a record, got %d" % (_LIMIT - 1, value))
    first = value & limit - 1
    value = value // limit
    record.append(first | sign | (128 if value else 0))
    while value:
        record.append(value & 127 | (128 if value > 127 else 0))
        value >>= 7


def decode(record):
    """Return what encode() was given, as a tuple; its last item is a list of readings, None where missing.

    Raises:
        RecordError: it ends in the middle of a number.
    """
    cursor = Cursor(record, 1)
    readings = []
    try:
        day, second, flags, margin, battery_mv, actions = [cursor.number() for _ in range(6)]
        class_index = cursor.byte()
        held_index = cursor.byte()
        while cursor.at < len(record):
            first = cursor.byte()
            value = first & 63
            if first > 127:
                value |= cursor.number() << 6
            if first & 64:
                value = -value if value else None
            readings.append(value)
    except IndexError:
        raise RecordError("expected a record's numbers to end with it, got %r" % bytes(record))
    return day, second, class_index, held_index, flags, margin, battery_mv, actions, readings
