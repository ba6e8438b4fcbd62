"""MicroPython 1.9.2 on an emulated Cortex-M0 with 16 KB of RAM: the smallest VM dibble runs on.

The machine is QEMU's micro:bit, the firmware Debian's, the link its raw REPL. QEMU counts: an instruction
takes 256 ns of virtual time, whatever the host does meanwhile.
"""

import ast
import contextlib
import select
import shutil
import socket
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

from dibble_tools.machines.vms import VmError, VmMissing

FIRMWARE = Path("/usr/share/firmware-microbit-micropython/firmware.hex")

# The firmware drops what exceeds its 64-byte receive buffer. A burst that fits, sent only while the guest
# waits at its prompt, can't be lost however slow the host is: so everything is sent as such bursts.
_BURST = 60
_MACHINE = ("-M", "microbit", "-icount", "shift=8,align=off,sleep=off")
_SILENT = ("-display", "none", "-monitor", "none")
_RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
_STEP_S = 20.0
INSTRUCTIONS_A_TICK = 125 / 512  # of 256 ns each, in one of 16 MHz
_INTERRUPT_S = 3.0
_PARSES = 4
_NO_PARSE = 'File "<stdin>", line 1\nMemoryError: parser'  # of the burst itself: what it calls has "in <module>" there

# TIMER2 (nRF51 reference manual, chapter 18): 32 bits, 16 MHz, timer mode. The event of compare register 1
# tells that the timer is about to wrap.
# Each compiled by itself, which takes some 8 bytes of heap a character, and sent in one burst.
_TIMER = (
    "import gc\nfrom machine import mem32,disable_irq,enable_irq",
    "mem32[0x4000A508]=3;mem32[0x4000A510]=0;mem32[0x4000A504]=0",
    "mem32[0x4000A544]=0xF0000000;mem32[0x4000A144]=0",
    "mem32[0x4000A000]=1;gc.collect()",
)
_COUNT = """\
def _t():
 q=disable_irq()
 try:
  mem32[0x4000A00C]=1
{statement}
  mem32[0x4000A040]=1
 finally:enable_irq(q)
"""
# By itself, as its small stack has no room for more calls than that.
_RUN_COUNT = "gc.collect();_t()"
_HEAPS = 10
_HOLD = "for _ in range(9):_x=(_x,)"  # a block of 16 bytes each
_TOLD = "print(mem32[0x4000A540],mem32[0x4000A144])"


class _Unparsed(VmError):
    """A burst was too much for the guest's parser; nothing of it has run."""


class _Late(VmError):
    """What was expected of the guest didn't come in time."""


class Microbit:
    """A running board, as a context manager: `with Microbit() as board: board.exec("print(1)")`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._received = bytearray()

    def __enter__(self) -> "Microbit":
        """Start QEMU and enter the raw REPL; raise VmMissing where it or the firmware isn't installed."""
        if not shutil.which("qemu-system-arm") or not FIRMWARE.is_file():
            raise VmMissing(
                f"expected the command qemu-system-arm and {FIRMWARE}, found not both; "
                "install them with: apt-get install qemu-system-arm firmware-microbit-micropython"
            )
        try:
            self._start()
            self._read_until(b">>> ", _STEP_S)
            self._send(b"\x01")
            self._read_until(_RAW_PROMPT, _STEP_S)
            self.reset()  # The banner and the friendly prompt have left 300 bytes in the heap.
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        """End exactly the process that was started."""
        self._stop()

    def exec(self, code: str, timeout_s: float = 30) -> str:
        """Run `code` in the guest's globals and return what it printed, with "\\n" for line ends.

        Code of more than 60 bytes is collected in the guest's heap first, and fails beyond some 3 KB: put
        long code in a file and import it. Raises VmError when the guest raises or has to be interrupted;
        a machine that ignores that is stopped, until restart().
        """
        data = code.encode() or b"pass"  # an empty line at the raw prompt is a reset
        if len(data) < _BURST and not any(byte < 32 and byte != 10 for byte in data):
            return self._run(data, timeout_s)
        self._run(b"_c=b''")
        for literal in _literals(data, _BURST - len(b"_c+=\x04")):
            self._run(b"_c+=" + literal)
        try:
            return self._run(b"exec(_c)", timeout_s)
        finally:
            if self._process:
                self._run(b"_c=0")

    def put_file(self, name: str, data: bytes) -> None:
        """Write a file to the guest's flash file system, and read it back to compare.

        The file system is flat and holds 120 blocks of 126 bytes, 15 KB in all; a file's name and two bytes
        lie in its first block. Raises VmError when it is full (the guest's OSError 28).
        """
        self.exec(f"_f=open({name!r},'wb')")
        try:
            for literal in _literals(data, _BURST - len(b"_f.write()\x04")):
                self._run(b"_f.write(" + literal + b")")
            self._run(b"_f.close()")
            self.exec(f"_f=open({name!r},'rb')")
            written = b""
            while piece := ast.literal_eval(self._run(b"print(_f.read(64))")):
                written += piece
        finally:
            if self._process:
                self._run(b"_f.close();_f=0")
        if written != data:
            raise VmError(f"micro:bit: {name} holds {len(written)} bytes, not the {len(data)} written")

    def free_heap(self) -> int:
        """Return the bytes of heap that are free after a collection."""
        return int(self.exec("import gc;gc.collect();print(gc.mem_free())"))

    def count(self, statement: str, setup: str = "", timeout_s: float = 60) -> int:
        """Return the exact number of Cortex-M0 instructions that `statement` takes.

        It runs once, in a function, after a garbage collection, with interrupts off; names from `setup` and
        earlier exec() are its globals. The count of `pass` is subtracted. The same calls after a reset()
        give the same count; what else lies in the heap can shift it by some percent.

        Args:
            statement: one line or several, of less than 980 million instructions.
            setup: run before, uncounted.
            timeout_s: wall-clock limit of each step.
        """
        if setup:
            self.exec(setup, timeout_s)
        empty = self._count("pass", timeout_s)
        return self._count(statement, timeout_s) - empty

    def least_count(self, statement: str, timeout_s: float = 60) -> int:
        """Return the least count of a statement that allocates, over heaps whose first free places lie elsewhere.

        Each call of a function of more than some variables takes heap, and the search for a place steps over all that
        lies before the first one free: up to 4,000 instructions, which aren't the statement's.

        Raises:
            VmError: no heap had room to count in.
        """
        found = []
        failure = VmError("micro:bit: expected room to count in, got none")
        self.exec("_x=0")
        for _ in range(_HEAPS):
            try:
                self.exec(_HOLD)
                found.append(self.count(statement, timeout_s=timeout_s))
            except VmError as error:
                failure = error
        if not found:
            raise failure
        return min(found)

    def reset(self) -> None:
        """Give the guest a fresh heap; files stay, and a main.py would run."""
        self._send(b"\x04")
        self._read_until(_RAW_PROMPT, _STEP_S)

    def restart(self) -> None:
        """Start a new machine: fresh heap, no files."""
        self._stop()
        self.__enter__()

    def _count(self, statement: str, timeout_s: float) -> int:
        for line in _TIMER:
            self.exec(line, timeout_s)
        self.exec(_COUNT.format(statement=textwrap.indent(statement, "  ")), timeout_s)
        self.exec(_RUN_COUNT, timeout_s)
        ticks, wrapped = self.exec(_TOLD).split()[-2:]
        if wrapped != "0":
            raise VmError(f"micro:bit: {statement!r} takes more instructions than the timer can count")
        # mem32 reads are signed. An instruction is 4.096 ticks, so the whole ticks round back exactly.
        return round((int(ticks) & 0xFFFFFFFF) * INSTRUCTIONS_A_TICK)

    def _run(self, code: bytes, timeout_s: float = _STEP_S) -> str:
        """Run one burst of code at the raw prompt; return its output, raise its traceback.

        The guest's parser may find no room where a collection would have made some: nothing of the burst has run
        then, and it is sent again.
        """
        for _ in range(_PARSES - 1):
            with contextlib.suppress(_Unparsed):
                return self._run_once(code, timeout_s)
        return self._run_once(code, timeout_s)

    def _run_once(self, code: bytes, timeout_s: float) -> str:
        assert len(code) < _BURST
        failure = "the code raised"
        self._send(code + b"\x04")
        try:
            answer = self._read_until(b"\x04>", timeout_s)
        except _Late:
            failure = f"the code was still running after {timeout_s} s"
            self._send(b"\x03")
            try:
                answer = self._read_until(b"\x04>", _INTERRUPT_S)
            except _Late as late:
                self._stop()
                answer = late.stdout.encode() + b"\x04it ignores Ctrl-C: the machine was stopped"
        output, _, errors = _text(answer).removeprefix("OK").partition("\x04")
        if errors:
            kind = _Unparsed if _NO_PARSE in errors and not output else VmError
            raise kind(f"micro:bit: {failure}", output, errors)
        return output

    def _start(self) -> None:
        """Start QEMU with its UART on one end of a socket pair."""
        command = ["qemu-system-arm", *_MACHINE, *_SILENT, "-device", f"loader,file={FIRMWARE}"]
        # An idle guest keeps a core busy, so it mustn't outlive a parent that was killed.
        if shutil.which("setpriv"):
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        self._link, far = socket.socketpair()
        with far:
            command += ["-chardev", f"socket,id=uart,fd={far.fileno()}", "-serial", "chardev:uart"]
            self._process = subprocess.Popen(command, pass_fds=(far.fileno(),), stdin=subprocess.DEVNULL)

    def _stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        if self._link:
            self._link.close()
        self._process = self._link = None
        self._received.clear()

    def _send(self, burst: bytes) -> None:
        if self._link is None:
            raise VmError("micro:bit: the machine isn't running")
        with contextlib.suppress(ConnectionError):  # _read_until() tells that QEMU has ended
            self._link.sendall(burst)

    def _read_until(self, end: bytes, timeout_s: float) -> bytes:
        """Return the bytes that the guest sends before `end`."""
        assert self._link
        deadline = time.monotonic() + timeout_s
        received = self._received
        searched = 0
        while (found := received.find(end, searched)) < 0:
            searched = max(0, len(received) - len(end))
            left = max(0, deadline - time.monotonic())
            if not select.select([self._link], [], [], left)[0] or not left:
                raise _Late(f"micro:bit: no {end!r} in {timeout_s} s", _text(received))
            data = b""
            with contextlib.suppress(ConnectionError):
                data = self._link.recv(65536)
            if not data:
                self._stop()
                raise VmError("micro:bit: qemu-system-arm ended by itself; its message is on stderr")
            received += data
        answer = bytes(received[:found])
        del received[: found + len(end)]
        return answer


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def _literals(data: bytes, size: int) -> Iterator[bytes]:
    """Cut `data` into bytes literals of at most `size` characters, without control characters."""
    literal = b""
    for byte in data:
        character = b"%c" % byte if byte >= 32 and byte not in b"'\\" else b"\\x%02x" % byte
        if len(literal + character) > size - len(b"b''"):
            yield b"b'%s'" % literal
            literal = b""
        literal += character
    if literal:
        yield b"b'%s'" % literal
