"""Run a node's files on a real MicroPython VM whose hardware is simulated: dibble_tools.simulator.node.wire.

Each `power` is one life of the node, from power-on to whatever ends it: its program's end, a reset,
the watchdog, a power cut, or the time it was given.
"""

import contextlib
import os
import select
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from dibble_tools.common.shipped import ROOMS
from dibble_tools.machines.vms import VmError, unix_command
from dibble_tools.simulator.node.flash import Flash, PowerCut
from dibble_tools.simulator.node.pins import pins_of
from dibble_tools.simulator.node.wire import POWER_ON, REQUEST, Hardware, NodeHangs, NodeReset, WatchdogBite
from dibble_tools.simulator.unkindness import chip_of

GUESTS = ROOMS / "simulator" / "node" / "guest"
HANG_S = 30  # of the computer's time without a request


class Stop(Exception):
    """The simulation ends: raised by whoever watches the time."""


class FieldVm:
    """One node: its flash, its hardware, and the VM that runs when it has power.

    Args:
        hardware: with the devices attached.
        heap: of the VM, as `-X heapsize` takes it.
        guests: folder of the power-on script and the runtime's modules; what isn't there comes from GUESTS.
    Attributes:
        work_us: what a frame, a look at a hop, and a sound that has ended take the board, of files as they are in the
            clone: counted elsewhere; None: nothing.
        console: all that the node has printed, in all its lives.
    """

    def __init__(self, hardware: Hardware, heap: str = "64k", guests: Path = GUESTS) -> None:
        self.hardware = hardware
        self.guests = guests
        self.heap = heap
        self.work_us: tuple[int, int, int] | None = None
        self.console = b""
        self._output: IO[bytes] | None = None
        self._collected = 0

    @property
    def flash(self) -> Flash:
        return self.hardware.flash

    def install(self, folder: Path) -> None:
        """Make a new file system on the flash and copy a folder of the host to it."""
        self._without_its_program("install", str(folder.resolve()))

    def update(self, folder: Path) -> None:
        """Copy the files of a folder of the host over the node's."""
        self._without_its_program("update", str(folder.resolve()))

    def fill(self, free_blocks: int) -> None:
        """Take up the file system with files, but for so many blocks."""
        self._without_its_program("fill", str(free_blocks))

    def extract(self, path: str, folder: Path) -> None:
        """Copy a folder of the node, as it lies on the flash, "" for all of it, to a new folder of the host."""
        folder.mkdir(parents=True)
        self._without_its_program("extract", path, str(folder.resolve()))

    def power(self, cause: int, script: str | None = None) -> str:
        """Switch the node on; return what ended it.

        Args:
            cause: of the reset, as machine.reset_cause() tells it.
            script: a file of the node to run in place of boot.py and main.py.
        Returns:
            "end" (its program ended), "reset", "watchdog", "cut" (power), "hang" (until its power is cut) or "stop" (a
            Stop was raised).
        Raises:
            VmError: the VM ended with an exception or an exit code, or hung without a watchdog.
        """
        self.hardware.power_on(cause)
        return self._live(*(("run", script) if script else ("boot",)))

    def text(self) -> str:
        return self.console.decode("utf-8", "replace")

    def collect(self) -> bytes:
        """Return the bytes that the node has printed since the last call, for who wants to know when."""
        if self._output is None:
            return b""
        piece = os.pread(self._output.fileno(), 1 << 20, self._collected)
        self._collected += len(piece)
        self.console += piece
        return piece

    def _without_its_program(self, *arguments: str) -> None:
        """Let power_on.py do something to the file system."""
        self.hardware.power_on(POWER_ON)
        ended = self._live(*arguments, heap="1m")
        if ended != "end":
            raise VmError(f"field VM: expected {arguments[0]} to come to its end, got {ended}", self.text())

    def _live(self, *arguments: str, heap: str | None = None) -> str:
        before = len(self.console)
        with (
            tempfile.TemporaryFile() as self._output,
            _process(self.guests, arguments, heap or self.heap, self._output, self.hardware, self.work_us) as (
                process,
                requests,
                answers,
            ),
        ):
            self._collected = 0
            try:
                ended = self._serve(requests, answers)
                code = process.wait(timeout=HANG_S) if ended == "end" else 0
            finally:
                self.collect()
        self._output = None
        if code:
            raise VmError(f"field VM: ended with code {code}", self.console[before:].decode("utf-8", "replace"))
        return ended

    def _serve(self, requests: int, answers: int) -> str:
        handle = self.hardware.handle
        try:
            while True:
                if not select.select([requests], [], [], HANG_S)[0]:
                    return self._hang()
                head = os.read(requests, REQUEST.size)
                if len(head) < REQUEST.size:
                    return "end"
                operation, a, b, size = REQUEST.unpack(head)
                data = b""
                while len(data) < size:
                    piece = os.read(requests, size - len(data))
                    if not piece:
                        return "end"
                    data += piece
                os.write(answers, handle(operation, a, b, data))
        except PowerCut:
            return "cut"
        except NodeReset:
            return "reset"
        except NodeHangs:
            return "hang"
        except WatchdogBite:
            return "watchdog"
        except Stop:
            return "stop"

    def _hang(self) -> str:
        """Let the watchdog end a node that neither sleeps nor asks for anything."""
        if not self.hardware.watchdog_armed():
            raise VmError(f"field VM: {HANG_S} s without a request, and no watchdog", self.text())
        self.hardware.bite()
        return "watchdog"


@contextlib.contextmanager
def _process(
    guests: Path,
    arguments: tuple[str, ...],
    heap: str,
    console: IO[bytes],
    hardware: Hardware,
    work_us: tuple[int, int, int] | None,
) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """Start a VM with its two pipes; end it by its process id at last."""
    their_answers, answers = os.pipe()
    requests, their_requests = os.pipe()
    command = [unix_command(), "-X", f"heapsize={heap}", str(guests / "power_on.py"), *arguments]
    like = hardware.like
    environment = {
        **os.environ,
        **({"DIBBLE_HEARS": "1"} if hardware.sounds else {}),
        **({"DIBBLE_SEES": "1"} if hardware.camera else {}),
        **({"DIBBLE_WORK": ",".join(map(str, work_us))} if work_us else {}),
        "MICROPYPATH": f"{guests}:{GUESTS}:.frozen",
        "DIBBLE_BOARD": f"{like.platform},{like.version},{chip_of(like)}",
        "DIBBLE_PINS": pins_of(chip_of(like)).text(),
        "DIBBLE_ANSWERS": f"/dev/fd/{their_answers}",
        "DIBBLE_REQUESTS": f"/dev/fd/{their_requests}",
        "DIBBLE_FLASH": f"/dev/fd/{hardware.flash.file.fileno()}",
    }
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=console,
        pass_fds=(their_answers, their_requests, hardware.flash.file.fileno()),
    )
    os.close(their_answers)
    os.close(their_requests)
    try:
        yield process, requests, answers
    finally:
        process.kill()
        process.wait()
        os.close(requests)
        os.close(answers)
