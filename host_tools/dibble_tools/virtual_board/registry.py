"""The virtual boards that run on this machine for this user: a folder each, with what one needs to reach it."""

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically

RECORD, PORT, CONTROL, LOG = "board.json", "port", "control", "log"
STARTING_S = 60  # from a folder to its record, at most
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


ELSEWHERE = (
    "expected Linux on x86-64, where the virtual board's VM runs (on Windows: in WSL); a board with a cable works here"
)


def can_exist() -> bool:
    """Tell whether virtual boards run on this system at all."""
    return sys.platform == "linux"


@dataclass(frozen=True)
class Running:
    """One board.

    Attributes:
        port: a link to the pseudo-terminal, which lasts while the board has power.
        pid: of its supervisor.
        image: the file of its flash.
        speed: of time while it sleeps.
    """

    name: str
    port: str
    pid: int
    image: str
    speed: float = 1.0


def folder_of(name: str) -> Path:
    """Return a board's folder; it needn't be there.

    Raises:
        InputError: that isn't a name.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"expected a board's name of letters, digits, - and _, 32 at most, got {name!r}")
    return _root() / name


@contextlib.contextmanager
def claimed(name: str) -> Iterator[Path]:
    """Give a new board its folder, and take it away at last.

    Raises:
        InputError: a board of this name runs.
    """
    folder = folder_of(name)
    running()  # forgets the dead
    with contextlib.suppress(FileNotFoundError):
        if not (folder / RECORD).exists() and time.time() - folder.stat().st_mtime > STARTING_S:
            unregister(name)
    try:
        folder.mkdir()
    except FileExistsError:
        raise InputError(
            f"{name}: expected a name that no running board has; name it otherwise or stop that one"
        ) from None
    try:
        yield folder
    finally:
        unregister(name)


def register(board: Running) -> None:
    write_atomically(folder_of(board.name) / RECORD, json.dumps(asdict(board)).encode())


def unregister(name: str) -> None:
    shutil.rmtree(folder_of(name), ignore_errors=True)


def running() -> list[Running]:
    """Return the boards that run, by name; forget those whose supervisor has died."""
    found = []
    for record in sorted(_root().glob(f"*/{RECORD}")):
        try:
            board = Running(**json.loads(record.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        if _alive(board.pid):
            found.append(board)
        else:
            unregister(board.name)
    return found


def find(name: str | None) -> Running:
    """Return the board of a name; without one, the only one that runs.

    Raises:
        InputError: there is none, or several.
    """
    boards = running()
    fitting = [board for board in boards if name in (None, board.name)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(board.name for board in boards) or "none: start one with dibble board start"
    wanted = f"a virtual board named {name}" if name else "one virtual board"
    raise InputError(f"expected {wanted}, running: {there}{'; name one of them' if fitting else ''}")


def _root() -> Path:
    if not can_exist():
        raise InputError(ELSEWHERE)
    base = os.environ.get("XDG_RUNTIME_DIR")
    root = Path(base) / "dibble" if base else Path(tempfile.gettempdir()) / f"dibble-{os.getuid()}"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = root.stat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise InputError(
            f"{root}: expected a folder that only you can open, it isn't: remove it or set XDG_RUNTIME_DIR"
        )
    return root


def _alive(pid: int) -> bool:
    """Tell whether a supervisor, of an earlier dibble too, runs under this number: numbers are given again."""
    try:
        return b"_tools.virtual" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
