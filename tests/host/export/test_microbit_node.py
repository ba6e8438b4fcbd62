"""The minimal node on the micro:bit: the files a grower copies, run by the real VM from its own main.py."""

import ast
import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dibble.inference.features import MEAN
from dibble_tools.common.errors import InputError
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.data.prepare import DataOptions
from dibble_tools.export.microbit.node import small_node_files, write_small_node
from dibble_tools.export.microbit.source import instructions
from dibble_tools.machines.microbit import Microbit
from dibble_tools.machines.verify import verify
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.rows import made_up_rows
from dibble_tools.model.writer import export
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train
from helpers import random_spec
from small_bench import CYCLES, DEEP, NAMES, NODE, SHALLOW, additive, expected, permille_of, raw_readings, run

pytestmark = pytest.mark.long


def write_soil(path: Path, channels: int) -> Path:
    """Write readings of a field whose deep probe, if there is one, decides between irrigating and waiting."""
    rng = np.random.default_rng(5)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*NAMES[-channels:], "state"])
        for _ in range(250):
            deep = int(rng.integers(0, 1001))
            shallow = int(np.clip(deep + rng.normal(0, 200), 0, 1000))
            wetness = deep + (0 if channels == 1 else shallow - 500) + rng.normal(0, 20)
            state = "irrigate" if wetness < 300 else "wet" if wetness > 750 else "ok"
            table.writerow([*[shallow, deep][-channels:], state])
    return path


@pytest.fixture(scope="module", params=["additive:12+1@2", "boosted:6x4@2"])
def soil(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HostModel:
    folder = tmp_path_factory.mktemp("soil")
    channels = int(request.param[-1])
    file = write_soil(folder / "soil.csv", channels)
    names = [f"{name}=permille:1:0:1000" for name in NAMES[-channels:]]
    options = TrainOptions(DataOptions("state", channels=names), recipe=request.param, hysteresis=2, budget_s=3)
    model = train(file, options).model
    assert len(model.channels) == channels
    model.save(folder / "model.dib")
    return model


@pytest.fixture(scope="module")
def board() -> Iterator[Microbit]:
    with Microbit() as machine:
        yield machine


def files_in(paths: list[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths}


def test_each_decision_equals_the_hosts_and_the_heap_never_grows(
    board: Microbit, soil: HostModel, tmp_path: Path
) -> None:
    soil.save(tmp_path / "model.dib")
    files = files_in(write_small_node(tmp_path / "model.dib", tmp_path / "board", NODE))
    raw = raw_readings(NODE)
    outcome = run(board, files, raw)
    assert outcome.end.endswith("Index"), outcome.end
    lines, relay = expected(soil, NODE, permille_of(NODE, raw))
    assert outcome.lines == lines
    assert outcome.relay[:CYCLES] == relay
    assert sum(relay) > 10 and not all(relay)
    assert len(outcome.free) == CYCLES + 1
    assert len(set(outcome.free[2:])) == 1 and outcome.free[2] > 500


def test_verify_runs_both_families_there(soil: HostModel) -> None:
    (found,) = verify(soil, made_up_rows(soil)[0], None, vms=["microbit"])
    assert (found.problem, found.equal, found.rows) == ("", 400, 400)
    assert found.instructions is not None and 30_000 < found.instructions < 300_000


@pytest.mark.parametrize(("classes", "top", "size"), [(2, 127, 300), (3, 107, 530)])
def test_additive_tables_of_530_bytes_fit(board: Microbit, classes: int, top: int, size: int) -> None:
    model = additive(classes, top)
    assert len(model.blob) > size
    raw = raw_readings(NODE)[:20]
    outcome = run(board, small_node_files(model, NODE), raw)
    assert outcome.lines == expected(model, NODE, permille_of(NODE, raw))[0], outcome.end


def test_a_model_that_does_not_fit_says_so_and_drives_nothing(board: Microbit) -> None:
    outcome = run(board, small_node_files(additive(4, 127), NODE), raw_readings(NODE)[:20])
    assert outcome.end.endswith("Memory") and not outcome.lines


def test_an_error_resets_the_board_which_starts_anew(board: Microbit) -> None:
    outcome = run(board, small_node_files(additive(2, 7), NODE), raw_readings(NODE)[:3])
    assert outcome.end.endswith("Index")
    board._read_until(b"#dibble,2,row%207,", 30)
    board._read_until(b"\n1,0,", 30)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probes": [DEEP]}, "a probe for each of 2 channels, got 1"),
        ({"probes": [DEEP, replace(SHALLOW, pin=3)]}, "at pin 0, 1 or 2, got 3"),
        ({"probes": [DEEP, replace(SHALLOW, pin=1)]}, "a pin each"),
        ({"probes": [DEEP, replace(SHALLOW, dry_mv=2550)]}, "at least 100 mV apart"),
        ({"probes": [DEEP, replace(SHALLOW, dry_mv=3301)]}, "within 0 to 3300 mV"),
        ({"relay_pin": 4}, r"a relay at one of the pins \(0, 1, 2, 8"),
        ({"action_class": "frost"}, "a class of irrigate, ok, got 'frost'"),
        ({"interval_s": 1}, "interval_s: expected 2 to 86400, got 1"),
        ({"samples": 65}, "samples: expected 3 to 64, got 65"),
        ({"supply_mv": 5000}, "supply_mv: expected 1800 to 3600, got 5000"),
    ],
)
def test_settings_the_board_cannot_have_are_refused(change: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        small_node_files(additive(2, 7), replace(NODE, **change))


def test_models_the_board_cannot_run_are_refused() -> None:
    windows = [FeatureSpec(i, MEAN, 4) for i in range(3)]
    with pytest.raises(InputError, match="no room for windows"):
        small_node_files(HostModel(export(random_spec(1, windows))), NODE)
    with pytest.raises(InputError, match="x0: expected steps of 1 permille"):
        small_node_files(HostModel(export(random_spec(1))), NODE)


def test_a_renaming_that_changed_instructions_would_be_noticed() -> None:
    same = ast.parse("def f(a, b):\n c = a - b\n return c")
    assert instructions(same) == instructions(ast.parse("def f(x, y):\n z = x - y\n return z"))
    assert instructions(same) != instructions(ast.parse("def f(x, y):\n z = y - x\n return z"))
    assert instructions(same) != instructions(ast.parse("def f(x, y):\n z = x - y\n return y"))
