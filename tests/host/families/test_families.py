"""Each family's tables through the file and back: every VM, the oracle and the trainer's own sums agree."""

import dataclasses
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from dibble import ModelError
from dibble.inference import model_of
from dibble.inference.fixed_point import MISSING
from dibble.inference.model import Model
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.export.unrolled import unrolled_source
from dibble_tools.families.forest.integer_trees import IntegerTrees
from dibble_tools.families.forest.pages import pack
from dibble_tools.machines.replay import on_unix, on_wasi
from dibble_tools.machines.verify import verify
from dibble_tools.model.golden import golden_rows
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.model.writer import ModelSpec, export
from helpers import channels_of, random_additive, random_elapsed, random_mlp, random_rows, random_spec, random_trees

LOWS, HIGHS = [-100, -20_000, 0, 500, 0], [120, 30_000, 1_000_000, 500 + 2**29, 1]
LIMITS = [high - low for low, high in zip(LOWS, HIGHS, strict=True)]
FORMS = {
    "linear": ([], ["dense8"]),
    "int8": ([9], ["dense8", "dense8"]),
    "wide": ([6], ["dense16", "dense8"]),
    "wide at the end": ([7], ["dense8", "dense16"]),
    "pruned": ([12, 5], ["sparse8", "sparse8", "dense8"]),
    "codebook": ([7, 4], ["codebook4", "codebook4", "codebook4"]),
    "mixed": ([8, 6, 5], ["codebook4", "sparse8", "dense16", "sparse8"]),
}


def tables_of(name: str, classes: int):
    if name == "additive":
        return random_additive(classes, LIMITS, classes)
    if name == "low additive":  # three classes in a small int
        return random_additive(classes, LIMITS, classes, largest=60)
    widths, forms = FORMS[name]
    return random_mlp(10 + classes, LIMITS, classes, widths, forms)


def spec_of(tables, classes: int, **settings) -> ModelSpec:
    return ModelSpec("random", channels_of(LOWS, HIGHS), [f"class {i}" for i in range(classes)], tables, **settings)


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("name", ["additive", "low additive", *FORMS])
def test_oracle_reads_from_the_file_what_the_trainer_computes(name: str, classes: int) -> None:
    tables = tables_of(name, classes)
    model = content_of(export(spec_of(tables, classes)))
    values = np.random.default_rng(1).integers(0, np.array(LIMITS) + 1, (2000, 5))
    values[:20] = np.array(LIMITS) * np.random.default_rng(2).integers(0, 2, (20, 5))
    scores = class_scores(model, values)
    assert np.array_equal(scores, tables.scores(values, LIMITS))
    assert len(np.unique(scores, axis=0)) > 2


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("name", ["additive", "low additive", *FORMS])
def test_every_vm_decides_alike(name: str, classes: int) -> None:
    spec = spec_of(tables_of(name, classes), classes, unsure_below=100)
    readings = random_rows(classes, spec.channels, 400)
    model = HostModel(export(spec, golden_rows(spec, readings, None)))
    found = verify(model, readings, None, vms=["unix", "wasi"])
    assert [(a.equal, a.problem) for a in found] == [(400, "")] * 3


def random_boosted(seed: int, limits: list[int], classes: int) -> IntegerTrees:
    """Return trees whose leaves give up to 255 to any class."""
    rng = np.random.default_rng(seed)
    trees = random_trees(rng, limits, 24, 12, 4)
    leaves = [(int(rng.integers(classes)), int(rng.integers(256))) for _ in range(24)]
    return dataclasses.replace(trees, classes=classes, leaves=leaves, base=[5, 0, 300])


@pytest.mark.parametrize(
    "name",
    ["additive", "low additive", "int8", "wide", "pruned", "codebook", "forest", "forest in parts", "large leaves"],
)
def test_code_decides_as_the_tables_do(name: str) -> None:
    if name == "forest":
        spec = random_spec(4, classes=4, trees=9, hysteresis=2)
    elif name == "forest in parts":  # whose code no single function has room for
        spec = random_spec(5, classes=4, trees=50, depth=7)
    elif name == "large leaves":
        tables = pack(random_boosted(3, LIMITS, 3), 5, LIMITS)
        spec = spec_of(tables, 3)
    else:
        spec = spec_of(tables_of(name, 3), 3, unsure_below=100, hysteresis=1 + len(name) % 2)
    readings = random_rows(5, spec.channels, 400)
    model = HostModel(export(spec, golden_rows(spec, readings, None)))
    check_code(model, readings, None)


def check_code(model: HostModel, readings: np.ndarray, elapsed: np.ndarray | None) -> None:
    """Hold the code of a model against NumPy, on both VMs: with the heap locked, so that it allocates nothing."""
    expected = model.decide(readings, elapsed).columns().tolist()
    for found in (
        on_wasi(model, readings, elapsed, code=True),
        on_unix(model, readings, elapsed, viper=False, code=True),
    ):
        assert found.decisions.columns().tolist() == expected


def test_code_takes_lists_with_none_and_names_a_wrong_length() -> None:
    model = HostModel(export(spec_of(tables_of("additive", 3), 3)))
    module = ModuleType("code")
    exec(unrolled_source(model), module.__dict__)
    node = model_of(model.blob, module)
    assert (node.predict([0, None, 5, 700, 1]).flags, node.decision.channel) == (4, 1)
    assert node.predict((0, 5, 5, 700, 1)).flags == 0
    with pytest.raises(ModelError, match="expected 5 readings, got 4"):
        node.predict([1, 2, 3, 4])
    assert node.predict([0, 5, 5, 700, 2]).flags == 2
    assert node.predict([0, 5, 5, 700, 1]).flags == 0
    tables = Model(model.blob)
    tables.predict([0, 5, 5, 700, 1])
    assert node.explain() == tables.explain()


def test_code_of_another_model_is_refused() -> None:
    one, other = (HostModel(export(spec_of(tables_of("additive", k), k))) for k in (2, 3))
    module = ModuleType("code")
    exec(unrolled_source(one), module.__dict__)
    with pytest.raises(ModelError, match="expected the code of this model file, got another's"):
        model_of(other.blob, module)


def test_windows_and_novelty_agree_on_every_vm() -> None:
    features = [FeatureSpec(0, 0, 1), FeatureSpec(1, 1, 4), FeatureSpec(2, 5, 3)]
    spec = random_spec(1, features, hysteresis=2)
    limits = spec.limits
    usual = random_additive(7, limits, 2)
    values = np.random.default_rng(1).integers(0, np.array(limits) + 1, (500, 3))
    spec = dataclasses.replace(
        spec,
        tables=random_mlp(5, limits, 4, [6], ["dense8", "dense8"]),
        novelty=SimpleNamespace(tables=usual, threshold=int(np.median(usual.scores(values, limits)[:, 1]))),
    )
    readings = random_rows(3, spec.channels, 400)
    elapsed = random_elapsed(4, 400)
    model = HostModel(export(spec, golden_rows(spec, readings, elapsed)))
    novel = (model.decide(readings, elapsed).flags & 8 > 0)[(readings != MISSING).all(axis=1)]
    assert 0.1 < novel.mean() < 0.9
    found = verify(model, readings, elapsed, vms=["unix", "wasi"])
    assert [(a.equal, a.problem) for a in found] == [(400, "")] * 3
    check_code(model, readings, elapsed)
