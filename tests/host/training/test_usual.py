"""A model of what is usual: as few false alarms as were asked for on time that it hadn't seen, and what it finds."""

import json

import numpy as np
import pytest
from dibble.inference.decision import NOVEL, OUT_OF_RANGE, SENSOR_FAULT
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import DataOptions
from dibble_tools.machines.replay import on_wasi
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import Limits
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Return a file of 30 days in which humidity follows from the air; soil goes its own way. No labels."""
    rng = np.random.default_rng(0)
    lines = ["when,air_c,humidity_pct,soil_permille"]
    for i in range(24 * 30):
        air = 18 + 8 * np.sin(i / 24 * 2 * np.pi) + rng.normal(0, 1)
        when = np.datetime64("2024-05-01T00:00") + np.timedelta64(i, "h")
        lines.append(f"{when},{air:.1f},{75 - 2 * (air - 18) + rng.normal(0, 2):.0f},{rng.normal(300, 30):.0f}")
    path = tmp_path_factory.mktemp("days") / "days.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def trained(days):
    data = DataOptions(label=None, time="when", usual=True)
    return train(days, TrainOptions(data, novelty=0.02, limits=Limits(max_bytes=1500), jobs=1, refit=False))


def test_false_alarms_on_unseen_days_are_about_as_many_as_asked_for(trained):
    usual = trained.card["usual"]
    assert trained.card["split"]["how"].startswith("the last quarter of the rows")
    assert (usual["rate"], usual["rows"]) == (0.02, 180)
    assert usual["flagged"] <= 0.05
    assert usual["interval"][0] <= usual["flagged"] <= usual["interval"][1]
    assert trained.verdict.rely and trained.verdict.words.startswith("Flags ")


def test_a_sensor_that_tells_another_moments_reading_is_found_where_others_know_better(trained):
    found = {row["channel"]: row["flagged"] for row in trained.card["usual"]["found"]}
    assert found["humidity_pct"] > 0.3 and found["air_c"] > 0.3
    assert found.get("soil_permille", 0) < 0.1


def test_the_file_has_one_class_and_flags_on_a_32_bit_vm_what_the_host_does(trained):
    model = HostModel(trained.model.blob)
    assert model.classes == ("usual",)
    assert model.content.format == 2  # nodes of older firmware read it, too
    names = [channel.name for channel in model.channels]
    rows = {"air_c": [180, 100, 260, 260], "humidity_pct": [75, 91, 59, 91], "soil_permille": [300] * 4}
    readings = np.array([rows[name] for name in names]).T
    steady = np.repeat(readings, 30, axis=0)
    elapsed = np.full(len(steady), model.content.interval_ms)
    host = model.decide(steady, elapsed)
    assert host.flags[20] & NOVEL == 0
    assert host.flags[-1] & (NOVEL | OUT_OF_RANGE)  # warm and humid never came together
    found = on_wasi(model, steady, elapsed).decisions
    assert found.columns().tolist() == host.columns().tolist()
    missing = steady.copy()
    missing[:, 0] = -(1 << 30)
    assert (model.decide(missing, elapsed).flags == SENSOR_FAULT).all()


def test_days_unlike_those_learned_from_are_not_relied_on(days, tmp_path):
    lines = days.read_text().splitlines()
    shifted = [lines[0]]
    for i, line in enumerate(lines[1:]):
        when, air, humidity, soil = line.split(",")
        shifted.append(f"{when},{air},{int(humidity) + 15 * (i > 540)},{soil}")
    (tmp_path / "drift.csv").write_text("\n".join(shifted) + "\n")
    done = CliRunner().invoke(
        app, ["train", str(tmp_path / "drift.csv"), "--usual", "--time", "when", "--out", str(tmp_path / "m")]
    )
    assert done.exit_code == 1, done.output
    assert "Don't rely on this model: It flags" in done.output.splitlines()[-1]
    card = json.loads((tmp_path / "m/card.json").read_text())
    assert card["verdict"]["rely"] is False
    assert "It knows no classes" in (tmp_path / "m/report.html").read_text()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--label", "soil_permille"], "--usual learns from rows without labels: expected no --label"),
        (["--target", "soil_permille"], "--usual learns from rows without labels"),
        (["--recipe", "mlp:8@2"], "--usual: expected no --recipe"),
        (["--max-bytes", "64"], "expected"),
    ],
)
def test_wrong_options_are_told(days, tmp_path, more, message):
    arguments = ["train", str(days), "--usual", "--time", "when", "--out", str(tmp_path / "m"), *more]
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, InputError), done.output
    assert message in str(done.exception)
    assert not (tmp_path / "m").exists()
