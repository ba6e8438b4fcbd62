"""What a node says, as it comes: pieces from a port that may come back, or from a captured console; then lines."""

import os
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import is_fit_name
from dibble_tools.link.holders import busy_text, is_busy
from dibble_tools.node.console_lines import Header, Line, LineReader

POLL_S = 0.2
FIRST_WAIT_S = 0.5
MOST_WAIT_S = 5.0
PIECE_BYTES = 4096
BAUD = 115200  # of boards with a UART; USB ignores it


@dataclass(frozen=True)
class Status:
    """What became of the connection, in words."""

    text: str
    connected: bool


Piece = bytes | Status


def from_port(port: str, find: Callable[[str], str] | None = None) -> Generator[Piece, None, None]:
    """Yield what arrives, and b"" whenever nothing does for a fifth of a second; open the port again when it is back.

    Nothing is ever written to the port.

    Args:
        port: its name, or "auto".
        find: returns the name of the port to open, each time; raises InputError.
    Raises:
        InputError: it can't be opened at first.
    """
    if find is None:
        from dibble_tools.link.ports import find_port

        find = find_port
    name = find(port)
    opened = open_port(name)
    wait_s = FIRST_WAIT_S
    try:
        while True:
            yield Status(f"connected to {name}", True)
            try:
                while True:
                    data = opened.read(max(1, min(opened.in_waiting, PIECE_BYTES)))
                    if data:
                        wait_s = FIRST_WAIT_S
                    yield data
            except _gone():
                opened.close()
            while True:
                yield Status(f"{name} went away: looking for it again in {wait_s:g} s", False)
                yield from _idle(wait_s)
                wait_s = min(2 * wait_s, MOST_WAIT_S)
                try:
                    name = find(port)
                    opened = open_port(name)
                    break
                except InputError:
                    pass
    finally:
        opened.close()


def open_port(name: str) -> Any:
    """Return an open serial.Serial that doesn't reset the board, where that can be avoided.

    Boards with a USB of their own send only while DTR is set; the reset circuit of an ESP32 fires only while DTR and
    RTS differ. So both stay set, as POSIX opens them, or, where Windows shows a converter's own driver, both clear.

    Raises:
        InputError: there is none of that name, or it's in use.
    """
    import serial
    from serial.tools import list_ports

    opened = serial.Serial(baudrate=BAUD, timeout=POLL_S, exclusive=None if sys.platform == "win32" else True)
    opened.port = name
    if sys.platform == "win32":
        found = next((entry for entry in list_ports.comports() if entry.device == name), None)
        if found and found.manufacturer != "Microsoft":
            opened.dtr = opened.rts = False
    try:
        opened.open()
    except _gone() as error:
        if is_busy(error):
            raise InputError(busy_text(name)) from None
        raise InputError(
            f"{name}: expected a port that can be opened, got: {error}. Is the board plugged in, and does no other "
            "program (mpremote, Thonny, another dibble) use it?"
        ) from None
    return opened


def from_file(path: Path | None) -> Iterator[Piece]:
    """Yield a captured console, piece by piece; None is stdin.

    Raises:
        InputError: it can't be read.
    """
    try:
        if path is None:
            while data := os.read(sys.stdin.fileno(), PIECE_BYTES):
                yield data
        else:
            with path.open("rb") as file:
                while data := file.read(PIECE_BYTES):
                    yield data
    except OSError as error:
        raise InputError(f"{path or 'stdin'}: expected a captured console, got: {error.strerror}.") from None
    yield b"\n"  # a last line without an end is a line, or torn, which its checksum tells


def _idle(seconds: float) -> Iterator[bytes]:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(POLL_S, left))
        yield b""


def _gone() -> tuple[type[Exception], ...]:
    """Return what a port that isn't there any more raises; pyserial lets termios.error through."""
    try:
        from termios import error
    except ImportError:
        return (OSError,)
    return (OSError, error)


MOST_CHANNELS = 255  # a model's and a record's limit


class Feed:
    """What a node says.

    Args:
        pieces: as from_port or from_file yields them.
        heard: headers of earlier days: see LineReader.
        remember: takes each header that comes.
    Attributes:
        reader: the LineReader, with its header and its counts of rejected lines.
    """

    def __init__(
        self,
        pieces: Iterator[Piece],
        heard: Sequence[Header] = (),
        remember: Callable[[Header], None] = lambda header: None,
    ) -> None:
        self.reader = LineReader(heard)
        self._pieces = pieces
        self._remember = remember

    def __iter__(self) -> Iterator[Line | Status | None]:
        """Yield lines and what became of the connection; None once after each piece, however little it was.

        When a row is yielded, reader.header is its own.
        """
        for piece in self._pieces:
            if isinstance(piece, Status):
                yield piece
            else:
                for line in self.reader.each(piece):
                    if isinstance(line, Header):
                        self._remember(line)
                    yield line
            yield None


def unfit(header: Header) -> str:
    """Return why the rows under a header can't be used; "" if they can."""
    if len(header.channels) > MOST_CHANNELS:
        return f"header of more than {MOST_CHANNELS} channels"
    if not header.channels:
        return "header without a channel"
    if not is_fit_name(header.node):
        return "node name other than letters, digits and _.-"
    if not all(is_fit_name(name) for name, _ in header.channels):
        return "channel name other than letters, digits and _.-"
    return ""
