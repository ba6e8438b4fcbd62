"""Baselines of a node's own: offered where probes differ from node to node, not where the place itself tells."""

from dataclasses import replace

import numpy as np
import pytest
from dibble.inference.features import ABOVE, KINDS
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.data.prepare import DataOptions, prepare, with_features
from dibble_tools.machines.verify import verify
from dibble_tools.training.baselines import baseline_sizes, with_baselines
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.folds import Learner
from dibble_tools.training.result import Clock, TrainOptions
from dibble_tools.training.train import learn

NODES, ROWS = 8, 150
DATA = DataOptions(label="state", time="when", group="node")


def written(path, *, shifted: bool):
    """Write a file of nodes whose soil is wet for a while after each rain; each probe has an offset of its own."""
    rng = np.random.default_rng(1)
    lines = ["when,node,soil,state"]
    for node in range(NODES):
        offset = int(rng.integers(0, 900)) * shifted
        wet = np.zeros(ROWS)
        for start in rng.integers(0, ROWS, 12):
            wet[start : start + 5] = 1
        for i in range(ROWS):
            when = np.datetime64("2024-05-01T00:00") + np.timedelta64(30 * i, "m")
            soil = 300 + offset + 60 * wet[i] + rng.normal(0, 12)
            lines.append(f"{when},n{node},{soil:.0f},{'wet' if wet[i] else 'dry'}")
    path.write_text("\n".join(lines) + "\n")
    return path


def studied(path):
    """Return the data, its class indices, and parts of whole nodes."""
    data = prepare(path, DATA)
    classes, y = np.unique(data.ds.labels, return_inverse=True)
    rows = np.flatnonzero(data.split.train)
    learner = Learner(data, y, len(classes), parse_costs((), [str(c) for c in classes]), 0.0, 0, 1)
    return data, y, [(rows[fit], rows[score]) for fit, score in learner.parts(rows, 0)]


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    return written(tmp_path_factory.mktemp("shifted") / "shifted.csv", shifted=True)


def test_they_are_offered_where_probes_differ(shifted):
    data, y, parts = studied(shifted)
    longer = with_baselines(data, y, parts, 0)
    assert [str(f) for f in longer.features][len(data.features) :] in (
        [f"above:{n}"] for n in baseline_sizes(1_800_000)
    )
    assert longer.values.shape == (len(y), len(longer.features))
    assert "helps" in longer.notes[-1] and "restart" in longer.notes[-1]


def test_they_are_not_where_the_reading_itself_tells(tmp_path):
    data, y, parts = studied(written(tmp_path / "same.csv", shifted=False))
    assert with_baselines(data, y, parts, 0) is data


def test_a_baseline_is_of_a_day_at_most_and_of_a_few_readings_at_least():
    assert baseline_sizes(1_800_000) == [12, 48]
    assert baseline_sizes(1000) == [63, 255] and baseline_sizes(86_400_000) == [8]


def test_features_that_are_added_are_those_that_are_read_together(shifted):
    data = prepare(shifted, DATA)
    more = [FeatureSpec(0, ABOVE, 48)]
    both = with_features(replace(data, features=[]), [*data.features, *more])
    assert with_features(data, more).values.tolist() == both.values.tolist()


def test_a_search_takes_them_and_every_vm_decides_alike(shifted):
    """On nodes that it hadn't seen it is better by them; the file says so by a part, which older firmware refuses."""
    options = TrainOptions(DATA, family="additive", budget_s=3, jobs=1, refit=False)
    done = learn(shifted, options, Clock(3))
    content = done.judged.model.content
    assert ABOVE in {f.kind for f in content.features} and "baselines" in content.parts
    kinds = [KINDS[f.kind] for f in content.features]
    assert done.chosen.accuracy > 0.9, kinds
    found = verify(done.judged.model, done.data.readings[:200], done.data.elapsed_ms[:200], vms=("unix",))
    assert [(one.problem, one.equal) for one in found] == [("", 200)] * 2
