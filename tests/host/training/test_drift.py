"""Features that drift between groups: found by rank, told, left out where that helps."""

import numpy as np
import pytest
from dibble_tools.data.prepare import DataOptions
from dibble_tools.model.limits import Limits
from dibble_tools.training.drift import drifting, note, without
from dibble_tools.training.result import Clock, TrainOptions
from dibble_tools.training.train import learn

GROUPS, ROWS = 6, 60


def readings(seed: int, *, alone: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (values, y, units) of channels gas, warmth, noise; warmth differs by group.

    Each group is mostly of one class, so that who knows the group by its warmth has a good guess, on groups
    that it saw; the gas tells the class anywhere. `alone`: warmth is all that tells the class, and groups are mixed.
    """
    rng = np.random.default_rng(seed)
    units = np.repeat(np.arange(GROUPS), ROWS)
    y = (units + (rng.random(len(units)) < (0.5 if alone else 0.2))) % 2
    level = rng.permutation(GROUPS)[units]
    gas = rng.normal(0, 10, len(y)) + 15 * y * (not alone)
    warmth = rng.normal(0, 5, len(y)) + (20 * level + 30 * y if alone else 30 * level)
    return np.rint(np.column_stack([gas, warmth, rng.normal(0, 9, len(y))]) + 200).astype(np.int64), y, units


@pytest.mark.parametrize("seed", range(5))
def test_what_differs_by_group_more_than_by_class_drifts(seed: int) -> None:
    values, y, units = readings(seed)
    assert drifting(values, y, units) == {1}
    assert drifting(np.exp(values / 50).astype(np.int64), y, units) == {1}  # by rank: any scale
    assert drifting(values, y, np.zeros_like(units)) == frozenset()


def test_a_class_of_one_group_is_no_drift() -> None:
    """Groups of other classes lie apart because classes do."""
    y = np.repeat([0, 1, 0, 1], 50)
    values = (y * 100 + np.random.default_rng(0).integers(0, 40, 200))[:, None]
    assert drifting(values, y, np.repeat([0, 1, 2, 3], 50)) == frozenset()


def test_the_order_keeps_one_feature_at_least() -> None:
    assert without([2, 0, 1], frozenset({0})) == [2, 1]
    assert without([2, 0], frozenset({0, 2})) == [2]


def test_the_note_says_what_was_done() -> None:
    assert note(["t"], (0.9, 0.95), left_out=True) == (
        "t drifts between groups more than between classes: left out "
        "(quick models, cross-validated: 90.0 % with it, 95.0 % without)"
    )
    said = note([f"c{i}" for i in range(7)], None, left_out=False)
    assert said.startswith("c0, c1, c2, c3, c4 and 2 more drift between groups")
    assert said.endswith("kept, as leaving them out didn't help")


@pytest.mark.parametrize("alone", [False, True])
def test_it_is_left_out_where_the_others_tell_enough(tmp_path, alone: bool) -> None:
    """Where nothing else tells the classes apart, the drifting channel stays."""
    values, y, units = readings(1, alone=alone)
    rows = [f"{a},{b},{c},{'xy'[k]},g{g}" for (a, b, c), k, g in zip(values, y, units, strict=True)]
    path = tmp_path / "nose.csv"
    path.write_text("gas,warmth,noise,label,group\n" + "\n".join(rows) + "\n")
    data = DataOptions(label="label", group="group")
    options = TrainOptions(data, recipe="additive:8+0@3", limits=Limits(max_bytes=2048), jobs=1, refit=False)
    done = learn(path, options, Clock(60.0))
    told = [text for text in done.data.notes if text.startswith("warmth drifts between groups")]
    assert len(told) == 1
    assert ("left out" in told[0]) == (not alone) == (1 not in done.order)
    assert (1 in done.judged.student.columns) == alone
    assert all((1 in fold.order) == alone for fold in done.task.folds)
