"""Segments of a node's log, put together from models/RECORDS.md by struct and zlib."""

import struct
import zlib

MODEL = 0x04030201


def by_hand(second: int, reading: int) -> bytes:
    """Return a payload of 2026-11-24 (day 9824), one channel of 0..63."""
    number = bytes([second & 127 | 128, second >> 7])
    return b"\xe0\x4c" + number + b"\x03" + b"\x07" + b"\x80\x1d" + b"\x05" + b"\x02\xff" + bytes([reading])


def segment(first: int, payloads: list[bytes]) -> bytes:
    head = struct.pack("<4sBBII", b"DLOG", 1, 1, MODEL, first)
    seed = zlib.crc32(head)
    out = head + struct.pack("<I", seed)
    for place, payload in enumerate(payloads):
        record = bytes([len(payload)]) + payload
        out += record + struct.pack("<I", zlib.crc32(record, seed ^ place))
    return out


def payloads(count: int) -> list[bytes]:
    return [by_hand(1000 + i, i) for i in range(count)]
