"""A small node in a VM: a soil probe, an air sensor, a valve and a model of two classes."""

import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from dibble.inference.parts import NUMBER
from dibble_tools.data.channels import Channel
from dibble_tools.families.additive.training import AdditiveRecipe
from dibble_tools.families.additive.training import fit as fit_additive
from dibble_tools.families.forest import pages
from dibble_tools.families.forest.integer_trees import IntegerTrees, shift
from dibble_tools.families.novelty import fit_novelty
from dibble_tools.model.number import number_part, quantity
from dibble_tools.model.writer import ModelSpec, export, forest_spec
from dibble_tools.node.console_lines import Event, LineReader, Row
from dibble_tools.simulator.devices.analog import AnalogPin, SoilProbe
from dibble_tools.simulator.devices.sht4x import Sht4x
from dibble_tools.simulator.node.flash import Flash
from dibble_tools.simulator.node.vm import FieldVm, Stop
from dibble_tools.simulator.node.wire import LIKE, Hardware
from dibble_tools.simulator.season import START_S
from dibble_tools.simulator.unkindness import Likeness
from helpers import integers_of, random_trees
from sklearn.tree import DecisionTreeClassifier

MINUTE_US = 60_000_000
SOIL_PIN, VALVE_PIN = 26, 16
CHANNELS = [
    Channel("soil_moisture_permille", "permille", 1, 0, 0, 1000),
    Channel("air_temperature_centi_c", "centi_c", 1, 0, -4000, 8500),
]


def soil_model(
    dry_below: int,
    channels: list[Channel] = CHANNELS,
    hysteresis: int = 1,
    golden: Sequence[Sequence[int]] | None = None,
    stand_ins: Sequence[int | None] = (),
) -> bytes:
    """Return a model file: irrigate below so many permille, else ok.

    Args:
        golden: rows of readings; None: two of them.
        stand_ins: see ModelSpec.
    """
    soil = np.arange(0, 1001)
    readings = np.column_stack([soil, np.zeros_like(soil)])
    tree = DecisionTreeClassifier().fit(readings, np.where(soil < dry_below, "irrigate", "ok"))
    trees = shift(integers_of(tree), [channel.low for channel in channels])
    spec = forest_spec(
        f"dry below {dry_below}", channels, ["irrigate", "ok"], trees, hysteresis=hysteresis, stand_ins=stand_ins
    )
    return export(spec, readings[[100, 900], : len(channels)].tolist() if golden is None else golden)


def number_model() -> bytes:
    """Return a model file that tells the soil in six hours: 30 permille less than now, and less where it is warm."""
    soil = np.arange(0, 1001, 10)
    at = [(s, t) for s in soil for t in range(-4000, 8501, 500)]
    readings = np.array(at)
    z = 4 * (readings[:, 0] - 30 - readings[:, 1] / 100 - 500) / 500
    share = 1 / (1 + np.exp(-z))
    lows = [channel.low for channel in CHANNELS]
    limits = [channel.high - channel.low for channel in CHANNELS]
    targets = np.column_stack([1 - share, share])
    weights = np.ones(len(readings))
    tables = fit_additive(readings - lows, limits, lows, targets, weights, AdditiveRecipe(16, 0)).tables
    told = quantity(Channel("soil", "permille", 1, 0, 0, 1000), 500, 125 / tables.margin_unit, 20, 90, 6 * 3600)
    names = ["below 500 permille", "above 500 permille"]
    spec = ModelSpec("soil ahead", CHANNELS, names, tables, parts={NUMBER: number_part(told)})
    return export(spec, readings[[100, 900]].tolist())


def usual_model(hysteresis: int = 1) -> bytes:
    """Return a model file without classes: usual is soil that dries as the air warms, two permille for 0.1 °C."""
    rng = np.random.default_rng(1)
    air = rng.integers(500, 3500, 4000)
    readings = np.column_stack([np.clip(900 - air // 10 * 2 + rng.integers(-20, 21, 4000), 0, 1000), air])
    lows, limits = [c.low for c in CHANNELS], [c.high - c.low for c in CHANNELS]
    novelty = fit_novelty(readings - lows, limits, lows, 0.01, bins=8)
    leaf = pages.pack(IntegerTrees([], [-1], 1), len(CHANNELS))
    spec = ModelSpec("usual", CHANNELS, ["usual"], leaf, novelty=novelty, hysteresis=hysteresis)
    return export(spec, [*readings[:3].tolist(), [100, 600]])


def forest_model(seed: int, trees: int, depth: int = 7) -> bytes:
    """Return a model file of the same channels and classes, of random trees: some 300 bytes each, if not deeper."""
    limits = [channel.high - channel.low for channel in CHANNELS]
    grown = random_trees(np.random.default_rng(seed), limits, 2, trees, depth)
    spec = forest_spec(f"forest {seed}", CHANNELS, ["irrigate", "ok"], grown, interval_ms=600_000)
    return export(spec, [[100, 2000], [900, 500]])


def warm_gate() -> bytes:
    """Return a first stage that knows the air only: skip above 10 °C, else look."""
    air = np.arange(-1000, 3000, 10)
    tree = DecisionTreeClassifier().fit(air[:, None], np.where(air > 1000, "skip", "look"))
    trees = shift(integers_of(tree), [CHANNELS[1].low])
    return export(forest_spec("gate", [CHANNELS[1]], ["look", "skip"], trees, hysteresis=1))


class Bench:
    """The node's hardware on a desk.

    Args:
        firmware: as firmware_folder() makes it.
        folder: where its files are laid out before they're installed.
        like: the board.
        blocks: of its flash that are the file system's.
    """

    def __init__(
        self,
        firmware: Path,
        folder: Path,
        model: bytes | None = None,
        like: Likeness = LIKE,
        blocks: int = 160,
        **config: Any,
    ) -> None:
        self.hardware = Hardware(Flash(blocks), START_S, like)
        self.air = Sht4x(lambda: self.hardware.now_us)
        self.probe = SoilProbe(random.Random(1))
        self.probe.moisture = 0.6
        self.pin = AnalogPin(self.probe.volts, random.Random(2))
        self.hardware.i2c = {0x44: self.air}
        self.hardware.analog = {SOIL_PIN: self.pin}
        self.hardware.on_output = lambda pin, level: self.switched.append((self.now_s(), pin, level))
        self.switched: list[tuple[float, int, int]] = []
        self.vm = FieldVm(self.hardware, "192k")
        self.lives: list[str] = []
        self.files = folder / "files"
        shutil.copytree(firmware, self.files)
        self.config = {
            "interval_s": 60,
            "i2c": {"sda": 4, "scl": 5},
            "sensors": [
                {"driver": "soil_adc", "pin": SOIL_PIN, "probe_curve": self.probe.probe_curve_mv(), "samples": 4},
                {"driver": "sht4x"},
            ],
            "actions": [{"class": "irrigate", "pin": VALVE_PIN, "max_on_s": 150, "rest_s": 300}],
            "log": {"batch": 2},
            **config,
        }
        self.put("config.json", json.dumps(self.config).encode())
        if model is not None:
            self.put("model.dib", model)
        self.vm.install(self.files)

    def put(self, name: str, content: bytes) -> None:
        (self.files / name).write_bytes(content)

    def send(self, name: str, content: bytes) -> None:
        """Write a file to the node while its own program doesn't run."""
        (self.files / "sent").mkdir(exist_ok=True)
        (self.files / "sent" / name).write_bytes(content)
        self.vm.update(self.files / "sent")

    def run(self, minutes: float, cause: int = 1, meanwhile: Callable[[], None] = lambda: None) -> str:
        """Switch on for so long; return what ended it. As time passes, call `meanwhile`."""
        end_us = self.hardware.now_us + int(minutes * MINUTE_US)

        def stop() -> None:
            meanwhile()
            if self.hardware.now_us >= end_us:
                raise Stop

        self.hardware.on_time = stop
        self.lives.append(self.vm.power(cause))
        return self.lives[-1]

    def now_s(self) -> float:
        return self.hardware.now_us / 1e6

    def lines(self) -> list[Row | Event]:
        """Return all that the node has said that its checksum vouches for."""
        found = LineReader().feed(self.vm.console)
        return [line for line in found if isinstance(line, Row | Event)]

    def rows(self) -> list[Row]:
        return [line for line in self.lines() if isinstance(line, Row)]

    def events(self, kind: str) -> list[str]:
        return [line.text for line in self.lines() if isinstance(line, Event) and line.kind == kind]
