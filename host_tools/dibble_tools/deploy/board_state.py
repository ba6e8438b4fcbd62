"""What a board is and what is on it, as link/guest/look.py tells it."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from dibble_tools.link.session import LinkError, Session
from dibble_tools.node.files import MpyFormat

KEYS = ("runtime", "version", "machine", "mpy", "heap", "flash", "rom", "sums", "inflates")
PATH_BYTES = 200
_FILE = re.compile(r"([0-9a-f]{16}|-) ([0-9]{1,9}) (.{1,200})")
_NUMBER = re.compile(r"[0-9]{1,9}")


def digest_of(content: bytes) -> str:
    """Return as much of a file's SHA-256 as look.py tells."""
    return hashlib.sha256(content).hexdigest()[:16]


@dataclass(frozen=True)
class OnBoard:
    """A file; no digest where a deploy never writes."""

    size: int
    digest: str | None


@dataclass(frozen=True)
class BoardState:
    """A board.

    Attributes:
        runtime: "micropython" or "circuitpython".
        mpy: which compiled files it reads; None: none.
        heap_bytes: free, of an empty program.
        block_bytes, blocks, free_blocks: of its file system.
        inflates: it reads what is compressed.
        files: by path, without a slash before.
        folders: paths.
    """

    runtime: str
    version: tuple[int, ...]
    machine: str
    mpy: MpyFormat | None
    heap_bytes: int
    block_bytes: int
    blocks: int
    free_blocks: int
    has_rom: bool
    has_sums: bool
    inflates: bool
    files: dict[str, OnBoard]
    folders: tuple[str, ...] = ()

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))


def look(session: Session) -> BoardState:
    """Ask a board what it is.

    Raises:
        LinkError: it answers otherwise than look.py does.
    """
    return parse(session.run("look.look", timeout_s=20).splitlines())


def parse(lines: Iterable[str]) -> BoardState:
    """Understand the lines of look.py, all of them."""
    values: dict[str, str] = {}
    files: dict[str, OnBoard] = {}
    folders: list[str] = []
    for line in lines:
        key, _, value = line.partition(" ")
        if key == "folder" and 0 < len(value) <= PATH_BYTES:
            folders.append(value)
            continue
        if key == "file":
            digest, size, path = _groups(_FILE, value, line)
            files[path] = OnBoard(int(size), None if digest == "-" else digest)
        elif key in KEYS and key not in values:
            values[key] = value
        else:
            raise LinkError(f"expected the board to tell of {', '.join(KEYS)} and its files, got {line!r}")
    missing = [key for key in KEYS if key not in values]
    if missing:
        raise LinkError(f"expected the board to tell its {', '.join(missing)}, got none")
    block, blocks, free = numbers_in(values["flash"], 3)
    mpy = numbers_in(values["mpy"], 1)[0]
    return BoardState(
        values["runtime"],
        tuple(numbers_in(values["version"].replace(".", " "), 3)),
        values["machine"],
        MpyFormat.of(mpy) if mpy else None,
        numbers_in(values["heap"], 1)[0],
        block,
        blocks,
        free,
        values["rom"] == "yes",
        values["sums"] == "yes",
        values["inflates"] == "yes",
        files,
        tuple(folders),
    )


def numbers_in(text: str, count: int) -> list[int]:
    """Return the numbers that a board told; raise LinkError where it told anything else."""
    parts = text.split(" ")
    if len(parts) != count or not all(map(_NUMBER.fullmatch, parts)):
        raise LinkError(f"expected {count} numbers from the board, got {text!r}")
    return list(map(int, parts))


def _groups(pattern: re.Pattern[str], text: str, line: str) -> tuple[str, ...]:
    match = pattern.fullmatch(text)
    if not match:
        raise LinkError(f"expected a file's digest, size and path from the board, got {line!r}")
    return match.groups()
