"""A node that listens, on a desk: a microphone that a recording is played to, and a horn that it sounds."""

import json
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from dibble_tools.common.shipped import FIRMWARE
from dibble_tools.node.console_lines import Event, LineReader, Row
from dibble_tools.node.files import LISTENING, OPTIONAL, made_for, node_files
from dibble_tools.simulator.devices.microphone import PlayedSound
from dibble_tools.simulator.node.flash import Flash
from dibble_tools.simulator.node.vm import GUESTS, FieldVm, Stop
from dibble_tools.simulator.node.wire import LIKE, Hardware
from dibble_tools.simulator.season import START_S
from dibble_tools.simulator.unkindness import Likeness

DATA_PIN, HORN_PIN = 18, 16
I2S = {"driver": "i2s_mic", "sck": 16, "ws": 17, "sd": DATA_PIN}
AFTER_S = 4.0  # power-on, and what a node does before it hears


NOT_NEEDED = (
    *("__pycache__", ".*", "examples", "update"),
    *("bme6*", "sgp30*", "sht*", "ens160*", "ds18b20*", "seesaw*", "mqtt*", "radio*", "home_*", "lora*", "cayenne*"),
)


@cache
def firmware() -> dict[str, bytes]:
    """Return the files of a node that listens, as a deploy merges and compiles them."""
    return node_files(["battery"], made_for("x64"), without=[name for name in OPTIONAL if name != LISTENING])


class ListeningBench:
    """A node in a VM.

    Args:
        sources: its firmware is the clone's: what a VM's work_us charges can be found there.
        without: patterns of files that it lacks then.
        samples: played from AFTER_S on.
        listen: config.listen.
        files: name -> content: model.dib, voice.dib.
    """

    def __init__(
        self,
        folder: Path,
        samples: np.ndarray,
        listen: dict[str, Any],
        files: dict[str, bytes],
        *,
        rate_hz: int = 8000,
        pin: int = DATA_PIN,
        like: Likeness = LIKE,
        without: Sequence[str] = (),
        sources: bool = False,
        guests: Path = GUESTS,
        heap: str = "256wk",
        **config: Any,
    ) -> None:
        self.hardware = Hardware(Flash(320), START_S, like)
        start_us = self.hardware.now_us + int(AFTER_S * 1e6)
        self.sound = PlayedSound(samples.tolist(), rate_hz, start_us)
        self.hardware.sounds = {pin: self.sound}
        self.hardware.on_output = lambda pin, level: self.switched.append((self.now_s(), pin, level))
        self.switched: list[tuple[float, int, int]] = []
        self.vm = FieldVm(self.hardware, heap, guests)
        if sources:
            ignored = shutil.ignore_patterns(*NOT_NEEDED, *without)
            shutil.copytree(FIRMWARE, folder, ignore=ignored, dirs_exist_ok=True)
        else:
            for name, content in firmware().items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        self.config = {"interval_s": 10, "sensors": [], "listen": listen, "log": {"batch": 1}, **config}
        (folder / "config.json").write_text(json.dumps(self.config))
        self.vm.install(folder)

    def run(self, seconds: float) -> str:
        """Switch on for so long; return what ended it."""
        end_us = self.hardware.now_us + int(seconds * 1e6)

        def stop() -> None:
            if self.hardware.now_us >= end_us:
                raise Stop

        self.hardware.on_time = stop
        return self.vm.power(1)

    def now_s(self) -> float:
        """The time since the recording began."""
        return (self.hardware.now_us - START_S * 1_000_000) / 1e6 - AFTER_S

    def lines(self) -> list[Row | Event]:
        return [line for line in LineReader().feed(self.vm.console) if isinstance(line, Row | Event)]

    def rows(self) -> list[Row]:
        return [line for line in self.lines() if isinstance(line, Row)]

    def events(self, kind: str) -> list[str]:
        return [line.text for line in self.lines() if isinstance(line, Event) and line.kind == kind]

    def total(self, channel: str) -> int:
        """Return the sum of a channel over all records."""
        return sum(row.readings[channel] or 0 for row in self.rows())
