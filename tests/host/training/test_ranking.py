"""Ranking: what tells most goes first, what repeats it doesn't follow."""

import numpy as np
from dibble_tools.training.ranking import rank_features

ROWS = 1000


def made(columns):
    """Return int values 0..1000 from float columns about -3..3."""
    return np.clip(np.column_stack(columns) * 150 + 500, 0, 1000).astype(np.int64)


def rank(values, told, most=9, weights=None, bytes_of=None):
    """Rank features for two classes of which `told`, bool, says the second."""
    features = values.shape[1]
    targets = np.column_stack([~told, told]).astype(float)
    weights = np.ones(len(values)) if weights is None else weights
    return rank_features(values, [1000] * features, [0] * features, targets, weights, most=most, bytes_of=bytes_of)


def normal(count, seed=0):
    return list(np.random.default_rng(seed).normal(size=(count, ROWS)))


def test_the_telling_feature_is_first_and_its_copy_is_not_second():
    noise, weak, strong = normal(3)
    values = made([noise, weak, strong, strong])
    order = rank(values, 2 * strong + weak > 0)
    assert order[:2] == [2, 1]
    assert sorted(order) == [0, 1, 2, 3]


def test_a_scaled_copy_tells_nothing_new():
    noise, weak, strong = normal(3)
    order = rank(made([strong, -strong / 2, strong + 0.01 * noise, weak]), 3 * strong + weak > 0, most=2)
    assert order[1] == 3


def test_at_most_so_many_are_returned():
    values = made(normal(5))
    assert len(rank(values, values[:, 0] > 500, most=3)) == 3
    assert rank(values, values[:, 0] > 500, most=0) == []


def test_a_feature_that_tells_by_its_middle_is_found():
    """Neither end of x1 is one class: a line has no slope there."""
    x = normal(3)
    assert rank(made(x), np.abs(x[1]) < 0.6)[0] == 1


def test_features_that_tell_only_together_with_another_follow_it():
    """x1 is x0 with an error that x2 measures: alone x2 tells nothing, beside x1 it is worth more than x3."""
    error, truth, weak = normal(3)
    values = made([truth + error, error, 0.2 * truth + weak])
    assert rank(values, truth > 0, most=2) == [0, 1]


def test_a_constant_comes_last():
    x = normal(2)
    assert rank(made([np.zeros(ROWS), *x]), x[1] > 0) in ([2, 1, 0], [2, 0, 1])
    assert rank(made([np.zeros(ROWS), *x]), x[1] > 0, most=1) == [2]


def test_rows_of_weight_zero_do_not_count():
    left, right = normal(2)
    first = np.arange(ROWS) < ROWS // 2
    told = np.where(first, left > 0, right > 0)
    assert rank(made([left, right]), told, weights=2.0 * first)[0] == 0
    assert rank(made([left, right]), told, weights=2.0 * ~first)[0] == 1


def test_of_two_equals_the_cheaper_is_first():
    noise, strong = normal(2)
    values = made([strong, strong, noise])
    assert rank(values, strong > 0, bytes_of=[9, 5, 1])[0] == 1
    assert rank(values, strong > 0, bytes_of=[5, 9, 1])[0] == 0


def test_the_scale_of_a_feature_does_not_matter():
    x = normal(3)
    values = made(x)
    small = values // np.array([1, 20, 1])
    assert rank(values, x[1] + x[2] / 2 > 0)[:2] == [1, 2] == rank(small, x[1] + x[2] / 2 > 0)[:2]


def test_many_rows_and_features_are_ranked():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1000, (5000, 40))
    assert rank(values, values[:, 33] + values[:, 5] // 2 > 750, most=2) == [33, 5]
