"""A grower's whole way on a virtual board, by README.md's commands: new, collect, train, deploy, monitor, fetch."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE_S

pytestmark = pytest.mark.long

DIBBLE = [sys.executable, "-P", "-c", "from dibble_tools.cli.main import main; main()"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of `dibble new`, in a place with virtual boards of its own; they end with the test."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    folder = tmp_path / "bed-1"
    dibble(tmp_path, "new", "bed-1", "--board", "pico")
    config = json.loads((folder / "config.json").read_text())
    config["interval_s"] = 60  # not ten minutes: readings are to be collected now
    (folder / "config.json").write_text(json.dumps(config))
    yield folder
    dibble(folder, "board", "stop")


def dibble(folder: Path, *arguments: str, status: int = 0) -> str:
    """Run a command in a folder as a user does, which ends with a status; return all that it said."""
    run = subprocess.run(
        [*DIBBLE, *arguments],
        cwd=folder,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert run.returncode == status, f"dibble {' '.join(arguments)} ended with {run.returncode}:\n{run.stdout}"
    return run.stdout


def test_the_way_to_the_field_and_back(project):
    dibble(project, "board", "start", "--sensors", "--speed", "600", "--background")
    assert "no model" in dibble(project, "deploy", "--config", "config.json")

    dibble(project, "collect", "--label", "dry", "--out", "field.csv", "--count", "12")
    collected = dibble(project, "collect", "--label", "wet", "--out", "field.csv", "--count", "12")
    assert "dry 12" in collected and "wet 12" in collected
    rows = list(csv.DictReader((project / "field.csv").open()))
    assert [row["label"] for row in rows] == ["dry"] * 12 + ["wet"] * 12
    assert len({row["time"] for row in rows}) == 24

    advice = collected[collected.index("dibble train ") :].split()[1:]
    trained = dibble(project, *advice, "--features", "features.toml", "--recipe", "voting:3x4@2", status=1)
    assert trained.splitlines()[-1].startswith("Don't rely on this model: 'dry' and 'wet' were each recorded in one go")
    refused = dibble(project, "deploy", "--model", "models/field", status=2)
    assert "Don't rely on this model" in refused and "add --yes" in refused
    deployed = dibble(project, "deploy", "--model", "models/field", "--yes")
    assert "the node runs, with field" in deployed
    again = ("deploy", "--model", "models/field", "--config", "config.json", "--yes")
    assert "nothing to do" in dibble(project, *again)

    watched = [
        json.loads(line)
        for line in dibble(project, "monitor", "--model", "models/field", "--json", "--count", "3").splitlines()
        if line.startswith("{")
    ]
    decisions = [entry for entry in watched if "class" in entry]
    assert len(decisions) == 3
    assert {entry["class"] for entry in decisions} <= {"dry", "wet"}

    fetched = dibble(project, "fetch", "--model", "models/field", "--out", "log")
    assert "missing" not in fetched and "damaged" not in fetched
    log = list(csv.DictReader((project / "log" / "log.csv").open()))
    by_sequence = {int(row["sequence"]): row for row in log}
    assert sorted(by_sequence) == list(range(1, len(log) + 1))  # each decision since the first boot
    for entry in decisions:
        assert by_sequence[entry["sequence"]]["class"] == entry["class"]
        assert int(by_sequence[entry["sequence"]]["margin"]) == entry["margin"]
