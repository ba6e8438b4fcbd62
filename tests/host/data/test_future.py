"""Labels of the time ahead: what is known of it, and what isn't told to a model that is judged on it."""

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import Dataset
from dibble_tools.data.future import (
    Condition,
    apart,
    label_later,
    label_of_the_time_ahead,
    parse_condition,
    rows_later,
)
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.folds import Learner

MINUTE = 60_000


def dataset(soil, groups=None, minutes=None, labels=None):
    """Return a dataset of one column, a row a minute."""
    n = len(soil)
    return Dataset(
        "bed",
        ["soil"],
        np.array(soil, float)[:, None],
        None if labels is None else np.array(list(labels)),
        np.array(range(n) if minutes is None else minutes, np.int64) * MINUTE,
        None if groups is None else np.array(list(groups)),
        np.arange(n) + 2,
        [],
        "",
    )


def by_hand(soil, minutes, groups, ahead, bar):
    """Return for each row whether soil is below `bar` within `ahead` minutes; None where it isn't known."""
    found = []
    for i, now in enumerate(minutes):
        inside = [j for j in range(len(soil)) if groups[j] == groups[i] and now < minutes[j] <= now + ahead]
        last = max(minutes[j] for j in range(len(soil)) if groups[j] == groups[i])
        if any(soil[j] < bar for j in inside):
            found.append(True)
        else:
            whole = last >= now + ahead and sum(not np.isnan(soil[j]) for j in inside) >= 0.8 * ahead
            found.append(False if whole else None)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_what_comes_within_a_while_is_as_counted_by_hand(seed):
    rng = np.random.default_rng(seed)
    soil = rng.integers(0, 100, 60).astype(float)
    soil[rng.random(60) < 0.1] = np.nan
    steps = rng.choice([1, 1, 1, 1, 7], 60)
    groups = np.sort(rng.choice(list("ab"), 60))
    minutes = np.concatenate([np.cumsum(steps[groups == name]) for name in "ab"])
    expected = by_hand(soil, minutes.tolist(), groups.tolist(), 5, 8)
    found = label_of_the_time_ahead(dataset(soil, groups, minutes), Condition("dry", "soil", "<", 8), 5 * MINUTE)
    assert [expected[line - 2] for line in found.lines.tolist()] == (found.labels == "dry").tolist()
    assert set(range(60)) - {line - 2 for line in found.lines} == {
        i for i, known in enumerate(expected) if known is None
    }
    assert "isn't known: left out" in found.notes[0]


def test_a_label_comes_from_the_row_that_is_so_much_later():
    ds = dataset([1, 2, 3, 4, 5, 6], "aaaabb", [0, 1, 2, 5, 0, 2], "uvwxyz")
    assert rows_later(ds, 2 * MINUTE).tolist() == [2, -1, -1, -1, 5, -1]
    found = label_later(ds, 2 * MINUTE)
    assert (found.labels.tolist(), found.lines.tolist()) == (["w", "z"], [2, 6])
    assert found.now.tolist() == ["u", "y"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("soil < 200", Condition("soil < 200", "soil", "<", 200)),
        ("dry: soil_permille<=-3.5", Condition("dry", "soil_permille", "<=", -3.5)),
        ("frost : air temp (c) >= 0", Condition("frost", "air temp (c)", ">=", 0)),
        ("gate = 1", Condition("gate = 1", "gate", "=", 1)),
    ],
)
def test_conditions_are_read(text, expected):
    assert parse_condition(text) == expected


@pytest.mark.parametrize("text", ["soil", "soil < wet", "< 3", "soil <> 3"])
def test_what_is_no_condition_is_told(text):
    with pytest.raises(InputError, match="--when: expected"):
        parse_condition(text)


@pytest.mark.parametrize(("op", "expected"), [("<", "100"), ("<=", "110"), (">", "001"), (">=", "011"), ("==", "010")])
def test_comparisons(op, expected):
    values = np.array([1.0, 2.0, 3.0, np.nan])
    assert Condition("x", "soil", op, 2).holds(values).tolist() == [c == "1" for c in expected + "0"]


def test_rows_that_tell_of_a_time_that_is_judged_are_not_learned_from():
    ds = dataset(range(10), "aaaaaabbbb", [0, 1, 2, 3, 4, 5, 0, 1, 2, 3])
    held = np.array([4, 5])
    assert apart(ds, np.array([0, 1, 2, 3, 6, 7, 8, 9]), held, 2 * MINUTE).tolist() == [0, 1, 6, 7, 8, 9]
    assert apart(ds, np.array([0, 3]), held, 0).tolist() == [0, 3]


def drying(tmp_path, rows=400):
    """Return a file of a bed that dries for a day and is watered, a row every half hour."""
    lines = ["when,soil,air,label"]
    rng = np.random.default_rng(0)
    for i in range(rows):
        when = np.datetime64("2024-05-01T00:00") + np.timedelta64(30 * i, "m")
        lines.append(f"{when},{600 - 8 * (i % 48) + rng.normal(0, 4):.0f},{20 + rng.normal(0, 2):.1f},x")
    path = tmp_path / "bed.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_training_rows_keep_away_from_the_rows_held_out(tmp_path):
    options = DataOptions(None, "when", ignore=["label"], when="dry: soil < 300", ahead_ms=6 * 60 * MINUTE)
    data = prepare(drying(tmp_path), options)
    assert set(data.ds.labels) == {"dry", "not dry"}
    train, test = (data.ds.times_ms[part] for part in (data.split.train, data.split.test))
    gaps = [int(np.min(test[test > now] - now)) for now in train if (test > now).any()]
    assert min(gaps) > 6 * 60 * MINUTE
    assert (~data.split.train & ~data.split.test).sum() >= 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "label", "when": "soil < 3", "ahead_ms": 1}, "expected no --label label beside it"),
        ({"label": None, "when": "soil < 3"}, "--when: expected --ahead too"),
        ({"label": None, "when": "soil < 3", "ahead_ms": 1, "time": None}, "--ahead: expected --time too"),
        ({"label": None, "when": "sol < 3", "ahead_ms": 1}, "expected a column 'sol'; .* Did you mean 'soil'"),
        ({"label": "label", "ahead_ms": 9_000_000_000}, "expected rows of which the time ahead is known, got none"),
    ],
)
def test_what_cannot_be_told_ahead_says_why(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        prepare(
            drying(tmp_path), DataOptions(**{"time": "when", "ignore": [] if options["label"] else ["label"]} | options)
        )


def test_parts_that_know_one_class_only_are_not_learned_from(tmp_path):
    """A day of hours, a class every third, six hours ahead: hardly a row is left beside those that are scored."""
    path = tmp_path / "day.csv"
    rows = (f"2024-05-01 {h:02d}:00,{400 - h},{'dry' if h % 3 else 'wet'}" for h in range(24))
    path.write_text("time,soil,label\n" + "\n".join(rows) + "\n")
    data = prepare(path, DataOptions("label", time="time", ahead_ms=6 * 60 * MINUTE))
    y = np.unique(data.ds.labels, return_inverse=True)[1]
    learner = Learner(data, y, 2, parse_costs([], ["dry", "wet"]), 0.0, 0, 1)
    train = np.flatnonzero(data.split.train & data.whole)
    for seed in range(5):
        assert all(len(set(y[train][fit])) == 2 for fit, _ in learner.parts(train, seed))
    assert len(learner.training_set(train[y[train] == 0]).targets) == (y[train] == 0).sum()  # taught by labels alone
