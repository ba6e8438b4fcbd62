"""The commands that write files for a node."""

import json
from pathlib import Path
from types import ModuleType

import pytest
from dibble.inference import load
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from node_helpers import soil_model
from typer.testing import CliRunner

SOIL = [
    Channel("soil_moisture_permille", "permille", 1, 0, 0, 1000),
    Channel("deep_permille", "permille", 1, 0, 0, 1000),
]


@pytest.fixture
def model(tmp_path: Path) -> str:
    (tmp_path / "model.dib").write_bytes(soil_model(400, SOIL))
    return str(tmp_path / "model.dib")


def run(*arguments: str):
    return CliRunner().invoke(app, arguments)


def test_microbit_writes_its_files_with_main_last(model, tmp_path):
    probes = ["--probe", "0:2300:1200", "--probe", "1:2310:1190"]
    result = run("microbit", model, "--out", str(tmp_path / "out"), *probes, "--class", "irrigate")
    assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"main.py", "settings"} <= names
    assert "600000" in (tmp_path / "out" / "settings").read_text()


@pytest.mark.parametrize("probe", ["0", "0:x:1200", "0:1:2:3", ""])
def test_microbit_says_how_a_probe_is_given(model, tmp_path, probe):
    result = run("microbit", model, "--out", str(tmp_path / "out"), "--probe", probe, "--class", "irrigate")
    assert isinstance(result.exception, InputError)
    assert "expected PIN:DRY_MV:WET_MV" in str(result.exception)


def test_lorawan_writes_the_models_decoder(model, tmp_path):
    out = tmp_path / "decoder.js"
    assert run("lorawan", model, "--out", str(out)).exit_code == 0
    text = out.read_text()
    assert "decodeUplink" in text and "soil_moisture_permille" in text
    assert run("lorawan", model).output.strip() == text.strip()


def test_simulate_names_what_is_missing(tmp_path):
    assert "expected a MODEL" in str(run("simulate").exception)
    (tmp_path / "there.csv").write_text("x")
    assert "is there already" in str(run("simulate", "--csv", str(tmp_path / "there.csv")).exception)
    assert "2026-06-01" in str(run("simulate", "models/field_weather", "--start", "June").exception)
    assert "--faults: expected of" in str(run("simulate", "models/field_weather", "--faults", "rain").exception)
    assert "--plot: expected a folder" in str(run("simulate", "m", "--plot", str(tmp_path / "no" / "p.png")).exception)
    assert "expected a board" in str(run("simulate", "models/field_weather", "--board", "pikoo").exception)


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (["models/field_weather", "--csv", "x.csv"], "MODEL: expected none beside --csv"),
        (["--csv", "x.csv", "--plot", "x.png"], "--plot: expected none beside --csv"),
        (["--csv", "x.csv", "--gate", "m", "--station", "JFK"], "--gate and --station: expected none beside --csv"),
        (["--csv", "x.csv", "--days", "0.5"], "--days: expected whole days with --csv, got 0.5"),
        (["models/field_weather", "--nodes", "2"], "--nodes: expected --csv with it"),
    ],
)
def test_simulate_refuses_what_it_would_not_obey(tmp_path, monkeypatch, arguments, refused):
    monkeypatch.chdir(tmp_path)
    assert refused in str(run("simulate", *arguments).exception)
    assert not list(tmp_path.iterdir())


def test_simulated_readings_begin_at_the_day_that_is_named(tmp_path):
    run("simulate", "--csv", str(tmp_path / "x.csv"), "--days", "1", "--nodes", "1", "--start", "2025-03-01")
    lines = (tmp_path / "x.csv").read_text().splitlines()
    assert lines[1].startswith("2025-03-01T00:10:00Z,") and lines[-1].startswith("2025-03-02T00:00:00Z,")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "expected JSON, got"),
        ("[1]", "config: expected a table"),
        ('{"sensors": [{"driver": "shtt"}]}', "or a module of your own, got 'shtt'"),
        ('{"sensors": [{"driver": "sht4x"}], "interval_s": 1}', "config.interval_s: expected 2 to 86400, got 1"),
        ('{"sensors": [{"driver": "sht4x"}]}', "config.i2c: expected sda and scl, which config.sensors[0] needs"),
    ],
)
def test_simulate_holds_the_configuration_against_the_nodes_schema_first(tmp_path, text, complaint):
    (tmp_path / "config.json").write_text(text)
    result = run("simulate", "models/field_weather", "--config", str(tmp_path / "config.json"))
    assert isinstance(result.exception, InputError) and complaint in str(result.exception)


def test_the_configuration_that_is_shipped_is_whole():
    from dibble_tools.node.config import whole

    config = whole(json.loads((Path(__file__).parents[3] / "firmware" / "config.json").read_text()))
    assert config["sensors"][1]["samples"] == 16


def test_simulate_tells_what_the_node_said_of_its_model(model, tmp_path):
    config = {"sensors": [{"driver": "sht4x"}], "i2c": {"sda": 4, "scl": 5}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = run("simulate", model, "--days", "0.1", "--config", str(tmp_path / "config.json"))
    assert "expected a sensor for the model's channel soil_moisture_permille" in result.output


def test_unroll_writes_code_that_decides_as_the_file_does(model, tmp_path):
    result = run("unroll", model, "--out", str(tmp_path / "model_code.py"))
    assert result.exit_code == 0, result.output
    code = ModuleType("model_code")
    exec((tmp_path / "model_code.py").read_text(), code.__dict__)
    plain, quick = load(model), load(model, code)
    for row in ([0, 0], [399, 1000], [400, 5], [401, 7], [1000, 0]):
        decided = [(d.class_index, d.margin, d.flags) for d in (plain.predict(row), quick.predict(row))]
        assert decided[0] == decided[1]
