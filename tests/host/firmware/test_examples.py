"""firmware/examples run as they lie there: on this PC, and on the VM with a board's hardware around them."""

import ast
import json
import os
import random
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dibble_tools.common.shipped import FIRMWARE, LIBRARY
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.config import parsed, sensors_of, whole
from dibble_tools.simulator.devices.analog import AnalogPin, SoilProbe
from dibble_tools.simulator.devices.sht4x import Sht4x
from dibble_tools.simulator.node.flash import Flash
from dibble_tools.simulator.node.vm import GUESTS, FieldVm, Stop
from dibble_tools.simulator.node.wire import Hardware
from dibble_tools.simulator.season import START_S

EXAMPLES = FIRMWARE / "examples"
MODELS = Path(__file__).parents[3] / "models"
MINUTE_US = 60_000_000


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    """A folder with the model.dib that scikit_learn_model.py makes."""
    folder = tmp_path_factory.mktemp("bed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        runpy.run_path(str(EXAMPLES / "scikit_learn_model.py"))
    return folder


def test_five_lines_predict_on_a_pc(bed):
    command = [sys.executable, str(EXAMPLES / "predict.py")]
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY.parent)}
    run = subprocess.run(command, cwd=bed, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert re.fullmatch(r"irrigate margin [0-9]+ flags [01]\n", run.stdout)


class Board:
    """A board with a probe and an air sensor, and an example as its program."""

    def __init__(self, folder: Path, example: str, entry: str, bed: Path, guests: Path = GUESTS) -> None:
        self.hardware = Hardware(Flash(384), START_S)
        self.air = Sht4x(lambda: self.hardware.now_us)
        self.probe = SoilProbe(random.Random(1))
        self.hardware.i2c = {0x44: self.air}
        self.hardware.analog = {26: AnalogPin(self.probe.volts, random.Random(2))}
        self.hardware.on_time = self._stop
        shutil.copytree(LIBRARY, folder / "lib" / "dibble", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(EXAMPLES / example, folder / entry)
        shutil.copy(bed / "model.dib", folder)
        self.vm = FieldVm(self.hardware, "192k", guests)
        self.vm.install(folder)
        self.end_us = 0

    def run(self, minutes: int, entry: str | None = None) -> list[str]:
        self.end_us = self.hardware.now_us + minutes * MINUTE_US
        before = len(self.vm.text())
        assert self.vm.power(1, entry) == "stop", self.vm.text()
        return self.vm.text()[before:].splitlines()

    def _stop(self) -> None:
        if self.hardware.now_us >= self.end_us > 0:
            raise Stop


def test_a_node_of_ones_own_decides_and_outlives_a_missing_sensor(bed, tmp_path):
    board = Board(tmp_path / "files", "own_node.py", "main.py", bed)
    board.probe.moisture, board.air.air_temperature_c = 0.2, 24
    assert board.run(25)[1].startswith("irrigate ")
    board.probe.moisture = 0.55
    assert board.run(25)[1].startswith("ok ")
    board.hardware.i2c = {}
    assert all(line.startswith("missing: ") for line in board.run(25)[1:])
    board.hardware.i2c = {0x44: board.air}
    board.air.air_temperature_c = -6
    assert board.run(25)[1].startswith("frost ")


def test_circuitpython_runs_the_model_in_a_program_of_ones_own(bed, tmp_path):
    board = Board(tmp_path / "files", "circuitpython_code.py", "code.py", bed, GUESTS.parent / "guest_circuitpython")
    lines = board.run(5)
    assert lines[0].endswith("golden vectors agree")
    classes = {line.split()[0] for line in lines[1:]}
    assert len(lines) >= 4 and classes <= {"irrigate", "ok", "frost"}


def test_a_node_takes_thirty_lines_and_a_prediction_five():
    def statements(name: str) -> int:
        body = ast.parse((EXAMPLES / name).read_text()).body
        return sum(len({n.lineno for n in ast.walk(top) if isinstance(n, ast.stmt)}) for top in body[1:])

    assert statements("predict.py") == 5
    assert statements("own_node.py") <= 30


def test_a_heater_scan_gives_the_channels_of_the_shipped_model():
    """And the bme680 of that configuration scans: three times at each wake, the last of which counts."""
    config = parsed((EXAMPLES / "heater_scan" / "config.json").read_bytes())
    sensors = sensors_of(whole(config))
    model = HostModel.open(MODELS / "coffee_or_air")
    assert [channel.name for channel in model.channels if channel.name not in sensors.names] == []
    assert set(zip(sensors.names, sensors.units, strict=True)) >= {(c.name, c.unit) for c in model.channels}
    card = json.loads((MODELS / "coffee_or_air" / "card.json").read_text())
    assert "class and session are one" in card["verdict"]["words"] and not card["verdict"]["rely"]
    assert model.model.self_test()
