"""A board whose program is stopped, and which does what it is asked: the raw REPL, over mpremote's transport.

What is run there are files of link/guest. What comes back is text, bounded in size and time; nothing of
it is ever evaluated. Every wait has an end, on both sides: a board whose host goes away is reset by a timer of its own.
"""

import ast
import binascii
import contextlib
import io
import os
import random
import struct
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial import SerialException

from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import ROOMS
from dibble_tools.link.holders import busy_text, holders
from dibble_tools.node.modules import tree_of

REMOTE = ROOMS / "link" / "guest"
MOST_BYTES = 1 << 20  # of one answer
BANNER = b"raw REPL; CTRL-B to exit\r\n>"
REBOOT = b"soft reboot\r\n"
ASK_S = 0.2  # from one Ctrl-C to the next, of which each ends what the one before has begun
TAKE_S = 0.1  # a node takes its boot back after a Ctrl-C, undisturbed
PIECE_BYTES = 3072  # of a file in one answer
MOST_WAIT_S = 10.0
COME_BACK_S = 30.0  # after a reset: a computer may take its time to know a USB port again
KEPT_BYTES = 4096  # of what a board says while something else is waited for
SILENCE_S = 30  # after which a board that isn't asked anything goes on by itself
RESETS = 3
RESET_S = 0.6  # from asking for a reset to the first Ctrl-C, which would call it off
DOUBT_MS = 1500  # less than a node's wait for people
TICKS = 1 << 30
# Bytes that a REPL, a terminal or the interpreter's reader takes for itself.
_ESCAPED = {byte: f"\\x{byte:02x}" for byte in (0, 1, 2, 3, 4, 5, 10, 13, 17, 19)} | {39: "\\'", 92: "\\\\"}
_TROUBLE = (TransportError, SerialException, OSError, struct.error)


class LinkError(InputError):
    """The board doesn't answer, or not as a board does."""


class Transport(SerialTransport):
    """mpremote's, whose waits have an end even where a board never stops talking."""

    def read_until(
        self,
        min_num_bytes: int,
        ending: bytes,
        timeout: float | None = 10,
        data_consumer: Any = None,
        timeout_overall: float | None = None,
    ) -> bytes:
        deadline = time.monotonic() + (timeout_overall or timeout or MOST_WAIT_S)
        data = b""
        while not data.endswith(ending) and time.monotonic() < deadline:
            data = data[-KEPT_BYTES:] + self.serial.read(1)
        return data


class RemoteError(Exception):
    """A script failed on the board; the message is the last line of its traceback."""


class Session:
    """The raw REPL of a board: a context manager, at whose end the node runs again.

    Attributes:
        port: where it is.
        sent_bytes: so far.
        watched: the board has a timer that resets it when it isn't asked anything for SILENCE_S.
        node_start_s: when the node that was stopped had begun to run, seconds since 1970 by this computer; None: none.
        reset_s: when the board was reset, since the node's watchdog ran, by this computer; None: it wasn't. A node may
            have begun anew before it was caught.
    """

    def __init__(self, port: str, transport: Transport, timeout_s: float) -> None:
        self.port = port
        self.sent_bytes = 0
        self._raw_bytes: bool | None = None
        self.watched = False
        self._asked = 0.0  # when the board was asked last
        self.node_start_s: float | None = None
        self.reset_s: float | None = None
        self._transport = transport
        self._timeout_s = timeout_s
        self._loaded: set[str] = set()
        self._stopped = False  # the program, by us

    @classmethod
    def open(cls, port: str, timeout_s: float = 10, *, vanished: bool = False) -> "Session":
        """Stop the board's program and return a session on a clean heap.

        A node in the middle of its cycle has a watchdog that can't be stopped any more: the board is reset then, and
        caught in the seconds that its node waits for people.

        Args:
            vanished: its port may be away until it's back from a reset.
        Raises:
            LinkError: nothing answers there in time.
        """
        deadline = time.monotonic() + timeout_s
        session = cls(port, _connect(port, timeout_s, deadline, vanished=vanished), timeout_s)
        try:
            session._catch(deadline)
            up_s = session.run("state.up_s")
            if up_s.isdigit():
                session.node_start_s = time.time() - int(up_s)
            if session.run("state.watched") == "yes":
                session._hard_reset()
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
            self._execute(_guest(file), self._timeout_s, most)
            self._loaded.add(file)
        raw = self._takes_raw_bytes() if any(isinstance(each, bytes) for each in arguments) else False
        code = f"{function}({', '.join(_literal(each, raw) for each in arguments)})"
        timeout_s = timeout_s or self._timeout_s
        if self.watched:
            whole_ms, silence_ms = int(1000 * (timeout_s + SILENCE_S)), 1000 * SILENCE_S
            code = f"expect({whole_ms})\ntry:\n {code}\nfinally:\n expect({silence_ms})"
        return self._execute(code.encode("latin-1"), timeout_s, most).removesuffix("\n")

    def _takes_raw_bytes(self) -> bool:
        """Tell whether all bytes come to the board as they are sent, for which this asks it once."""
        if self._raw_bytes is None:
            every = bytes(range(256))
            code = f"print(sum([i * byte for i, byte in enumerate({_literal(every, True)})]))"
            try:
                said = self._execute(code.encode("latin-1"), self._timeout_s, MOST_BYTES).strip()
            except RemoteError:
                said = ""
            self._raw_bytes = said == str(sum(i * byte for i, byte in enumerate(every)))
        return self._raw_bytes

    def stay(self) -> None:
        """Tell the board that somebody is there, while the host has other work than asking it."""
        if self.watched and time.monotonic() > self._asked + SILENCE_S / 6:
            self.run("state.collect_often")

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
        self._stopped = self.watched = False  # a soft reset ends its timer, too, and not before the node begins

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
        self.watched = False
        # at once: until its end nothing resets the board
        begin = f"{_guest('state')}\ncollect_often()\nbegin_watch()\nexpect({1000 * SILENCE_S})"
        self.watched = self._execute(begin, self._timeout_s, MOST_BYTES).strip() == "yes"
        self._loaded.add("state")

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

    def _execute(self, code: str | bytes, timeout_s: float, most: int) -> str:
        sent = code.encode() if isinstance(code, str) else code
        with self._trouble("run"):
            self._transport.serial.timeout = self._timeout_s
            with contextlib.redirect_stdout(io.StringIO()):  # where mpremote prints what it didn't expect
                self._transport.exec_raw_no_follow(sent)
            self._asked = time.monotonic()
            self.sent_bytes += len(sent)
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
        said = b""
        while BANNER not in said:
            if time.monotonic() > deadline:
                raise LinkError(
                    f"{self.port}: expected the REPL of MicroPython or CircuitPython, got {said[-200:]!r}: "
                    "is it the board's port, and does it run one of them? A program that feeds a short watchdog or "
                    "takes no Ctrl-C is caught in its first moment: press reset and try again at once; else erase the "
                    "board (RP2: flash_nuke.uf2, ESP32: esptool erase_flash) and put MicroPython on it anew"
                )
            try:
                serial = self._transport.serial
                serial.timeout = ASK_S
                serial.write(b"\r\x03")
                time.sleep(TAKE_S)
                serial.write(b"\x01")
                asked = time.monotonic()
                while BANNER not in said and time.monotonic() < asked + ASK_S:  # it writes its log, maybe
                    said = said[-KEPT_BYTES:] + serial.read(1) + serial.read(serial.in_waiting)
            except _TROUBLE:  # it's being reset: its port comes back
                self.close()
                self._transport = _connect(self.port, self._timeout_s, deadline, vanished=True)
        self._stopped = True
        self._meet()
        self._transport.in_raw_repl = True
        self._loaded.clear()
        self.watched = False

    def _meet(self) -> None:
        """Read past the prompts that each Ctrl-C brought, however late they come: up to an answer that is ours."""
        word = f"here-{random.getrandbits(64):x}"
        with self._trouble("answer"):
            self._transport.serial.write(f"print({word!r})\x04".encode())
            self._read_until(f"{word}\r\n\x04\x04".encode(), time.monotonic() + self._timeout_s)

    def _hard_reset(self) -> None:
        """Reset the board, and catch it before its program goes on; its port goes away meanwhile, as that of USB does.

        Raises:
            LinkError: it wasn't reset; its clock tells, which nothing else sets back. Or it isn't caught before its
                program has armed the watchdog again.
        """
        reset = False
        for _ in range(RESETS):
            before, asked = self._uptime_ms(), time.monotonic()
            with contextlib.suppress(*_TROUBLE):  # a busy computer finds its port gone before it hears an answer
                self._transport.exec_raw_no_follow("reset_soon()")
            self.reset_s = time.time()
            time.sleep(RESET_S)
            self.close()
            deadline = time.monotonic() + COME_BACK_S
            self._transport = _connect(self.port, self._timeout_s, deadline, vanished=True)
            self._catch(deadline)
            passed_ms = (self._uptime_ms() - before) % TICKS
            reset = abs(1000 * (time.monotonic() - asked) - passed_ms) > DOUBT_MS
            if reset and self.run("state.watched") != "yes":
                return
        if reset:
            raise LinkError(
                f"{self.port}: expected to catch the board after its reset, before its watchdog runs, and came too "
                f"late {RESETS} times: is this computer very busy? Try again"
            )
        raise LinkError(
            f"{self.port}: expected the board to reset, as its watchdog runs, and it didn't: press its reset button, "
            "and try again at once"
        )

    def _uptime_ms(self) -> int:
        answer = self.run("state.uptime")
        if not answer.isdigit():
            raise LinkError(f"{self.port}: expected the board's uptime, got {answer[:50]!r}")
        return int(answer)

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


@cache
def _guest(name: str) -> str:
    """Return a file of guest without what is for its readers."""
    return ast.unparse(tree_of((REMOTE / f"{name}.py").read_text(encoding="utf-8")))


def _connect(port: str, timeout_s: float, deadline: float, *, vanished: bool = False) -> Transport:
    """Open a board's port; one that vanished may take until the deadline to come back."""
    while True:
        try:
            transport = Transport(os.path.realpath(port) if os.path.islink(port) else port)
            transport.serial.timeout = transport.serial.write_timeout = timeout_s
            return transport
        except (TransportError, SerialException, OSError) as error:
            if time.monotonic() > deadline or not (vanished or Path(port).exists()):
                if holders(port):
                    raise LinkError(busy_text(port)) from None
                raise LinkError(
                    f"{port}: expected a board's port, got: {error}: is it plugged in, and no other program using it?"
                ) from None
        time.sleep(ASK_S)


def _literal(value: object, raw: bool = False) -> str:
    """Return a Python expression for a value, ASCII but for what is in bytes.

    Args:
        raw: bytes are characters of the same number, to be sent as such, but for those that a REPL or a terminal takes
            for itself: some 12 % more than there are. Else they're base64, a third more.
    """
    if isinstance(value, bytes):
        if raw:
            return f"b'{value.decode('latin-1').translate(_ESCAPED)}'"
        return f"__import__('binascii').a2b_base64({binascii.b2a_base64(value, newline=False)!r})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(each, raw) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(key, raw)}: {_literal(item, raw)}' for key, item in value.items())}}}"
    if value is None or isinstance(value, bool | int | str):
        text = ascii(value)
        assert ast.literal_eval(text) == value
        return text
    raise TypeError(f"expected None, bool, int, str, bytes, or lists and dicts of them, got {type(value).__name__}")
