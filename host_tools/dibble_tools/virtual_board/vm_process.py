"""The VM's process: pipes for its console and its requests, and a Ctrl-C that reaches it as it reaches a board.

A board looks at each byte as it arrives: the interrupt character interrupts while a program runs that hasn't
switched that off, and is a byte like any other else. At exactly those times this VM has a handler for SIGINT, by
which it is known; the signal that interrupts is SIGUSR1, see vm_launcher.py. The process is stopped meanwhile, so
that the program doesn't end in between. It may begin to wait before it has seen the interrupt: unseen() tells.
"""

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dibble_tools.common.shipped import ROOMS
from dibble_tools.machines.vms import unix_library
from dibble_tools.virtual_board.settings import Settings

LAUNCHER = ROOMS / "virtual_board" / "vm_launcher.py"
STOP_S = 2.0  # to stop at most
WORD = 8


class VmState(NamedTuple):
    """A look at the process.

    Attributes:
        letter: as /proc has it: R runs, S waits, T is stopped.
        interruptible: a program runs that hasn't switched the interrupt off.
        interrupting: an interrupt is on its way to the VM.
    """

    letter: str
    interruptible: bool
    interrupting: bool


class VmProcess:
    """One life of the VM.

    Args:
        keyboard: read end of the pipe that is its stdin; it outlives the process, as a board's buffer its reset.
        path: folders it imports from until it has its flash.
        settings: of the board.
        mode: told to power_on.py.
    Attributes:
        output: what it prints comes here; requests: its requests; answers: where their answers go. File descriptors.
    """

    def __init__(self, keyboard: int, path: list[Path], settings: Settings, mode: str) -> None:
        their_answers, self.answers = os.pipe()
        self.requests, their_requests = os.pipe()
        self.output, their_output = os.pipe()
        environment = {
            "MICROPYPATH": ":".join([*map(str, path), ".frozen"]),
            "DIBBLE_ANSWERS": f"/dev/fd/{their_answers}",
            "DIBBLE_REQUESTS": f"/dev/fd/{their_requests}",
            "DIBBLE_FLASH": os.path.abspath(settings.image),
            **({"DIBBLE_HEARS": "1"} if settings.sound else {}),
            **({"DIBBLE_ROM": str(settings.rom_image)} if settings.rom_image else {}),
        }
        script = next(folder / "power_on.py" for folder in path if (folder / "power_on.py").exists())
        vm = [sys.executable, "-S", "-E", str(LAUNCHER), unix_library()]
        self.process = subprocess.Popen(
            [*vm, "-X", f"heapsize={settings.heap_bytes}w", "-i", str(script), mode],
            env=environment,
            cwd="/",
            stdin=keyboard,
            stdout=their_output,
            stderr=their_output,
            pass_fds=(their_answers, their_requests),
            start_new_session=True,  # a Ctrl-C in the supervisor's terminal isn't the board's
        )
        for theirs in (their_answers, their_requests, their_output):
            os.close(theirs)
        os.set_blocking(self.output, False)
        self._interrupt_at = 0  # address in its memory
        self._interrupted = False

    def end(self) -> None:
        """Kill it, if it lives, and close its pipes."""
        self.process.kill()
        self.process.wait()
        for end in (self.output, self.requests, self.answers):
            os.close(end)

    def crashed(self) -> bool:
        """Tell whether a signal ended the process, which is about to end or has."""
        try:
            return self.process.wait(timeout=STOP_S) < 0
        except subprocess.TimeoutExpired:
            return False

    def read_output(self) -> bytes | None:
        """Return the bytes it has printed by now, b"" if none; None: the process has ended."""
        try:
            return os.read(self.output, 1 << 16) or None
        except BlockingIOError:
            return b""

    def read_request(self, head: struct.Struct) -> tuple[int, int, int, bytes] | None:
        """Return operation, a, b and data of a request that has begun to arrive; None: the process has ended."""
        first = self._read(head.size)
        if first is None:
            return None
        operation, a, b, size = head.unpack(first)
        data = self._read(size)
        return None if data is None else (operation, a, b, data)

    def _read(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            piece = os.read(self.requests, size - len(data))
            if not piece:
                return None
            data += piece
        return data

    def answer(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self.answers, data)

    def state(self) -> VmState:
        """Return the state of the process."""
        try:
            text = Path(f"/proc/{self.process.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return VmState("X", False, False)
        fields = dict(line.split(":\t", 1) for line in text.splitlines())
        caught, *arriving = (int(fields[name], 16) for name in ("SigCgt", "SigPnd", "ShdPnd", "SigBlk"))
        interrupted = any(signals >> (signal.SIGUSR1 - 1) & 1 for signals in arriving)
        # The launcher, too, has a handler for SIGINT as it starts; without the others these signals would end it.
        runs = all(caught >> (number - 1) & 1 for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2))
        return VmState(fields["State"].strip()[0], runs, interrupted)

    def busy(self) -> bool:
        """Tell whether a request waits for its answer."""
        return bool(select.select([self.requests], [], [], 0)[0])

    def learn(self, address: bytes) -> None:
        """Take from the launcher where the VM keeps an interrupt that its program hasn't seen."""
        self._interrupt_at = int.from_bytes(address, "little")

    def interrupt(self) -> bool:
        """Raise a KeyboardInterrupt in the program that runs; False: no program runs that can be interrupted."""
        if not self.state().interruptible:
            return False
        with self._stopped() as found:
            if found.interruptible:
                os.kill(self.process.pid, signal.SIGUSR1)
                self._interrupted = True
            return found.interruptible

    def unseen(self) -> bool:
        """Tell whether the program was interrupted and hasn't seen it."""
        if self._interrupted and not self.state().interrupting:
            try:
                with open(f"/proc/{self.process.pid}/mem", "rb", buffering=0) as memory:
                    self._interrupted = any(os.pread(memory.fileno(), WORD, self._interrupt_at))
            except (FileNotFoundError, ProcessLookupError):  # it has ended
                self._interrupted = False
        return self._interrupted

    def nudge(self) -> None:
        """End a wait of the VM's, unless it is for an answer: then it would lose that."""
        if self.state().letter == "S" and not self.busy():
            with self._stopped():
                if not self.busy():
                    os.kill(self.process.pid, signal.SIGUSR2)

    @contextlib.contextmanager
    def _stopped(self) -> Iterator[VmState]:
        """Hold the process still; give its state()."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            deadline = time.monotonic() + STOP_S
            while (found := self.state()).letter in "RSD" and time.monotonic() < deadline:
                time.sleep(0)
            yield found
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


def unread(pipe: int) -> int:
    """Return how many bytes of a pipe or terminal wait for its reader."""
    size: int = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]
    return size
