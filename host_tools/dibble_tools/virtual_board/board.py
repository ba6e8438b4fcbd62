"""Start a virtual board and have it in hand: its power, its reset, its end."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.machines.vms import unix_library
from dibble_tools.simulator.unkindness import Likeness
from dibble_tools.virtual_board import registry
from dibble_tools.virtual_board.control import order
from dibble_tools.virtual_board.settings import HEAP, Settings, checked

START_S = 30.0


class VirtualBoard:
    """A board that runs in a process of its own.

    Attributes:
        name: in the registry.
        port: what mpremote and others open: a link to the pseudo-terminal of the moment.
        pid: of its supervisor.
        config: a node's config.json for the sensors that are attached; None: none are.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], lifeline: int | None, told: dict[str, Any]) -> None:
        self.name = name
        self.port: str = told["port"]
        self.config: dict[str, Any] | None = told["config"]
        self.process = process
        self.pid = process.pid
        self._lifeline = lifeline
        self._control = registry.folder_of(name) / registry.CONTROL

    @classmethod
    def start(
        cls,
        image: Path,
        *,
        name: str = "virtual",
        runtime: str = "micropython",
        flash: str | None = None,
        heap: str = HEAP,
        speed: float = 1.0,
        sensors: bool = False,
        seed: int = 0,
        romfs: str | None = None,
        start_s: int | None = None,
        kind: str = "",
        sound: Path | None = None,
        config: dict[str, Any] | None = None,
        like: Likeness | None = None,
        background: bool = False,
    ) -> "VirtualBoard":
        """Give a board power; return when it has come to its boot.py.

        Args:
            image: file of its flash, made where it isn't there; a new one is formatted.
            name: that no running board has.
            flash: size of a new image such as "256k".
            heap: of a 32-bit board; the VM's is twice as large.
            speed: of time while the board sleeps; it computes in the computer's time.
            sensors: attach the simulated orchard's, with their noise from `seed`.
            romfs: size of a ROMFS partition, kept beside the image in IMAGE.romfs; None: none.
            start_s: what its clock shows at first, seconds since 2000; None: nobody has set it.
            kind: unkindnesses of boards that this one is without, with commas; "all".
            sound: a recording that is played to its microphone, again and again.
            like: the board that it is like, boards.catalogue.likeness(); None: a Pico W.
            config: as whose the sensors are wired, a node's config.json; None: each has its place.
            background: it outlives this process.
        Raises:
            InputError: it can't be; the message says what to change.
        """
        if not registry.can_exist():
            raise InputError(registry.ELSEWHERE)
        unix_library()
        made = checked(
            name,
            image,
            runtime=runtime,
            flash=flash,
            heap=heap,
            speed=speed,
            sensors=sensors,
            seed=seed,
            romfs=romfs,
            kind=kind,
            sound=sound,
        )
        made = replace(made, start_s=start_s, config=config, like=like)
        registry.folder_of(name)
        lifeline, held = (-1, None) if background else os.pipe()
        try:
            process, told = _started(made, lifeline)
        except BaseException:
            if held is not None:
                os.close(held)
            raise
        finally:
            if lifeline >= 0:
                os.close(lifeline)
        return cls(name, process, held, told)

    def cut(self, *, after: int | None = None, torn: float = 0.0) -> None:
        """Cut the power: now, or at a coming program or erase of the flash.

        Args:
            after: 1: at the next one, of which the share `torn` still happens.
        """
        more = {} if after is None else {"after": after, "torn": torn}
        order(self._control, "cut", **more)

    def power(self) -> None:
        """Give it power again; return when it has come to its boot.py."""
        order(self._control, "power")

    def reset(self) -> None:
        """Press its reset button; return when it has come to its boot.py."""
        order(self._control, "reset")

    def state(self) -> dict[str, Any]:
        """Return "power" (True or False), "lives" (VMs so far) and "operations" of the flash since the last cut."""
        return order(self._control, "state")

    def stop(self) -> None:
        """End it; the image stays."""
        with contextlib.suppress(InputError):
            order(self._control, "stop")
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        try:
            self.process.wait(timeout=START_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> "VirtualBoard":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _started(made: Settings, lifeline: int) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """Start a supervisor; return its process and what it tells once the board has power."""
    told_end, tell_end = os.pipe()
    with tempfile.TemporaryFile() as said, os.fdopen(told_end, "rb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dibble_tools.virtual_board", made.to_json(), str(tell_end), str(lifeline)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            pass_fds=[end for end in (tell_end, lifeline) if end >= 0],
            start_new_session=lifeline < 0,
        )
        os.close(tell_end)
        try:
            ready = select.select([stream], [], [], START_S)[0]
            told = json.loads(stream.readline() or b"{}") if ready else {}
            if "port" in told:
                return process, told
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.kill()
        process.wait()
        said.seek(0)
        error = said.read().decode("utf-8", "replace").strip()
        raise InputError(told.get("error") or f"{made.name}: expected the board to come up, it said: {error}")
