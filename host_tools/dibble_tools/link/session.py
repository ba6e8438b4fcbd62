"""A board whose program is stopped, and which does what it is asked: the raw REPL, over mpremote's transport.

What is run there are files of link/guest. What comes back is text, bounded in size and time; nothing of
it is ever evaluated.
"""

import ast
import binascii
import contextlib
import os
import random
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial import SerialException

from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import ROOMS

REMOTE = ROOMS / "link" / "guest"
MOST_BYTES = 1 << 20  # of one answer
BANNER = b"raw REPL; CTRL-B to exit\r\n>"
REBOOT = b"soft reboot\r\n"
ASK_S = 0.2  # from one Ctrl-C to the next
TAKE_S = 0.1  # a node takes its boot back after a Ctrl-C, undisturbed
RESET_S = 1.0  # in which the port of a board's own USB goes; that of a bridge stays
PIECE_BYTES = 3072  # of a file in one answer
_TROUBLE = (TransportError, SerialException, OSError, struct.error)


class LinkError(InputError):
    """The board doesn't answer, or not as a board does."""


class RemoteError(Exception):
    """A script failed on the board; the message is the last line of its traceback."""


class Session:
    """The raw REPL of a board: a context manager, at whose end the node runs again.

    Attributes:
        port: where it is.
        sent_bytes: so far.
        node_start_s: when the node that was stopped had begun to run, seconds since 1970 by this computer; None: none.
    """

    def __init__(self, port: str, transport: SerialTransport, timeout_s: float) -> None:
        self.port = port
        self.sent_bytes = 0
        self.node_start_s: float | None = None
        self._transport = transport
        self._timeout_s = timeout_s
        self._loaded: set[str] = set()
        self._stopped = False  # the program, by us

    @classmethod
    def open(cls, port: str, timeout_s: float = 10) -> "Session":
        """Stop the board's program and return a session on a clean heap.

        A node in the middle of its cycle has a watchdog that can't be stopped any more: the board is reset then, and
        caught in the seconds that its node waits for people.

        Raises:
            LinkError: nothing answers there in time.
        """
        deadline = time.monotonic() + timeout_s
        session = cls(port, _connect(port, timeout_s, deadline), timeout_s)
        try:
            session._catch(deadline)
            up_s = session.run("state.up_s")
            if up_s.isdigit():
                session.node_start_s = time.time() - int(up_s)
            if session.run("state.watched") == "yes":
                session._hard_reset()
                session._catch(time.monotonic() + timeout_s)
            session.clear_heap()
        except BaseException:
            session.close()
            raise
        return session

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stopped:
            with contextlib.suppress(LinkError):
                if error:
                    self._catch(time.monotonic() + self._timeout_s)  # it may still do what it was asked
                self.restart()
        self.close()

    def run(self, call: str, *arguments: object, timeout_s: float | None = None, most: int = MOST_BYTES) -> str:
        """Run a function of a file of guest on the board; return what it printed, less the last line end.

        Args:
            call: "FILE.FUNCTION". The file is sent before its first use; its functions share the board's globals.
            arguments: None, bool, int, str, bytes, and lists, tuples and dicts of them.
            timeout_s: as long may it take to say anything, and ten times as long in all.
            most: bytes of the answer.
        Raises:
            RemoteError: it raised.
            LinkError: it didn't answer in time, too much, or the port is gone.
        """
        file, function = call.split(".")
        if file not in self._loaded:
            self._execute((REMOTE / f"{file}.py").read_text(encoding="utf-8"), self._timeout_s, most)
            self._loaded.add(file)
        code = f"{function}({', '.join(map(_literal, arguments))})"
        return self._execute(code, timeout_s or self._timeout_s, most).removesuffix("\n")

    def set_calendar(self) -> bool:
        """Set the board's calendar to this computer's time in UTC, as nodes read it; tell whether that worked."""
        now = time.gmtime()
        said = self.run("clock.calendar_set", *now[:3], now.tm_wday, *now[3:6])
        return said == str(now.tm_year)

    def read_file(self, path: str, most_bytes: int = MOST_BYTES) -> bytes:
        """Return a file of the board; each piece of it comes with its CRC-32.

        Raises:
            RemoteError: there is none, or it can't be read.
            LinkError: it is longer than most_bytes, or doesn't arrive as it was sent.
        """
        data = b""
        while True:
            piece = self._piece(path, len(data))
            data += piece
            if len(data) > most_bytes:
                raise LinkError(f"{path}: expected at most {most_bytes} bytes on the board, got more")
            if len(piece) < PIECE_BYTES:
                return data

    def restart(self) -> None:
        """Let the node run again, from its start. The session can only listen() then."""
        with self._trouble("restart"):
            self._transport.serial.write(b"\r\x02")  # the friendly REPL, whose Ctrl-D runs main.py
            self._read_until(b">>> ", time.monotonic() + self._timeout_s)
            self._transport.serial.write(b"\x04")
            self._read_until(REBOOT, time.monotonic() + self._timeout_s)
        self._stopped = False

    def listen(self, timeout_s: float) -> bytes:
        """Return what the node has said by now, after waiting at most so long for its first byte."""
        with self._trouble("listen"):
            serial = self._transport.serial
            serial.timeout = timeout_s
            try:
                return bytes(serial.read(1) + serial.read(serial.in_waiting))
            finally:
                serial.timeout = self._timeout_s

    def clear_heap(self) -> None:
        """Start the board's interpreter anew, without main.py: what was run before is gone, and so are its pieces."""
        deadline = time.monotonic() + self._timeout_s
        with self._trouble("soft reset"):
            self._transport.serial.write(b"\x04")
            self._read_until(REBOOT, deadline)
            self._read_until(BANNER[:-1], deadline)
        self._loaded.clear()
        self.run("state.collect_often")

    def close(self) -> None:
        with contextlib.suppress(*_TROUBLE):
            self._transport.close()

    def _piece(self, path: str, at: int) -> bytes:
        for _ in range(3):
            crc, _, text = self.run("files.read", path, at, PIECE_BYTES).partition(" ")
            with contextlib.suppress(ValueError):
                data = binascii.a2b_base64(text.encode(), strict_mode=True)
                if int(crc, 16) == binascii.crc32(data):
                    return data
        raise LinkError(f"{self.port}: expected {path} from {at} with its CRC-32, got other bytes three times")

    def _execute(self, code: str, timeout_s: float, most: int) -> str:
        with self._trouble("run"):
            self._transport.serial.timeout = self._timeout_s
            self._transport.exec_raw_no_follow(code)
            self.sent_bytes += len(code)
            deadline = time.monotonic() + 10 * timeout_s
            output = self._read_part(timeout_s, deadline, most)
            complaint = self._read_part(timeout_s, deadline, most)
        if complaint:
            raise RemoteError(complaint.decode("utf-8", "replace").strip().rpartition("\n")[2])
        return output.decode("utf-8", "replace").replace("\r\n", "\n")

    def _read_part(self, timeout_s: float, deadline: float, most: int) -> bytes:
        """Read up to the 0x04 that ends each of an answer's two parts."""
        serial = self._transport.serial
        serial.timeout = timeout_s
        data = bytearray()
        while True:
            byte = serial.read(1)
            if byte == b"\x04":
                serial.timeout = self._timeout_s
                return bytes(data)
            data += byte
            if not byte or time.monotonic() > deadline:
                raise LinkError(f"{self.port}: expected an answer in {timeout_s:g} s, got none: reset the board")
            if len(data) > most:
                raise LinkError(f"{self.port}: expected an answer of at most {most} bytes, got more")

    def _catch(self, deadline: float) -> None:
        """Interrupt whatever runs until the raw REPL answers."""
        serial = self._transport.serial
        with self._trouble("interrupt"):
            serial.timeout = ASK_S
        said = b""
        while BANNER not in said:
            if time.monotonic() > deadline:
                raise LinkError(
                    f"{self.port}: expected the REPL of MicroPython or CircuitPython, got {said[-200:]!r}: "
                    "is it the board's port, and does it run one of them?"
                )
            with self._trouble("interrupt"):
                serial.write(b"\r\x03")
                time.sleep(TAKE_S)
                serial.write(b"\x01")
                said = said[-len(BANNER) :] + serial.read(1) + serial.read(serial.in_waiting)
        self._stopped = True
        self._meet()
        self._transport.in_raw_repl = True
        self._loaded.clear()

    def _meet(self) -> None:
        """Read past the prompts that each Ctrl-C brought, however late they come: up to an answer that is ours."""
        word = f"here-{random.getrandbits(64):x}"
        with self._trouble("answer"):
            self._transport.serial.write(f"print({word!r})\x04".encode())
            self._read_until(f"{word}\r\n\x04\x04".encode(), time.monotonic() + self._timeout_s)

    def _hard_reset(self) -> None:
        """Reset the board; open its port anew where it goes away meanwhile, as that of USB does."""
        with self._trouble("reset"):
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")
        with contextlib.suppress(*_TROUBLE):
            self._transport.serial.timeout = ASK_S
            gone = time.monotonic() + RESET_S
            while time.monotonic() < gone:
                self._transport.serial.read(1)
        self.close()
        self._transport = _connect(self.port, self._timeout_s, time.monotonic() + self._timeout_s, vanished=True)

    def _read_until(self, ending: bytes, deadline: float) -> bytes:
        serial = self._transport.serial
        serial.timeout = ASK_S
        data = b""
        while not data.endswith(ending):
            data = data[-4096:] + serial.read(1)
            if time.monotonic() > deadline:
                raise LinkError(f"{self.port}: expected {ending!r}, got {data[-200:]!r}: reset the board")
        serial.timeout = self._timeout_s
        return data

    @contextlib.contextmanager
    def _trouble(self, what: str) -> Iterator[None]:
        try:
            yield
        except _TROUBLE as error:
            raise LinkError(
                f"{self.port}: expected the board to {what}, got: {error}: is it still connected?"
            ) from None


def _connect(port: str, timeout_s: float, deadline: float, *, vanished: bool = False) -> SerialTransport:
    """Open a board's port; one that vanished may take until the deadline to come back."""
    while True:
        try:
            transport = SerialTransport(os.path.realpath(port) if os.path.islink(port) else port)
            transport.serial.timeout = timeout_s
            return transport
        except (TransportError, SerialException, OSError) as error:
            if time.monotonic() > deadline or not (vanished or Path(port).exists()):
                raise LinkError(
                    f"{port}: expected a board's port, got: {error}: is it plugged in, and no other program using it?"
                ) from None
        time.sleep(ASK_S)


def _literal(value: object) -> str:
    """Return a Python expression for a value; bytes as base64, a third of what an escaped literal may take."""
    if isinstance(value, bytes):
        return f"__import__('binascii').a2b_base64({binascii.b2a_base64(value, newline=False)!r})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(key)}: {_literal(item)}' for key, item in value.items())}}}"
    if value is None or isinstance(value, bool | int | str):
        text = ascii(value)
        assert ast.literal_eval(text) == value
        return text
    raise TypeError(f"expected None, bool, int, str, bytes, or lists and dicts of them, got {type(value).__name__}")
