"""A node for the tests: the firmware's own files on a real VM, as CircuitPython or as MicroPython would run them."""

import json
import math
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dibble_tools.boards.catalogue import board_named
from dibble_tools.data.channels import Channel
from dibble_tools.families.forest.integer_trees import IntegerTrees
from dibble_tools.model.writer import export, forest_spec
from dibble_tools.node.console_lines import Event, LineReader
from dibble_tools.simulator.devices.analog import AnalogPin, SoilProbe
from dibble_tools.simulator.devices.anemometer import CupAnemometer
from dibble_tools.simulator.devices.ds18b20 import Ds18b20
from dibble_tools.simulator.devices.sht4x import Sht4x
from dibble_tools.simulator.node.flash import Flash
from dibble_tools.simulator.node.vm import GUESTS, FieldVm, Stop
from dibble_tools.simulator.node.wire import Hardware
from dibble_tools.simulator.unkindness import Likeness, unkind_to

FIRMWARE = Path(__file__).parents[3] / "firmware"
CIRCUITPYTHON = GUESTS.parent / "guest_circuitpython"
HEAPS = {"circuitpython": "128wk", "micropython": "104wk"}  # the firmware as source, compiled on the board
WIFI_HEAPS = {"circuitpython": "192wk", "micropython": "128wk"}  # with reports, stand-ins, and TLS beside it
BLOCKS = 384
START_S = 830_000_000
CLASSES = ("ok", "irrigate", "frost")
SENSORS = (
    {"driver": "sht4x"},
    {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200], "samples": 3},
    {"driver": "anemometer", "pin": 7},
    {"driver": "ds18b20", "pin": 9},
)


def model() -> bytes:
    """Return a model file: frost below 0 C, else irrigate below 300 permille, else ok."""
    channels = [
        Channel("air_temperature_centi_c", "centi_c", 1, 0, -4000, 8500),
        Channel("soil_moisture_permille", "permille", 1, 0, 0, 1000),
    ]
    nodes = [(1, 300, -2, -1), (0, 4000, -3, 0)]  # thresholds count from a channel's low end
    spec = forest_spec("field", channels, list(CLASSES), IntegerTrees(nodes, [1], len(CLASSES)))
    return bytes(export(spec, [[-100, 500], [500, 200], [500, 500]]))


class Node:
    """One node in a field whose truth is a function of the time.

    Args:
        folder: empty; becomes the drive.
        port: "circuitpython" or "micropython".
        config: replaces keys of the configuration.
        files: further files of the drive, path -> text.
        finish: called with the folder before it is installed.
        kind: unkindnesses that this Pico W is without.
        wifi: it has a radio, whose stand-ins take heap of their own.
        heap: where the sources of what it runs take more to compile than HEAPS.
    """

    def __init__(
        self,
        folder: Path,
        port: str = "circuitpython",
        config: dict[str, Any] | None = None,
        files: dict[str, str] | None = None,
        finish: Callable[[Path], Any] = lambda folder: None,
        kind: frozenset[str] = frozenset(),
        wifi: bool = False,
        heap: str = "",
    ) -> None:
        self.port = port
        shutil.copytree(
            FIRMWARE, folder, ignore=shutil.ignore_patterns("__pycache__", ".*", "examples", "*.md"), dirs_exist_ok=True
        )
        (folder / "model.dib").write_bytes(model())
        settings = {
            "interval_s": 60,
            "led": 25,
            "i2c": {"sda": 4, "scl": 5},
            "sensors": SENSORS,
            "actions": [{"class": "irrigate", "pin": 16, "max_on_s": 90, "rest_s": 120}],
            "log": {"batch": 2},
            **(config or {}),
        }
        (folder / "config.json").write_text(json.dumps(self._named(settings)))
        for path, text in (files or {}).items():
            (folder / path).write_text(text)
        finish(folder)
        unkind = unkind_to(board_named("pico_w")[1].runtimes[port].unkind, kind)
        self.hardware = Hardware(Flash(BLOCKS), START_S, Likeness(wifi=wifi, unkind=unkind))
        self.vm = FieldVm(
            self.hardware,
            heap or (WIFI_HEAPS if "mqtt" in settings else HEAPS)[port],
            CIRCUITPYTHON if port == "circuitpython" else GUESTS,
        )
        self.vm.install(folder)
        self.air = Sht4x(lambda: self.hardware.now_us)
        self.probe = SoilProbe(random.Random(1))
        self.cups = CupAnemometer(random.Random(2))
        self.hardware.i2c = {0x44: self.air}
        self.hardware.analog = {26: AnalogPin(self.probe.volts, random.Random(3))}
        self.hardware.pulses = {7: self.cups}
        self.drop = Ds18b20(lambda: self.hardware.now_us)
        self.hardware.onewire = {9: self.drop}
        self.hardware.on_time = self._move
        self.end_us = 0

    def live(self, seconds: float, cause: int = 1) -> str:
        """Switch on for so long at most; return what ended it."""
        self.end_us = self.hardware.now_us + int(seconds * 1e6)
        return self.vm.power(cause)

    def lines(self, start: str = "") -> list[str]:
        """Return the console's lines that start so, without their time and checksum where they are events."""
        return [line for line in self.vm.text().splitlines() if line.startswith(start)]

    def events(self, kind: str) -> list[str]:
        """Return the texts of the events of a kind that their checksums vouch for."""
        found = LineReader().feed(self.vm.console)
        return [line.text for line in found if isinstance(line, Event) and line.kind == kind]

    def decisions(self) -> list[str]:
        return [line for line in self.vm.text().splitlines() if line[:1].isdigit()]

    def _move(self) -> None:
        minute = self.hardware.now_us // 60_000_000
        self.air.air_temperature_c = 8 + 12 * math.sin(minute / 9)
        self.probe.moisture = 0.5 + 0.4 * math.cos(minute / 13)
        self.cups.wind_m_s = 6 + 3 * math.sin(minute / 7)
        if self.hardware.now_us > self.end_us > 0:
            raise Stop

    def _named(self, value: Any, key: str = "") -> Any:
        """Return a configuration with its pins as this port names them."""
        if isinstance(value, dict):
            return {name: self._named(inner, name) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._named(inner) for inner in value]
        if key in ("pin", "sda", "scl", "led", "power_pin", "supply_pin") and isinstance(value, int):
            return f"GP{value}" if self.port == "circuitpython" else value
        return value
