"""Start a board's supervisor: python -m dibble_tools.virtual_board SETTINGS READY_FD LIFELINE_FD.

Settings are JSON. When the board has power, or can't have it, a line of JSON is written to READY_FD. The board stops
when LIFELINE_FD ends; -1: only when it is told to.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import extras_named
from dibble_tools.common.safe_text import shown
from dibble_tools.simulator.unkindness import ALL, Likeness
from dibble_tools.virtual_board import registry
from dibble_tools.virtual_board.flash_file import FlashFile
from dibble_tools.virtual_board.paced_hardware import PacedHardware
from dibble_tools.virtual_board.settings import FLASH, Settings, size
from dibble_tools.virtual_board.supervisor import Supervisor

BOARDS_EPOCH_S = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())


def main() -> None:
    settings = Settings.from_json(sys.argv[1])
    answer, lifeline = int(sys.argv[2]), int(sys.argv[3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it stops it

    def tell(**content: Any) -> None:
        with contextlib.suppress(OSError):
            os.write(answer, json.dumps(content).encode() + b"\n")

    try:
        with registry.claimed(settings.name) as folder:
            _run(settings, folder, lifeline, tell)
    except InputError as error:
        print(shown(str(error)), file=sys.stderr)
        tell(error=str(error))
        sys.exit(2)


def _run(settings: Settings, folder: Path, lifeline: int, tell: Callable[..., None]) -> None:
    image = Path(settings.image)
    flash = FlashFile(image, settings.flash_bytes or (None if image.exists() else size("--flash", FLASH)))
    supervisor: Supervisor
    start_s = int(time.time()) - BOARDS_EPOCH_S if settings.start_s is None else settings.start_s
    kind = frozenset(settings.kind) | (set() if settings.start_s is None else {"clock_unset"})
    like = settings.like or Likeness(unkind=ALL)
    like = replace(like, unkind=like.unkind - kind)
    hardware = PacedHardware(flash, start_s, settings.speed, lambda seconds: supervisor.wait(seconds), like)
    if settings.sound:
        from dibble_tools.simulator.devices.microphone import PlayedSound

        played = PlayedSound.of_file(Path(settings.sound), hardware.now_us, again=True)
        hardware.sounds = dict.fromkeys(range(64), played)
    rom = FlashFile(settings.rom_image, settings.romfs_bytes) if settings.rom_image else None
    config = None
    if settings.sensors:
        with extras_named("simulate"):
            from dibble_tools.virtual_board.sensors import attach

            config = attach(hardware, settings)
    port = str(folder / registry.PORT)
    registry.register(registry.Running(settings.name, port, os.getpid(), settings.image, settings.speed))
    supervisor = Supervisor(settings, folder, hardware, lifeline, lambda: tell(port=port, config=config))
    try:
        supervisor.run()
    finally:
        supervisor.close()
        del rom  # nobody else has had it until now


main()
