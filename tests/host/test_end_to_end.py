"""From scikit-learn to every VM: exact votes, whole files, equal decisions."""

import numpy as np
import pytest
from dibble import ModelError
from dibble.inference.model import Model
from dibble_tools import convert
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.families.forest.trees import hard_votes
from dibble_tools.machines.verify import verify
from dibble_tools.model.content import Forest
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.rows import made_up_rows
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier
from typer.testing import CliRunner

pytestmark = pytest.mark.long


def made_up(columns, classes, *, scale=1.0, largest=90_000, rows=500, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(-largest // 3, largest, (rows, columns)) * scale
    return x, np.argsort(np.argsort(x[:, 0] + x[:, -1] * rng.random(rows))) * classes // rows


@pytest.mark.parametrize("scale", [1, 0.1, 0.0001])
@pytest.mark.parametrize("classes", [2, 22])
@pytest.mark.parametrize("kind", [DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier])
def test_votes_are_those_of_scikit_learns_trees(kind, classes, scale):
    x, y = made_up(6, classes, scale=scale)
    x = np.round(x, 4)
    estimator = kind(random_state=0).fit(x[:250], y[:250])
    votes = hard_votes(estimator, x)
    model = convert(estimator, x)
    assert (model.predict(x) == estimator.classes_[votes.argmax(axis=1)].astype(str)).all()


def test_votes_hold_at_the_splits_themselves_and_above_24_bits():
    x, y = made_up(1, 3, largest=12_900_000 * 8)
    tree = DecisionTreeClassifier(random_state=0).fit(x, y)
    at = np.floor(tree.tree_.threshold[tree.tree_.feature >= 0])
    near = np.concatenate([x[:, 0], at, at + 1, at - 1]).reshape(-1, 1)
    assert (convert(tree, x).predict(near) == tree.predict(near).astype(str)).all()


def test_digits_forest_takes_at_most_four_bytes_a_node():
    from sklearn.datasets import load_digits

    digits = load_digits()
    forest = RandomForestClassifier(10, max_leaf_nodes=100, random_state=1).fit(digits.data, digits.target)
    nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    model = convert(forest, digits.data)
    assert len(model.blob) <= 4 * nodes
    assert (model.predict(digits.data) == hard_votes(forest, digits.data).argmax(axis=1).astype(str)).all()


@pytest.fixture(scope="module")
def small():
    x, y = made_up(4, 3)
    return convert(RandomForestClassifier(5, max_leaf_nodes=8, random_state=0).fit(x, y), x, unsure_below=2)


def test_every_vm_agrees_on_every_row(small):
    readings, elapsed = made_up_rows(small)
    found = verify(small, readings, elapsed)
    assert [(a.vm, a.problem, a.equal) for a in found] == [
        ("unix, 64-bit, viper", "", 500),
        ("unix, 64-bit, bytecode", "", 500),
        ("WASI, 32-bit, bytecode", "", 500),
        ("micro:bit, Cortex-M0, bytecode", "", 400),
    ]


def test_wide_model_of_several_pages_agrees_on_every_vm():
    x, y = made_up(100, 10, rows=1500)
    y = np.random.default_rng(1).integers(0, 10, len(y))  # noise: deep trees, many pages
    model = convert(RandomForestClassifier(5, random_state=0).fit(x, y), x)
    assert isinstance(model.content.family, Forest)
    assert len(model.content.family.page_nodes) > 5
    readings, elapsed = made_up_rows(model)
    assert all(a.ok and a.equal == a.rows for a in verify(model, readings, elapsed, vms=["unix", "wasi"]))


def test_every_flipped_bit_and_every_truncation_is_refused(small):
    blob = small.blob
    for size in range(len(blob)):
        with pytest.raises(ModelError):
            Model(blob[:size])
    for bit in range(8 * len(blob)):
        damaged = bytearray(blob)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ModelError):
            Model(bytes(damaged))


def test_self_test_replays_the_golden_vectors(small):
    model = Model(small.blob)
    assert model.self_test() == len(small.content.golden) >= 4
    model.unsure_below = 99
    with pytest.raises(ModelError, match=r"golden vector \d+: expected"):
        model.self_test()


@pytest.fixture
def field_csv(tmp_path):
    rng = np.random.default_rng(3)
    lines = ["when,node,soil,air_c,state"]
    for node in "abc":
        level = 500.0
        for hour in range(120):
            level += rng.normal(0, 25)
            cell = "" if rng.random() < 0.03 else f"{level:.0f}"
            lines.append(f"2024-05-{1 + hour // 24:02d} {hour % 24:02d}:00,{node},{cell},{rng.normal(12, 4):.1f},")
            lines[-1] += "dry" if level < 500 else "wet"
    path = tmp_path / "field.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_train_predict_evaluate_verify_inspect_on_a_time_series(field_csv, tmp_path):
    out = tmp_path / "m"
    series = ["--time", "when", "--group", "node"]

    def run(*arguments):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    run("train", field_csv, "--label", "state", *series, "--out", out, "--budget", "10s")
    assert HostModel.open(out).content.interval_ms == 3_600_000
    host = run("predict", out, field_csv, *series)
    assert host.count("sensor fault") > 0
    assert run("predict", out, field_csv, *series, "--vm", "wasi") == host
    assert '"accuracy"' in run("evaluate", out, field_csv, "--label", "state", *series, "--json")
    run("verify", out, "--data", field_csv, *series, "--vm", "unix")
    assert '"slope"' in run("inspect", out, "--json")


def test_wrong_input_is_an_input_error_and_writes_nothing(field_csv, tmp_path):
    out = tmp_path / "m"
    result = CliRunner().invoke(app, ["train", str(field_csv), "--label", "stat", "--out", str(out)])
    assert isinstance(result.exception, InputError)
    assert "Did you mean 'state'?" in str(result.exception)
    assert not out.exists()
