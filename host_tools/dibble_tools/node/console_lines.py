"""What a node says on its serial console, read strictly: a line is understood whole, or counted with its reason.

The format is specified in firmware/lib/dibble/report/serial_line.py, and frame_lines.py. Nothing that arrives raises.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from dibble.inference.fixed_point import READING_LIMIT

LINE_BYTES = 4096  # no node writes longer lines
VERSION = "2"
FIXED = ("seq", "time_s", "class", "held", "margin", "flags", "action", "faults", "battery_mv")
EVENT_FIELDS = 3
FRAME_FIELDS = 8
MOST_PIXELS = 96 * 96  # of a camera's picture
NATURAL_LIMIT = 2**32 - 1

_SEALED = re.compile(rb"([^*]+)\*([0-9A-F]{8})")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,9}")
_VISIBLE = re.compile(rb"[!-~]+")
_ESCAPE = re.compile(r"%([0-9A-F]{2})")
_PIXELS = re.compile(r"(?:[0-9A-F]{2})+")
_PLAIN = re.compile(r"(?:[^%!#]|%[0-9A-F]{2})*")


@dataclass(frozen=True)
class Header:
    """The line that names the fields of those after it."""

    node: str
    channels: tuple[tuple[str, str], ...]  # name, unit
    crc: int  # CRC-32, from which those of its rows go on


@dataclass(frozen=True)
class Row:
    """A decision."""

    node: str
    sequence: int
    time_s: int  # since 2000-01-01, by the node's clock
    class_name: str | None
    held: str | None
    margin: int
    flags: int
    action: int
    faults: int
    battery_mv: int | None
    readings: dict[str, int | None]  # channel -> reading


@dataclass(frozen=True)
class Event:
    """Something that happened: kind "boot", "fault", ..."""

    kind: str
    time_s: int
    text: str


@dataclass(frozen=True)
class FrameRow:
    """A row of an array's frame: what each pixel is above its background, in steps of so many of the unit.

    Attributes:
        depth: of a camera's picture, whose pixels are codes: 1 of grey, 3 of red, green and blue; 0: of an array.
    """

    sensor: str
    sequence: int  # of the decision that it came with
    row: int
    rows: int
    columns: int
    unit: str
    step: int
    pixels: tuple[int, ...]
    depth: int = 0


@dataclass(frozen=True)
class Rejected:
    """A line that can't be trusted."""

    reason: str
    line: bytes


Line = Header | Row | Event | FrameRow | Rejected


class _Unfit(Exception):
    """Why a line is rejected."""


class LineReader:
    """Reads what arrives, in pieces of any size.

    Args:
        heard: headers of earlier days: one stands in for the first, where a row's checksum goes on from its.
    Attributes:
        header: that of the rows which come now; None before the first.
        rejected: reason -> how many lines.
    """

    def __init__(self, heard: Sequence[Header] = ()) -> None:
        self.header: Header | None = None
        self._heard = heard
        self.rejected: Counter[str] = Counter()
        self._rest = b""

    def feed(self, data: bytes) -> list[Line]:
        """Return the lines that are complete now; what follows the last line end is kept for the next call."""
        return list(self.each(data))

    def each(self, data: bytes) -> Iterator[Line]:
        """Yield the same lines one by one: when a row is yielded, `header` is its own."""
        *ends, rest = data.split(b"\n")
        for end in ends:
            line = (self._rest + end).removesuffix(b"\r")
            self._rest = b""
            if line:
                yield self.parse(line)
        # What is too long stays too long when it is cut.
        self._rest = (self._rest + rest)[: LINE_BYTES + 2]

    def parse(self, line: bytes) -> Line:
        """Return the meaning of one line, given without its line end."""
        try:
            parsed = self._parse(line)
        except _Unfit as unfit:
            reason = str(unfit)
            self.rejected[reason] += 1
            return Rejected(reason, line)
        if isinstance(parsed, Header):
            self.header = parsed
        return parsed

    def _parse(self, line: bytes) -> Header | Row | Event | FrameRow:
        if len(line) > LINE_BYTES:
            _unfit("too long")
        sealed = _SEALED.fullmatch(line)
        if not sealed:
            _unfit("no checksum")
        body, digits = sealed.groups()
        if not _VISIBLE.fullmatch(body):
            _unfit("other than visible ASCII")
        crc, text = int(digits, 16), body.decode("ascii")
        if text[0] in "#!=":
            own = zlib.crc32(body)
            if own != crc:
                _unfit("checksum")
            if text[0] == "=":
                return _frame_row(text)
            return _header(text, own) if text[0] == "#" else _event(text)
        if not self.header:
            self.header = next((header for header in self._heard if zlib.crc32(body, header.crc) == crc), None)
        if not self.header:
            _unfit("no header yet")
        if zlib.crc32(body, self.header.crc) != crc:
            _unfit("checksum, or another header's")
        return _row(text, self.header)


def _header(text: str, crc: int) -> Header:
    start, *fields = text.split(",")
    if start != "#dibble":
        _unfit("another program's header")
    if fields[:1] != [VERSION]:
        _unfit("another version's header")
    if len(fields) < 2 or tuple(fields[2 : 2 + len(FIXED)]) != FIXED:
        _unfit("header of other fields")
    channels = []
    for field in fields[2 + len(FIXED) :]:
        name, colon, unit = _text(field).rpartition(":")
        if not colon or not name:
            _unfit("channel without a unit")
        channels.append((name, unit))
    if len(dict(channels)) != len(channels):
        _unfit("two channels of one name")
    return Header(_text(fields[1]), tuple(channels), crc)


def _row(text: str, header: Header) -> Row:
    fields = text.split(",")
    if len(fields) != len(FIXED) + len(header.channels):
        _unfit("number of fields")
    sequence, time_s, class_name, held, margin, flags, action, faults, battery_mv = fields[: len(FIXED)]
    readings = map(_integer_or_none, fields[len(FIXED) :])
    return Row(
        header.node,
        _natural(sequence),
        _natural(time_s),
        _text(class_name) or None,
        _text(held) or None,
        _natural(margin),
        _natural(flags),
        _natural(action),
        _natural(faults),
        _natural(battery_mv) if battery_mv else None,
        {name: reading for (name, _), reading in zip(header.channels, readings, strict=True)},
    )


def _event(text: str) -> Event:
    fields = text[1:].split(",")
    if len(fields) != EVENT_FIELDS or not fields[0]:
        _unfit("number of fields")
    return Event(_text(fields[0]), _natural(fields[1]), _text(fields[2]))


def _frame_row(text: str) -> FrameRow:
    fields = text[1:].split(",")
    if len(fields) != FRAME_FIELDS:
        _unfit("number of fields")
    sequence, row, rows, columns = map(_natural, fields[1:5])
    step = _natural(fields[6])
    if not 0 <= row < rows or not 0 < rows * columns <= MOST_PIXELS:
        _unfit("frame of no such size")
    digits = fields[7]
    if not _PIXELS.fullmatch(digits) or len(digits) not in (2 * columns, 4 * columns, 6 * columns):
        _unfit("frame's row of another length")
    if len(digits) == 4 * columns:
        words = (int(digits[i : i + 4], 16) for i in range(0, 4 * columns, 4))
        pixels = tuple(word - 0x10000 if word & 0x8000 else word for word in words)
        return FrameRow(_text(fields[0]), sequence, row, rows, columns, _text(fields[5]), step, pixels)
    codes = tuple(bytes.fromhex(digits))
    depth = len(codes) // columns
    return FrameRow(_text(fields[0]), sequence, row, rows, columns, _text(fields[5]), step, codes, depth)


def _natural(field: str) -> int:
    if not _INTEGER.fullmatch(field) or field[0] == "-":
        _unfit("not a number")
    value = int(field)
    if value > NATURAL_LIMIT:
        _unfit("number too large")
    return value


def _integer_or_none(field: str) -> int | None:
    if not field:
        return None
    if not _INTEGER.fullmatch(field):
        _unfit("not a number")
    value = int(field)
    if abs(value) > READING_LIMIT:
        _unfit("number too large")
    return value


def _text(field: str) -> str:
    if not _PLAIN.fullmatch(field):
        _unfit("escape")
    try:
        return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), field).encode("latin-1").decode()
    except UnicodeDecodeError:
        _unfit("not UTF-8")


def _unfit(reason: str) -> NoReturn:
    raise _Unfit(reason)
