"""`dibble fetch`: a node's record log comes home; what was fetched before stays and isn't sent again."""

import re
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dibble.storage.slots import HEADER_BYTES

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically
from dibble_tools.common.safe_text import plain
from dibble_tools.link.session import LinkError, RemoteError, Session
from dibble_tools.log.dates import Dates
from dibble_tools.log.names import Known, number_in, of_config, of_slot
from dibble_tools.log.segment_store import NAME, SegmentStore
from dibble_tools.log.table import log_csv
from dibble_tools.node.record_log import Records

LOG = "log"  # on the node: firmware/lib/dibble/node.py
SLOTS = ("model.a", "model.b")
CONFIG = "config.json"
SEGMENT_BYTES = 1 << 17  # the largest that a configuration allows, and a batch
FILE_BYTES = 1 << 18
MOST_SEGMENTS = 2000
LISTED = re.compile(r"(\S{1,64}) ([0-9]{1,9}) ([0-9a-f]{8})")


@dataclass(frozen=True)
class Places:
    """Where a log is kept.

    Attributes:
        table: the CSV.
        folder: with the raw segments, and the names of channels and classes.
    """

    table: Path
    folder: Path

    @classmethod
    def of(cls, out: Path) -> "Places":
        """Return FOLDER/log.csv and FOLDER/segments, or FILE.csv and FILE.segments."""
        if out.suffix.lower() == ".csv":
            return cls(out, out.with_suffix(".segments"))
        return cls(out / "log.csv", out / "segments")


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought.

    Attributes:
        records: all that is home now.
        new: how many records weren't before.
        segments: how many came over the line.
        notes: what the user should know.
    """

    records: Records
    new: int
    segments: int
    notes: list[str]


def fetch(port: str, out: Path, models: Sequence[Path], say: Callable[[str], None]) -> Fetched:
    """Bring home the log of the node at a port, and let the node run on.

    Args:
        port: device of the board.
        out: see Places.
        models: files of models that the log may speak of.
        say: takes what happens.
    Raises:
        InputError: no board, no log, or another log than what is there already. What came until then is kept.
    """
    places = Places.of(out)
    try:
        store = SegmentStore(places.folder)
    except OSError as error:
        raise InputError(f"{places.folder}: expected a folder to write to: {error.strerror}") from None
    known = Known(places.folder / "names.json")
    dates = Dates(places.folder / "dates.json")
    known.learn_files(models)
    before = len(store.records().rows)
    try:
        with Session.open(port) as board:
            _learn(board, known)
            known.save()
            listed = _listed(board)
            came = 0
            for name, size, crc in listed:
                here = store.content(name)
                if len(here) == size and zlib.crc32(here) == crc:
                    continue
                say(f"{name}: {size} bytes")
                store.keep(name, board.read_file(f"{LOG}/{name}", SEGMENT_BYTES))
                came += 1
            board.set_calendar()
            starts_s = [moment for moment in (board.node_start_s, board.reset_s) if moment is not None]
    except RemoteError as error:
        raise InputError(f"{port}: expected the node's log, got: {plain(str(error))}") from None
    if not listed and not before:
        raise InputError(f"{port}: expected a folder {LOG}/ with segments on the node, got none: has it run yet?")
    records = store.records()
    notes = _date(records, dates, starts_s)
    text, more = log_csv(records, known)
    notes += more
    notes = store.notes + notes + write_table(places.table, text.encode())
    return Fetched(records, len(records.rows) - before, came, notes)


def _date(records: Records, dates: Dates, starts_s: Sequence[float]) -> list[str]:
    """Give records without a time the one that is known; return notes on it.

    Args:
        starts_s: when the node that was stopped had begun to run, and when it was reset after that, as far as it was.
    """
    count = dates.learn(records.rows, starts_s, time.time())
    records.rows = dates.dated(records.rows)
    notes = []
    if count:
        notes.append(
            f"the node's clock wasn't set: its last {count} records are dated backwards from now, by its running time"
        )
    if untimed := sum(row.when is None for row in records.rows):
        notes.append(f"{untimed} records have no time: the clock wasn't set, and the node has been switched off since")
    return notes


def write_table(path: Path, data: bytes) -> list[str]:
    """Write the CSV; return a note where it wasn't just longer than what was there, which is kept then."""
    before = path.read_bytes() if path.exists() else b""
    if before == data:
        return []
    write_atomically(path, data)
    if data.startswith(before):
        return []
    kept = path.with_name(path.name + ".bak")
    write_atomically(kept, before)
    return [f"{path} was written anew, as its columns or rows have changed; the one before is {kept.name}"]


def _listed(board: Session) -> list[tuple[str, int, int]]:
    """Return name, size and CRC-32 of the node's segments, the oldest first."""
    lines = board.run("log_segments.log_segments", LOG, timeout_s=30).splitlines()
    if len(lines) > MOST_SEGMENTS:
        raise LinkError(f"{board.port}: expected at most {MOST_SEGMENTS} segments, got {len(lines)}")
    found = []
    for line in lines:
        match = LISTED.fullmatch(line)
        if not match:
            raise LinkError(f"{board.port}: expected name, size and CRC-32 of a segment, got {plain(line)!r}")
        if NAME.fullmatch(match[1]):  # never becomes another path
            found.append((match[1], int(match[2]), int(match[3], 16)))
    return sorted(found, key=lambda entry: int(entry[0][:-4]))


def _learn(board: Session, known: Known) -> None:
    """Learn the names of the node's models, and of its sensors."""
    for name in SLOTS:
        slot = _optional(board, name)
        known.learn_number(number_in(slot[HEADER_BYTES:]))
        if found := of_slot(slot):
            known.learn(*found)
    if names := of_config(_optional(board, CONFIG)):
        known.learn(0, names)


def _optional(board: Session, path: str) -> bytes:
    try:
        return board.read_file(path, FILE_BYTES)
    except RemoteError:
        return b""
