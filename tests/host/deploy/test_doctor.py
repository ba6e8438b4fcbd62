"""`dibble doctor` on a virtual board: what is well, what isn't, and a report that can be shared."""

import json
import os
from pathlib import Path

import pytest
import serial
from dibble_tools.cli.main import app
from dibble_tools.deploy.deploying import deploy
from dibble_tools.deploy.request import Request
from dibble_tools.model.host_model import HostModel
from dibble_tools.virtual_board.board import VirtualBoard
from node_helpers import soil_model
from patience import PATIENCE_S
from typer.testing import CliRunner
from virtual_helpers import own_registry

SECRET = 'WIFI_SSID = "farm"\nWIFI_PASSWORD = "tractor1"\n'


def doctor(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["doctor", *arguments])
    return done.exit_code, " ".join(done.output.split())


@pytest.fixture
def folder(tmp_path: Path):
    with own_registry(tmp_path):
        yield tmp_path


def test_what_is_wrong_is_told_and_the_report_says_what_the_board_is(folder: Path) -> None:
    with VirtualBoard.start(folder / "flash", name="sick", sensors=True, heap="200k") as board:
        config = {**board.config, "sensors": [*board.config["sensors"], {"driver": "sht4x", "address": 0x46}]}
        config |= {"mqtt": {"host": "broker"}, "clock": {"chip": "ds3231"}}
        (folder / "config.json").write_text(json.dumps(config))
        status, said = doctor(
            "--port", "sick", "--config", str(folder / "config.json"), "--report", str(folder / "report.json")
        )
        assert status == 1
        assert "sht4x: expected an answer at I2C 0x46, there answers" in said
        assert "ds3231: expected an answer at I2C 0x68, there answers" in said
        assert "the board's clock shows 2021-01-01" in said
        found = json.loads((folder / "report.json").read_text())
        assert found["i2c"]["0x44"] == "SHT4x or SHT3x" and found["wifi"] == "yes"
        assert 0 < found["heap_free_bytes"] < found["heap_bytes"]
        assert found["analog"]["soil_adc at 26"]["noise_uv"] < 50_000
        assert found["sleep"]["asked_ms"] == 1000
        again = doctor("--port", "sick", "--config", str(folder / "config.json"))[1]
        assert "clock shows" not in again  # as the first one has set it


def test_a_board_with_all_its_sensors_is_well_and_a_deploy_says_who_does_not_answer(folder: Path) -> None:
    """Though its sleep ends early and its clock is lost in the reset that stops a watchdog."""
    with VirtualBoard.start(folder / "flash", flash="1m", name="well", sensors=True, speed=600) as board:
        sensors = {sensor["driver"]: sensor for sensor in board.config["sensors"]}
        config = {**board.config, "sensors": [sensors["sht4x"], sensors["soil_adc"]], "actions": []}
        (folder / "good.json").write_text(json.dumps(config))
        (folder / "bad.json").write_text(
            json.dumps({**config, "sensors": [*config["sensors"], {"driver": "sht4x", "address": 0x46}]})
        )
        model = HostModel.tested(soil_model(300))
        outcome = deploy(board.port, Request(model, folder / "bad.json"))
        assert [note for note in outcome.notes if "expected an answer at I2C 0x46" in note]
        outcome = deploy(board.port, Request(model, folder / "good.json"))
        assert not [note for note in outcome.notes if "expected an answer" in note]
        with serial.Serial(os.path.realpath(board.port), timeout=PATIENCE_S) as console:
            assert console.read_until(b"*").endswith(b"*")  # a reading's end: its watchdog runs
        status, said = doctor("--port", "well")
        assert status == 0 and "all is well" in said and "self test" in said
