"""A deploy to a CircuitPython board's drive."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from circuitpython_node import Node
from circuitpython_node import model as node_model
from dibble_tools.common.errors import InputError
from dibble_tools.deploy import drive as drive_module
from dibble_tools.deploy.drive import deploy_to_drive
from dibble_tools.deploy.request import Request
from dibble_tools.model.host_model import HostModel
from dibble_tools.node.signatures import counter_of, write_new_key

BOOT_OUT = "Adafruit CircuitPython 9.2.1 on 2024-11-20; Raspberry Pi Pico with rp2040\nBoard ID:raspberry_pi_pico\n"
CONFIG = {
    "i2c": {"sda": 4, "scl": 5},
    "sensors": [{"driver": "sht4x"}, {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]}],
}


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "CIRCUITPY"
    folder.mkdir()
    (folder / "boot_out.txt").write_text(BOOT_OUT)
    (folder / "code.py").write_text("print('Hello World!')\n")
    (folder / "settings.toml").write_text('WIFI_PASSWORD = "sesame"\n')
    return folder


@pytest.fixture
def asked(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return Request(HostModel.tested(node_model()), tmp_path / "config.json")


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_of_a_node_arrives_and_a_second_deploy_writes_nothing(drive, asked):
    board, plan = deploy_to_drive(drive, asked)
    assert board == "Raspberry Pi Pico with rp2040: CircuitPython 9.2; kernel: the model as code, model_code.py"
    files = content(drive)
    assert {path: files[path] for path in plan.writes} == plan.writes
    assert {"code.py", "boot.py", "safemode.py", "config.json", "model.dib", "manifest.txt"} <= set(plan.writes)
    assert files["settings.toml"] == b'WIFI_PASSWORD = "sesame"\n'
    times = {path: path.stat().st_mtime_ns for path in drive.rglob("*")}
    assert not deploy_to_drive(drive, asked)[1]
    assert {path: path.stat().st_mtime_ns for path in drive.rglob("*")} == times


def test_a_board_without_wifi_and_settings_without_a_network_are_told(drive, asked):
    asked.config.write_text(json.dumps({**CONFIG, "mqtt": {"host": "10.0.0.2"}}))
    board, _ = deploy_to_drive(drive, asked, dry_run=True)
    assert "config.mqtt.host is set, and a Raspberry Pi Pico has no Wi-Fi" in board
    assert "settings.toml: expected a name of a Wi-Fi as WIFI_SSID, got none" in board


def test_actions_without_a_model_are_told_what_they_wait_for(drive, asked):
    asked.config.write_text(json.dumps({**CONFIG, "actions": [{"flag": "novel", "pin": 16}]}))
    board, _ = deploy_to_drive(drive, replace(asked, model=None), dry_run=True)
    assert "config.actions switch nothing before a model comes that tells flag novel" in board


def test_a_dry_run_writes_nothing(drive, asked):
    before = content(drive)
    assert deploy_to_drive(drive, asked, dry_run=True)[1].writes
    assert content(drive) == before


def test_code_py_comes_last_and_a_second_deploy_repairs(drive, asked, monkeypatch):
    def fail(source, target):
        if Path(target).name == "code.py":
            raise OSError(5, "Input/output error")
        replaced(source, target)

    replaced = os.replace
    monkeypatch.setattr(drive_module.os, "replace", fail)
    with pytest.raises(InputError, match="Input/output error"):
        deploy_to_drive(drive, asked)
    files = content(drive)
    assert files["code.py"] == b"print('Hello World!')\n" and "lib/dibble/app.py" in files
    monkeypatch.undo()
    assert list(deploy_to_drive(drive, asked)[1].writes) == ["code.py"]
    assert not list(drive.rglob("*.new"))


def test_a_module_that_has_gone_is_removed_and_nobodys_own_stays(drive, asked):
    deploy_to_drive(drive, asked)
    (drive / "lib/dibble/node.mpy").write_bytes(b"")
    (drive / "lib/dibble/mine.py").write_bytes(b"")
    assert deploy_to_drive(drive, asked)[1].removals == ["lib/dibble/node.mpy"]
    assert (drive / "lib/dibble/mine.py").exists() and not (drive / "lib/dibble/node.mpy").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "boot_out.txt, got none"),
        ("Something else", "expected the line of Adafruit CircuitPython"),
        (BOOT_OUT.replace("9.2.1", "8.2.9"), "expected CircuitPython 9 or newer, got 8.2"),
    ],
)
def test_a_folder_that_is_no_such_drive_is_refused(drive, asked, text, message):
    (drive / "boot_out.txt").unlink()
    if text:
        (drive / "boot_out.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        deploy_to_drive(drive, asked)
    assert not (drive / "lib").exists()


def test_a_node_runs_from_a_drive_that_was_deployed_to(tmp_path):
    def only_what_is_deployed(folder: Path) -> None:
        config, model = tmp_path / "config.json", HostModel.tested((folder / "model.dib").read_bytes())
        (folder / "config.json").rename(config)
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (folder / "boot_out.txt").write_text(BOOT_OUT)
        deploy_to_drive(folder, Request(model, config))

    node = Node(tmp_path / "drive", finish=only_what_is_deployed)
    node.live(200)
    assert len(node.decisions()) >= 2, node.vm.text()
    assert not node.lines("!files")
    assert [line.split(",")[-1].split("*")[0] for line in node.lines("!kernel")] == ["code"]


def test_a_drive_with_a_key_gets_signatures_and_one_without_gets_none(drive, asked, tmp_path):
    write_new_key(tmp_path / "node.key")
    deploy_to_drive(drive, asked)
    assert not [path for path in content(drive) if path.endswith((".sig", ".key"))]
    first = deploy_to_drive(drive, replace(asked, key=tmp_path / "node.key"))[1]
    assert sorted(first.writes) == ["config.json.sig", "model.dib.sig", "node.key"]
    key = (tmp_path / "node.key").read_bytes()
    files = content(drive)
    assert files["node.key"] == key
    for kind in ("config.json", "model.dib"):
        assert counter_of(files[f"{kind}.sig"], key, kind, files[kind]) > 0
    assert not deploy_to_drive(drive, asked)[1]  # its key lies beside config.json
    gone = deploy_to_drive(drive, Request(no_model=True, config=asked.config))[1]
    assert {"model.dib", "model.dib.sig"} <= set(gone.removals)
    (tmp_path / "node.key").unlink()
    with pytest.raises(InputError, match="this node takes signed files only: expected its key at "):
        deploy_to_drive(drive, asked)
