"""NumPy's evaluator, the firmware on CPython, and the firmware on real VMs: the same decisions on every row."""

import numpy as np
import pytest
from dibble.inference.features import DELTA, EMA, LAST, MAX, MEAN, MIN, SLOPE
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.machines.replay import Replay, on_unix, on_wasi
from dibble_tools.model.evaluator import evaluate
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import export
from helpers import random_elapsed, random_rows, random_spec

ROWS = 400
LASTS = [FeatureSpec(2, LAST, 1), FeatureSpec(0, LAST, 1), FeatureSpec(1, LAST, 1)]
EVERY_KIND = [
    FeatureSpec(0, MEAN, 5),
    FeatureSpec(1, SLOPE, 6),
    FeatureSpec(2, MIN, 3),
    FeatureSpec(2, MAX, 4),
    FeatureSpec(1, DELTA, 7),
    FeatureSpec(0, EMA, 10),
    FeatureSpec(2, SLOPE, 4),
    FeatureSpec(0, LAST, 1),
]


def row_by_row(model: HostModel, readings: np.ndarray, elapsed_ms: np.ndarray | None) -> np.ndarray:
    """Return the firmware's decisions, as evaluator.Decisions.columns()."""
    node = model.model
    node.restart()
    out = []
    for i, row in enumerate(readings.tolist()):
        d = node.predict(row, None if elapsed_ms is None else int(elapsed_ms[i]))
        out.append((d.class_index, d.margin, d.flags, d.channel, d.held_index))
    node.restart()
    return np.array(out)


def check(seed: int, features: list[FeatureSpec], hysteresis: int, with_times: bool) -> None:
    spec = random_spec(seed, features, hysteresis=hysteresis)
    model = HostModel(export(spec))
    readings = random_rows(seed, spec.channels, ROWS)
    elapsed = random_elapsed(seed, ROWS) if with_times else None
    expected = row_by_row(model, readings, elapsed)
    assert {0, 1, 2, 4} <= set(expected[:, 2].tolist())
    assert np.array_equal(evaluate(model.content, readings, elapsed).columns(), expected)


@pytest.mark.parametrize("hysteresis", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_rows_that_stand_alone(seed: int, hysteresis: int) -> None:
    check(seed, [], hysteresis, False)


@pytest.mark.parametrize("hysteresis", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_windows_with_gaps(seed: int, hysteresis: int) -> None:
    check(10 + seed, EVERY_KIND, hysteresis, True)


@pytest.mark.parametrize("seed", range(2))
def test_windows_without_times(seed: int) -> None:
    check(20 + seed, EVERY_KIND, 2, False)


@pytest.mark.parametrize("hysteresis", [1, 2, 3])
def test_last_readings_with_gaps(hysteresis: int) -> None:
    check(30, LASTS, hysteresis, True)


def test_evaluating_leaves_the_model_as_it_was() -> None:
    spec = random_spec(1, EVERY_KIND)
    model = HostModel(export(spec))
    readings = random_rows(1, spec.channels, 50)
    first = model.decide(readings).columns()
    assert np.array_equal(model.decide(readings).columns(), first)


def test_no_rows_make_no_decisions() -> None:
    model = HostModel(export(random_spec(1)))
    assert model.decide(np.zeros((0, 3), dtype=np.int64)).columns().shape == (0, 5)


def test_one_class_leads_by_its_votes_and_one() -> None:
    model = HostModel(export(random_spec(1, classes=1)))
    readings = random_rows(1, model.channels, 50)
    assert np.array_equal(model.decide(readings).columns(), row_by_row(model, readings, None))


def replay(vm: str, model: HostModel, readings: np.ndarray, elapsed: np.ndarray | None) -> Replay:
    if vm == "wasi":
        return on_wasi(model, readings, elapsed)
    return on_unix(model, readings, elapsed, viper=vm == "viper")


@pytest.mark.parametrize("vm", ["viper", "bytecode", "wasi"])
@pytest.mark.parametrize("features", [[], EVERY_KIND], ids=["plain", "windows"])
def test_vm_decides_alike(vm: str, features: list[FeatureSpec]) -> None:
    spec = random_spec(40, features, hysteresis=2)
    readings = random_rows(40, spec.channels, ROWS)
    elapsed = random_elapsed(40, ROWS) if features else None
    low, high = [c.low for c in spec.channels], [c.high for c in spec.channels]
    model = HostModel(export(spec, readings[:5].clip(low, high).tolist()))
    found = replay(vm, model, readings, elapsed)
    assert (found.kernels, found.golden) == ("viper" if vm == "viper" else "bytecode", 5)
    assert np.array_equal(found.decisions.columns(), model.decide(readings, elapsed).columns())
