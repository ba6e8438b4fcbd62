"""Models that decide before model.dib go to a board with it: gate.dib, voice.dib."""

import json
from pathlib import Path

import pytest
from circuitpython_node import model as node_model
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.deploy.checks import Bounds
from dibble_tools.deploy.request import Request, check_pair, stage_files, stages_beside
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.config import parsed, whole
from sounds import random_ear, random_stream
from typer.testing import CliRunner

BOOT_OUT = "Adafruit CircuitPython 9.2.1 on 2024-11-20; Raspberry Pi Pico with rp2040\nBoard ID:raspberry_pi_pico\n"
LISTENS = {"sensors": [], "listen": {"driver": "i2s_mic", "sck": 2, "ws": 3, "sd": 4, "skip": "a"}}
BOUNDS = Bounds(1 << 20, 8000, "micropython")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LISTENS))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder with a first stage."""
    made = tmp_path / "words"
    made.mkdir()
    random_ear(1).save(made / "model.dib")
    random_ear(2).save(made / "voice.dib")
    return made


def test_those_beside_a_model_go_with_it_where_the_configuration_asks_for_them(folder: Path, config: Path) -> None:
    stages = stages_beside(folder)
    assert stages_beside(folder / "model.dib").keys() == stages.keys() == {"voice.dib"}
    request = Request(HostModel.open(folder), config, stages=stages)
    asks = whole(parsed(config.read_bytes()))
    assert stage_files(request, asks) == {"voice.dib": (folder / "voice.dib").read_bytes()}
    asks["listen"]["skip"] = ""
    assert stage_files(request, asks) == {}


def test_a_drive_gets_them_and_an_option_names_another(folder: Path, config: Path) -> None:
    drive = folder.parent / "CIRCUITPY"
    drive.mkdir()
    (drive / "boot_out.txt").write_text(BOOT_OUT)
    arguments = ["deploy", "--drive", str(drive), "--model", str(folder), "--config", str(config)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert (drive / "voice.dib").read_bytes() == random_ear(2).blob
    random_ear(3).save(folder.parent / "other.dib")
    only = ["--only", "model", "--voice", str(folder.parent / "other.dib")]
    done = CliRunner().invoke(app, [*arguments[:-2], *only])
    assert done.exit_code == 0, done.output
    assert (drive / "voice.dib").read_bytes() == random_ear(3).blob
    random_ear(4, bands=4).save(folder.parent / "other.dib")
    done = CliRunner().invoke(app, ["deploy", "--drive", str(drive), *only[2:]])
    assert "expected the frames and segments of model.dib" in str(done.exception), "those of the board's model"


@pytest.mark.parametrize(
    ("voice", "reason"),
    [
        (random_ear(bands=4), "voice.dib: expected the frames and segments of model.dib, .*, got others"),
        (random_stream(), "that both decide at each hop or both on whole sounds, got others"),
        (HostModel(node_model()), "got one that takes readings of sensors"),
    ],
    ids=["frames", "family", "readings"],
)
def test_one_that_hears_otherwise_is_refused(voice: HostModel, reason: str, config: Path) -> None:
    settings = {**LISTENS, "listen": {**LISTENS["listen"], "skip": voice.classes[0]}}
    config.write_text(json.dumps(settings))
    with pytest.raises(InputError, match=reason):
        check_pair(Request(random_ear(), config, stages={"voice.dib": voice}), None, BOUNDS, lambda path: None)


def test_the_class_has_to_be_the_first_stages(config: Path) -> None:
    config.write_text(json.dumps({**LISTENS, "listen": {**LISTENS["listen"], "skip": "hush"}}))
    with pytest.raises(InputError, match=r"config.listen.skip: expected a class of the model \(a, b, _c\), got hush"):
        check_pair(Request(random_ear(), config), None, BOUNDS, {"voice.dib": random_ear(1).blob}.get)
