"""Raw segments of one node's log, as they were fetched: they grow, and nothing of them is ever lost."""

import re
from pathlib import Path

from dibble import RecordError
from dibble.storage.segment import HEADER_BYTES, read_header

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically
from dibble_tools.node.record_log import Records, read_folder, read_segments

NAME = re.compile(r"[0-9]{6,9}\.seg")


class SegmentStore:
    """A folder of segments.

    Attributes:
        notes: what was found that isn't as it should be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def content(self, name: str) -> bytes:
        """Return a segment as it was fetched; none of it where there is none."""
        path = self.folder / name
        return path.read_bytes() if path.exists() else b""

    def records(self) -> Records:
        """Read all that is there, every CRC checked."""
        return read_folder(self.folder) if any(map(_is_segment, self.folder.iterdir())) else Records()

    def keep(self, name: str, data: bytes) -> None:
        """Take a segment as the node has it now; what it doesn't continue is kept under another name.

        Args:
            name: as NAME has it.
        Raises:
            InputError: it belongs to another log.
        """
        before = self.content(name)
        self._check_order(name, data)
        if not data.startswith(before):
            self._check_same(name, before, data)
            older, newer = (len(read_segments([(name, content)]).rows) for content in (before, data))
            kept, aside = (data, before) if newer >= older else (before, data)
            number = 1 + sum(1 for path in self.folder.glob(f"{name}.other-*"))
            write_atomically(self.folder / f"{name}.other-{number}", aside)
            self.notes.append(
                f"{name}: expected it to go on as it was fetched before, got other bytes: the one with fewer records "
                f"is kept as {name}.other-{number}"
            )
            data = kept
        write_atomically(self.folder / name, data)

    def _check_same(self, name: str, before: bytes, data: bytes) -> None:
        first, second = _first(before), _first(data)
        if first is not None and second is not None and before[:HEADER_BYTES] != data[:HEADER_BYTES]:
            raise self._other_log(name, f"begins with record {second}, here with {first}")

    def _check_order(self, name: str, data: bytes) -> None:
        """See that record numbers rise with the numbers of segments."""
        first = _first(data)
        if first is None:
            return
        for path in filter(_is_segment, self.folder.iterdir()):
            other = _first(path.read_bytes()[:HEADER_BYTES])
            if other is None or path.name == name:
                continue
            if (int(path.stem) < int(name[:-4])) != (other < first) and other != first:
                raise self._other_log(name, f"begins with record {first}, {path.name} here with {other}")

    def _other_log(self, name: str, why: str) -> InputError:
        return InputError(
            f"{self.folder}: expected segments of the log that was fetched into it before, got another's: "
            f"{name} {why}. Was the node's log erased, or is it another node? Choose another --out"
        )


def _is_segment(path: Path) -> bool:
    return NAME.fullmatch(path.name) is not None


def _first(data: bytes) -> int | None:
    """Return the number of a segment's first record; None where its header isn't whole."""
    try:
        return int(read_header(data[:HEADER_BYTES])[2])
    except RecordError:
        return None
