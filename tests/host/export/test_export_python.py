"""`dibble export --to python`: one file without the library decides as the host does, on every VM."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from dibble.inference import features as windows
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.export.forms import write
from dibble_tools.machines.check import check
from dibble_tools.machines.single_file import on_unix
from dibble_tools.machines.vms import VmError
from dibble_tools.model.golden import golden_rows
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export
from helpers import channels_of, random_additive, random_elapsed, random_mlp, random_rows, random_spec

LOWS, HIGHS = [-100, -20_000, 0, 500, 0], [120, 30_000, 1_000_000, 500 + 2**29, 1]
LIMITS = [high - low for low, high in zip(LOWS, HIGHS, strict=True)]
EVERY_KIND = [FeatureSpec(1, kind, 1 if kind == windows.LAST else 5) for kind in range(len(windows.KINDS))]
MIXED = [
    FeatureSpec(2, windows.SLOPE, 9),
    *EVERY_KIND,
    FeatureSpec(0, windows.MIN, 30),
    FeatureSpec(0, windows.LAST, 1),
]


def equal_on_the_vms(spec: ModelSpec, machines: tuple[str, ...] = ("unix", "wasi"), rows: int = 300) -> list:
    readings = random_rows(2, spec.channels, rows)
    elapsed = random_elapsed(2, rows) if spec.features and spec.interval_ms else None
    model = HostModel(export(spec, golden_rows(spec, readings, elapsed)))
    found = check(model, "python", readings, elapsed, machines=machines)
    assert [(c.problem, c.equal) for c in found] == [("", c.rows) for c in found]
    assert all(c.rows for c in found)
    return found


def network(classes: int, forms: list[str], widths: list[int]) -> ModelSpec:
    tables = random_mlp(classes, LIMITS, classes, widths, forms)
    names = [f"class {i}" for i in range(classes)]
    return ModelSpec("random", channels_of(LOWS, HIGHS), names, tables, unsure_below=100)


def test_networks_of_every_form_decide_alike() -> None:
    equal_on_the_vms(network(3, ["codebook4", "dense16", "sparse8", "dense8"], [8, 7, 5]))
    equal_on_the_vms(network(5, ["codebook4"], []))


def test_sums_of_tables_decide_alike() -> None:
    names = ["dry", "moist", "wet"]
    equal_on_the_vms(ModelSpec("random", channels_of(LOWS, HIGHS), names, random_additive(3, LIMITS, 3, largest=150)))


@pytest.mark.parametrize(
    ("trees", "depth", "classes"), [(1, 0, 3), (1, 3, 1), (3, 10, 4)], ids=["leaf", "alone", "jumps"]
)
def test_forests_decide_alike(trees: int, depth: int, classes: int) -> None:
    equal_on_the_vms(random_spec(7, trees=trees, depth=depth, classes=classes))


def test_leaves_with_amounts_decide_alike() -> None:
    spec = random_spec(3, trees=9, depth=4, classes=3)
    tables = dataclasses.replace(spec.tables, leaves=[(1, 40), (2, 255), (0, 3)], base=[7, 300, 0], highest=[99] * 3)
    equal_on_the_vms(dataclasses.replace(spec, tables=tables))


@pytest.mark.parametrize("features", [EVERY_KIND, MIXED], ids=["every kind", "out of order"])
def test_windows_gaps_hysteresis_and_novelty_decide_alike(features: list[FeatureSpec]) -> None:
    spec = random_spec(5, features, hysteresis=3, trees=9, depth=5)
    density = SimpleNamespace(tables=random_additive(6, spec.limits, 2, largest=60), threshold=300)
    equal_on_the_vms(dataclasses.replace(spec, novelty=density))


def test_a_small_model_runs_on_the_microbit() -> None:
    spec = random_spec(5, trees=3, depth=3, classes=3, hysteresis=2)
    wasi, microbit = equal_on_the_vms(spec, ("wasi", "microbit"), rows=60)
    assert microbit.rows == 60
    assert 5_000 < microbit.outcome.mean_cost < 200_000
    assert 5_000 < wasi.outcome.mean_cost < 200_000


def test_a_model_too_large_for_the_microbit_says_so() -> None:
    for trees, depth in ((8, 6), (20, 9)):  # for its heap; for its file system
        spec = random_spec(5, trees=trees, depth=depth)
        model = HostModel(export(spec))
        (asked,) = check(model, "python", random_rows(2, spec.channels, 3), None, machines=["microbit"])
        assert "no room for a file of" in asked.problem


def test_a_changed_file_fails_the_self_test() -> None:
    spec = random_spec(3)
    readings = random_rows(1, spec.channels, 300)
    (text,) = write(HostModel(export(spec, golden_rows(spec, readings, None))), "python").values()
    with pytest.raises(VmError, match=r"row \d+ of the self-test"):
        on_unix(text.replace("flags |= OUT_OF_RANGE", "flags |= NOVEL"), readings, None)


def test_the_file_needs_nothing_but_array(tmp_path) -> None:
    """It runs under CPython, too, where nothing of dibble is imported."""
    spec = random_spec(5, EVERY_KIND, trees=4)
    readings = random_rows(2, spec.channels, 50)
    model = HostModel(export(spec, golden_rows(spec, readings, None)))
    (text,) = write(model, "python").values()
    assert [line for line in text.splitlines() if line.startswith(("import ", "from "))] == ["from array import array"]
    space: dict = {}
    exec(text, space)
    node = space["Node"]()
    assert node.self_test() == len(golden_rows(spec, readings, None))
    decided = [node.predict(row) for row in readings.tolist()]
    assert np.array_equal(decided, model.decide(readings).class_index)
    assert space["CLASSES"] == model.classes
