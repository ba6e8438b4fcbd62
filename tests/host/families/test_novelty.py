"""Novelty: usual rows pass at the stated rate, combinations never seen don't."""

import itertools

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.families.novelty import Novelty, fit_novelty

LIMITS = [1000, 1000, 1000, 5]
LOWS = [0] * 4


def rows(seed: int, n: int) -> np.ndarray:
    """Return rows in which the second feature follows the first, and the others follow nothing."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 1001, n)
    y = np.clip(x + rng.normal(0, 20, n).astype(int), 0, 1000)
    return np.stack([x, y, rng.integers(0, 1001, n), rng.integers(0, 6, n)], axis=1)


def size(novelty: Novelty) -> int:
    return sum(term.table.size for term in novelty.tables.terms)


@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_usual_rows_are_flagged_at_about_the_stated_rate(rate: float) -> None:
    novelty = fit_novelty(rows(0, 4000), LIMITS, LOWS, rate)
    assert rate / 3 < novelty.is_novel(rows(1, 10_000), LIMITS).mean() < rate * 1.5


def test_combinations_never_seen_are_novel_though_each_value_is_usual() -> None:
    novelty = fit_novelty(rows(0, 4000), LIMITS, LOWS, 0.01)
    broken = rows(2, 2000)
    broken[:, 1] = 1000 - broken[:, 0]
    far = np.abs(broken[:, 0] - broken[:, 1]) > 400
    assert novelty.is_novel(broken[far], LIMITS).mean() > 0.95


def test_the_tree_takes_the_pair_that_tells_most() -> None:
    tables = fit_novelty(rows(0, 2000), LIMITS, LOWS, 0.01).tables
    pairs = [set(term.features) for term in tables.terms if len(term.features) == 2]
    assert {0, 1} in pairs and len(pairs) == 3
    assert [len(term.features) for term in tables.terms] == [1, 2, 2, 2]


def test_the_density_sums_to_one() -> None:
    values = np.random.default_rng(0).integers(0, 3, (400, 3))
    values[:, 1] = values[:, 0] ^ (values[:, 1] > 1)
    values = np.minimum(values, 2)
    tables = fit_novelty(values, [2, 2, 2], [0] * 3, 0.01, bins=3).tables
    every = np.array(list(itertools.product(range(3), repeat=3)))
    nats = tables.scores(every, [2, 2, 2])[:, 1] / tables.margin_unit
    share = np.exp(nats) / np.exp(nats).sum()
    seen = np.array([np.mean((values == row).all(axis=1)) for row in every])
    assert np.abs(share - seen).max() < 0.03


def test_scores_fit_and_start_at_zero() -> None:
    tables = fit_novelty(rows(0, 1000), LIMITS, LOWS, 0.01, bins=8).tables
    tables.check()
    assert (tables.classes, tables.base) == (2, [0, 0])


@pytest.mark.parametrize("room", [12, 30, 60, 100, 120])
def test_tables_keep_within_max_bytes(room: int) -> None:
    novelty = fit_novelty(rows(0, 1000), LIMITS, LOWS, 0.01, max_bytes=room)
    assert 12 <= size(novelty) <= room
    assert {0, 1} in [set(term.features) for term in novelty.tables.terms]


@pytest.mark.parametrize(("options", "message"), [({"rate": 0.0}, "rate"), ({"rate": 1.0}, "rate"), ({}, "max_bytes")])
def test_what_cannot_be_met_is_an_input_error(options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_novelty(rows(0, 100), LIMITS, LOWS, options.get("rate", 0.01), max_bytes=11)


def test_parts_by_group_allow_for_drift_between_groups() -> None:
    values = rows(0, 2000)
    group = np.arange(2000) // 500
    values[:, 2] = values[:, 2] // 8 + group * 250
    parts = [(np.flatnonzero(group != g), np.flatnonzero(group == g)) for g in range(4)]
    at_random, by_group = (fit_novelty(values, LIMITS, LOWS, 0.01, parts=p) for p in (None, parts))
    assert by_group.threshold < at_random.threshold


def test_features_left_out_do_not_matter() -> None:
    novelty = fit_novelty(rows(0, 1000), LIMITS, LOWS, 0.01, features=[1, 0])
    assert [scaler is None for scaler in novelty.tables.scalers] == [False, False, True, True]


def test_a_single_feature_has_its_own_density() -> None:
    novelty = fit_novelty(rows(0, 1000), LIMITS, LOWS, 0.01, features=[0])
    assert [term.features for term in novelty.tables.terms] == [(0,)]


def test_same_rows_give_the_same_bytes() -> None:
    one, other = (fit_novelty(rows(0, 500), LIMITS, LOWS, 0.02) for _ in range(2))
    assert one.threshold == other.threshold
    assert [t.table.tobytes() for t in one.tables.terms] == [t.table.tobytes() for t in other.tables.terms]
