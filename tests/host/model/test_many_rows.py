"""Many rows of a forest at once, by columns and bits: the same as row by row, whatever the numbers are kept in."""

import numpy as np
import pytest
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble_tools.data.channels import to_values
from dibble_tools.families.forest.integer_trees import IntegerTrees, scores
from dibble_tools.model import bit_trees, columns
from dibble_tools.model.bit_trees import BitTrees
from random_models import Case, random_case

ROWS = 300
LIMITS = (1, 7, 255, 256, 65_535, 65_536, READING_LIMIT - 1)


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bit_trees, "FEW_ROWS", 0)
    monkeypatch.setattr(columns, "PIECE_ROWS", 64)


def random_trees(rng: np.random.Generator, limit: int) -> IntegerTrees:
    """Return trees that share splits, some of one leaf, of votes or of amounts, 0 among them."""
    classes, leaves = int(rng.integers(1, 6)), int(rng.integers(1, 30))
    gives = (
        [(int(rng.integers(classes)), int(rng.integers(256))) for _ in range(leaves)] if rng.random() < 0.7 else None
    )
    ends = len(gives or range(classes))
    nodes = []
    for i in range(int(rng.integers(60))):
        children = (int(rng.integers(-ends, i if rng.random() < 0.6 else 0)) for _ in range(2))
        nodes.append((int(rng.integers(3)), int(rng.integers(limit)), *children))
    roots = [int(root) for root in rng.integers(-ends, len(nodes), rng.integers(12))]
    return IntegerTrees(nodes, roots, classes, gives, [int(base) for base in rng.integers(0, 50_000, classes)])


@pytest.mark.parametrize("limit", LIMITS)
def test_bits_sum_as_a_walk_does(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(limit)
    for _ in range(15):
        trees = random_trees(rng, limit)
        values = rng.integers(0, limit, (3, int(rng.choice([1, 7, 8, 9, 100]))), endpoint=True)
        found = BitTrees(trees).scores(values.astype(np.min_scalar_type(limit)))
        assert np.array_equal(found.T, scores(trees, values.T))


def test_more_rows_than_are_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bit_trees, "MANY_ROWS", 40)
    rng = np.random.default_rng(0)
    trees, values = random_trees(rng, 255), rng.integers(0, 256, (3, 101))
    assert np.array_equal(BitTrees(trees).scores(values).T, scores(trees, values.T))


def row_by_row(case: Case) -> list[tuple[int, ...]]:
    """Return what the firmware decides."""
    node, found = case.model.model, []
    node.restart()
    for i, row in enumerate(case.readings.tolist()):
        d = node.predict(row, None if case.elapsed_ms is None else int(case.elapsed_ms[i]))
        found.append((d.class_index, d.margin, d.flags, d.channel, d.held_index))
    node.restart()
    return found


@pytest.mark.parametrize("seed", range(16))
def test_decisions_are_the_nodes_whatever_the_numbers_are_kept_in(seed: int) -> None:
    case = random_case(seed, ROWS, ["forest", "boosted"])
    expected = row_by_row(case)

    def decided(readings: np.ndarray) -> list[tuple[int, ...]]:
        return [tuple(row) for row in case.model.decide(readings, case.elapsed_ms).columns().tolist()]

    assert decided(case.readings) == expected
    assert decided(case.readings.astype(np.int32)) == expected
    floats = np.where(case.readings == MISSING, np.nan, case.readings)
    assert decided(floats) == expected
    assert decided(floats + np.random.default_rng(seed).uniform(-0.5, 0.499, floats.shape)) == expected
    small = np.where(np.abs(case.readings) < 1 << 24, floats, np.nan).astype(np.float32)
    assert np.array_equal(decided(small), decided(np.where(np.isnan(small), MISSING, case.readings)))


@pytest.mark.parametrize("seed", range(4))
def test_predictions_of_values_are_those_of_their_readings(seed: int) -> None:
    case = random_case(2 * seed, ROWS, ["forest"])
    values = np.column_stack([to_values(case.readings[:, i], c) for i, c in enumerate(case.model.channels)])
    names = np.array([*case.model.classes, ""])
    if case.model.content.number is None and case.elapsed_ms is None:
        assert case.model.predict(values).tolist() == names[case.expected.class_index].tolist()
