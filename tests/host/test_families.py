"""Each family's tables through the file and back: every VM, the oracle and the trainer's own sums agree."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from dibble.inference.fixed_point import MISSING
from helpers import channels_of, random_additive, random_elapsed, random_mlp, random_rows, random_spec

from host_tools.export import ModelSpec, export
from host_tools.feature_spec import FeatureSpec
from host_tools.golden import golden_rows
from host_tools.host_model import HostModel
from host_tools.oracle import class_scores
from host_tools.verify import verify

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
    return random_mlp(classes, LIMITS, classes, widths, forms)


def spec_of(tables, classes: int, **settings) -> ModelSpec:
    return ModelSpec("random", channels_of(LOWS, HIGHS), [f"class {i}" for i in range(classes)], tables, **settings)


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("name", ["additive", "low additive", *FORMS])
def test_oracle_reads_from_the_file_what_the_trainer_computes(name: str, classes: int) -> None:
    tables = tables_of(name, classes)
    model = HostModel(export(spec_of(tables, classes))).model
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


def test_windows_and_novelty_agree_on_every_vm() -> None:
    features = [FeatureSpec(0, 0, 1), FeatureSpec(1, 1, 4), FeatureSpec(2, 5, 3)]
    spec = random_spec(1, features, hysteresis=2)
    limits = spec.limits
    spec = dataclasses.replace(
        spec,
        tables=random_mlp(5, limits, 4, [6], ["dense8", "dense8"]),
        novelty=SimpleNamespace(tables=random_additive(6, limits, 2), threshold=600),
    )
    readings = random_rows(3, spec.channels, 400)
    elapsed = random_elapsed(4, 400)
    model = HostModel(export(spec, golden_rows(spec, readings, elapsed)))
    novel = (model.decide(readings, elapsed).flags & 8 > 0)[(readings != MISSING).all(axis=1)]
    assert 0.1 < novel.mean() < 0.9
    found = verify(model, readings, elapsed, vms=["unix", "wasi"])
    assert [(a.equal, a.problem) for a in found] == [(400, "")] * 3
