"""Read a node's record log on the host: every CRC checked, and told what is missing. Layout: models/RECORDS.md."""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from dibble import RecordError
from dibble.storage.record import decode
from dibble.storage.segment import HEADER_BYTES, MAGIC, PIECE_BYTES, read_header, walk

from dibble_tools.common.errors import InputError

_DAY_ZERO = datetime(2000, 1, 1)
FIRST_DAY = 8766  # 2024-01-01: a clock before it was never set, and counts from power-on: ports/shared.py
_NAME = re.compile(r"(\d+)\.seg")


@dataclass(frozen=True)
class DecisionRecord:
    """One decision of the node.

    Attributes:
        sequence: its number, from 1 over all boots.
        when: by the node's clock; None where that wasn't set.
        second: of the day; where the clock wasn't set, since power-on.
        class_index, held_index: None: none.
        battery_mv: None: unknown.
        readings: one a channel, None where missing.
        model_crc: of the model that decided.
        names_crc: of the list of its channels' names; None: of a segment of version 1, whose channels are the model's.
    """

    sequence: int
    when: datetime | None
    second: int
    class_index: int | None
    held_index: int | None
    flags: int
    margin: int
    battery_mv: int | None
    actions: int
    readings: tuple[int | None, ...]
    model_crc: int
    names_crc: int | None = None


@dataclass
class Records:
    """What a log holds.

    Attributes:
        rows: ascending by sequence, each once.
        missing: numbers between the first row and the last that no whole record has.
        damage: what isn't whole, in words.
    """

    rows: list[DecisionRecord] = field(default_factory=list)
    missing: list[range] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)

    def missing_count(self) -> int:
        return sum(len(numbers) for numbers in self.missing)


def read_folder(folder: Path) -> Records:
    """Read all segments of a folder.

    Raises:
        InputError: there is none.
    """
    found = {int(match[1]): path for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))}
    if not found:
        raise InputError(f"expected segments like 000001.seg in {folder}, found none")
    numbers = sorted(found)
    records = read_segments((found[number].name, found[number].read_bytes()) for number in numbers)
    if len(numbers) <= numbers[-1] - numbers[0]:
        gone = sorted(set(range(numbers[0], numbers[-1])) - found.keys())
        records.damage.append("gone: " + ", ".join(f"{number:06d}.seg" for number in gone))
    return records


def read_bytes(data: bytes) -> Records:
    """Read segments that were fetched one after another into one file."""
    starts = [match.start() for match in re.finditer(re.escape(MAGIC), data) if _is_header(data[match.start() :])]
    if not starts or starts[0]:
        starts.insert(0, 0)
    ends = [*starts[1:], len(data)]
    return read_segments((f"byte {start}", data[start:end]) for start, end in zip(starts, ends, strict=True))


def read_segments(segments: Iterable[tuple[str, bytes]]) -> Records:
    """Read segments in the order they were written.

    Args:
        segments: name and content of each.
    """
    records = Records()
    parts = []
    for name, data in segments:
        try:
            parts.append((name, data, *read_header(data[:HEADER_BYTES])))
        except RecordError as error:
            records.damage.append(f"{name}: {error}")
    rows: dict[int, DecisionRecord] = {}
    end = 1 << 32
    for name, data, identity, channels, first, seed, names, size in reversed(parts):
        damaged = 0
        sequence = first
        for record in walk(lambda at, data=data: data[at : at + PIECE_BYTES], seed, size, _quick_crc):
            if sequence >= end:
                break  # what a failed write left behind: the next segment has these numbers
            row = None if record is None else _row(sequence, record, channels, identity, names)
            if row is None:
                damaged += 1
            else:
                rows[sequence] = row
            sequence += 1
        if damaged:
            records.damage.append(f"{name}: {damaged} of {sequence - first} records damaged")
        end = min(end, first)
    records.rows = [rows[sequence] for sequence in sorted(rows)]
    for before, after in zip(records.rows, records.rows[1:], strict=False):
        if after.sequence - before.sequence > 1:
            records.missing.append(range(before.sequence + 1, after.sequence))
    return records


def _quick_crc(data: bytes, start: int, end: int, seed: tuple[int, int], place: int) -> bytes:
    """Return the CRC of dibble.storage.segment.record_crc, computed in C."""
    high, low = seed
    return zlib.crc32(data[start:end], high << 16 | (low ^ place & 0xFFFF)).to_bytes(4, "little")


def _is_header(data: bytes) -> bool:
    try:
        read_header(data[:HEADER_BYTES])
    except RecordError:
        return False
    return True


def _row(sequence: int, record: bytes, channels: int, identity: bytes, names: bytes) -> DecisionRecord | None:
    """Return a record as a row; None where it isn't one of so many channels."""
    try:
        day, second, class_index, held_index, flags, margin, battery_mv, actions, readings = decode(record)
    except RecordError:
        return None
    if len(readings) != channels:
        return None
    return DecisionRecord(
        sequence,
        _DAY_ZERO + timedelta(days=day, seconds=second) if day >= FIRST_DAY else None,
        second if day >= FIRST_DAY else day * 86400 + second,
        None if class_index == 255 else class_index,
        None if held_index == 255 else held_index,
        flags,
        margin,
        battery_mv or None,
        actions,
        tuple(readings),
        int.from_bytes(identity, "little"),
        int.from_bytes(names, "little") if names else None,
    )
