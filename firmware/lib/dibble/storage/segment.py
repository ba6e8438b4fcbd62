"""A segment of the record log: its header, and where its records lie. Layout: models/RECORDS.md.

The node writes with this module, the host reads with it.
"""

from dibble import RecordError
from dibble.forgetting import start_only
from dibble.inference.crc32 import crc32
from dibble.storage.words import crc_bytes, number_at, number_bytes

MAGIC = b"DLOG"
VERSION = 2
HEADER_BYTES = 22
HEADER_1_BYTES = 18  # of version 1, which doesn't name its channels
RECORD_LEAST = 6  # length, one byte, CRC
PIECE_BYTES = 512  # holds the longest record


@start_only
def names_crc(names):
    """Return the CRC of a list of channels' names, as 4 bytes: what a segment tells its channels by."""
    text = "\n".join(names).encode()
    return crc_bytes(crc32(text, len(text)))


def header(identity, channels, first, names):
    """Return a segment's header.

    Args:
        identity: 4 bytes, the CRC of the model that decides.
        channels: number of readings in a record.
        first: sequence number of the segment's first record.
        names: names_crc() of the channels.
    """
    head = MAGIC + bytes((VERSION, channels)) + identity + number_bytes(first) + names
    return head + crc_bytes(crc32(head, len(head)))


def read_header(head):
    """Return (identity, channels, first, seed, names, size) of a segment of version 1 or 2.

    The seed is what its records' CRCs go on from; names is b"" in version 1; size is the header's.

    Raises:
        RecordError: the header isn't whole, or of another version.
    """
    if len(head) < HEADER_1_BYTES or head[:4] != MAGIC:
        raise RecordError("expected a segment's header, got %r" % bytes(head[:4]))
    if head[4] not in (1, VERSION):
        raise RecordError("expected a segment of version 1 or %d, got %d" % (VERSION, head[4]))
    size = HEADER_BYTES if head[4] == VERSION else HEADER_1_BYTES
    crc = crc32(head, size - 4) if len(head) >= size else None
    if crc is None or crc_bytes(crc) != head[size - 4 : size]:
        raise RecordError("expected the CRC of a segment's header, got another")
    return bytes(head[6:10]), head[5], number_at(head, 10), crc, bytes(head[14 : size - 4]), size


def record_crc(data, start, end, seed, place):
    """Return the CRC of a record: no other place of no other segment has the same, so stale bytes don't pass."""
    return crc_bytes(crc32(data, end, start, (seed[0], seed[1] ^ place & 0xFFFF)))


def walk(read, seed, at=HEADER_BYTES, crc_of=record_crc):
    """Yield a segment's records in order, less their CRCs, and None for each damaged one.

    Args:
        read: given a place in the segment, returns its bytes from there on, up to PIECE_BYTES.
        seed, at: seed and size as read_header() has them.
        crc_of: what record_crc() is; a host has a quicker one.
    """
    place = 0
    piece = read(at)
    while piece:
        start = 0
        while start < len(piece):
            end = start + 1 + piece[start]
            if end + 4 > len(piece):
                break
            whole = piece[end : end + 4] == crc_of(piece, start, end, seed, place)
            yield piece[start:end] if whole else None
            start = end + 4
            place += 1
        if not start:  # cut short
            yield None
            return
        at += start
        piece = read(at)
