"""Integer forests vote exactly as scikit-learn's own trees do."""

import re

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.feature_spec import offsets_of
from dibble_tools.families.forest.integer_trees import IntegerTrees, scores
from dibble_tools.families.forest.pages import PAGE_NODES, pack
from dibble_tools.families.forest.trees import hard_votes, trees_of
from dibble_tools.model import evaluator
from dibble_tools.model.bit_trees import BitTrees
from dibble_tools.model.content import Forest
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.oracle import class_scores
from helpers import integers_of, model_of
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

KINDS = (DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier)


def make(kind: type, seed: int = 0, **limits: object) -> object:
    trees = {} if kind is DecisionTreeClassifier else {"n_estimators": 8}
    return kind(random_state=seed, **trees, **limits)


def labelled(seed: int, rows: int, features: int, classes: int, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.integers(low, high + 1, (rows, features))
    y = np.argsort(np.argsort(x[:, 0] / 3 + x[:, features // 2] + x[:, -1] / 2)) * classes // rows
    noise = rng.random(rows) < 0.1
    y[noise] = rng.integers(0, classes, noise.sum())
    return x, y


def trees_votes(estimator: object, x: np.ndarray) -> np.ndarray:
    """Return the votes by each tree's public predict()."""
    trees = getattr(estimator, "estimators_", [estimator])
    names = list(trees[0].classes_)
    votes = np.zeros((len(x), len(names)), dtype=np.int64)
    for tree in trees:
        chosen = np.searchsorted(names, tree.predict(x.astype(np.float64)))
        votes[np.arange(len(x)), chosen] += 1
    return votes


def near_thresholds(estimator: object, x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return rows of x in which one value each is floor(threshold), or one to either side of it."""
    rng = np.random.default_rng(seed)
    rows = []
    for tree in trees_of(estimator):
        t = tree.tree_
        for node in np.flatnonzero(t.feature >= 0):
            for step in (-1, 0, 1):
                row = x[rng.integers(len(x))].copy()
                row[t.feature[node]] = int(np.floor(t.threshold[node])) + step
                rows.append(row)
    rows = np.array(rows) if rows else x
    return rows[rng.permutation(len(rows))[:4000]]


def board_votes(model: HostModel, x: np.ndarray) -> np.ndarray:
    values = evaluator.feature_values(model.content, offsets_of(x, model.channels))
    return class_scores(model.content, values)


def check(estimator: object, x: np.ndarray) -> HostModel:
    """Compare votes near every threshold, then a part of the decisions with the board's own code."""
    rows = np.concatenate([x, near_thresholds(estimator, x)])
    model = model_of(estimator, rows.min(axis=0), rows.max(axis=0))
    expected = trees_votes(estimator, rows)
    assert np.array_equal(board_votes(model, rows), expected)
    node = model.model
    for row, votes in zip(rows[:: max(len(rows) // 60, 1)].tolist(), expected[:: max(len(rows) // 60, 1)], strict=True):
        assert node.predict(row).class_index == votes.argmax()
        assert list(node.scores) == votes.tolist()
    return model


@pytest.mark.parametrize("classes", [2, 3, 22])
@pytest.mark.parametrize("kind", KINDS)
def test_votes_are_exact_on_small_integers(kind: type, classes: int) -> None:
    x, y = labelled(classes, 600, 5, classes, -200, 200)
    check(make(kind).fit(x, y), x)


@pytest.mark.parametrize("classes", [2, 5, 22])
@pytest.mark.parametrize("kind", KINDS)
def test_votes_are_exact_on_wide_integers(kind: type, classes: int) -> None:
    x, y = labelled(classes, 600, 4, classes, -90_000, 8_000_000)
    check(make(kind).fit(x, y), x)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", KINDS)
def test_votes_are_exact_where_float32_rounds(kind: type, sign: int) -> None:
    x, y = labelled(7, 500, 3, 4, 2**24 - 1000, 2**29)
    x[: len(x) // 2] = 2**24 + x[: len(x) // 2] % 512  # neighbours that float32 can't tell apart
    x = sign * x
    estimator = make(kind).fit(x, y)
    rng = np.random.default_rng(1)
    assert np.any(x != x.astype(np.float32).astype(np.int64))
    rows = near_thresholds(estimator, x)
    more = rows[rng.integers(0, len(rows), 3000)] + rng.integers(-40, 41, (3000, 3))
    check(estimator, np.concatenate([x, more]))


@pytest.mark.parametrize("features", [64, 128])
def test_votes_are_exact_with_many_features(features: int) -> None:
    x, y = labelled(features, 500, features, 6, -3000, 3000)
    check(make(RandomForestClassifier).fit(x, y), x)


def test_hard_votes_are_the_trees_own() -> None:
    x, y = labelled(3, 400, 4, 5, -500, 500)
    for kind in KINDS:
        estimator = make(kind).fit(x, y)
        assert np.array_equal(hard_votes(estimator, x), trees_votes(estimator, x))


def test_single_leaf_always_answers_the_same() -> None:
    x, y = labelled(4, 100, 2, 3, 0, 50)
    tree = DecisionTreeClassifier(min_samples_leaf=60).fit(x, y)
    assert tree.tree_.node_count == 1
    check(tree, x)


def test_values_that_floats_of_32_bits_merge_are_told_apart() -> None:
    limit = (1 << 30) - 2
    cuts = [(1 << 24) + 1, (1 << 29) - 1, (1 << 29) + 1, limit - 1]
    nodes = [(0, cut, -1 - i, -2 - i) for i, cut in enumerate(cuts)]
    trees = IntegerTrees(nodes, list(range(len(cuts))), len(cuts) + 1)
    values = np.array([[cut + step] for cut in cuts for step in (-1, 0, 1)])
    assert np.array_equal(BitTrees(trees).scores(values.T).T, scores(trees, values))


def test_sums_of_many_classes_of_16_bits_do_not_meet() -> None:
    leaves = [(k, 255) for k in range(9)]
    nodes = [(0, k % 9, -1 - k % 9, -1 - (k + 1) % 9) for k in range(200)]
    trees = IntegerTrees(nodes, list(range(200)), 9, leaves, [65535 - 255 * 60] * 9)
    trees.check()
    values = np.arange(12).reshape(-1, 1)
    assert np.array_equal(BitTrees(trees).scores(values.T).T, scores(trees, values))


def test_single_class_has_one_answer() -> None:
    x = np.arange(20).reshape(-1, 2)
    model = check(RandomForestClassifier(3, random_state=0).fit(x, np.zeros(10)), x)
    assert model.classes == ("0.0",)


def test_large_tree_goes_over_several_pages() -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(-5000, 5000, (3000, 4))
    model = check(DecisionTreeClassifier(random_state=0).fit(x, rng.integers(0, 3, 3000)), x)
    family = model.content.family
    assert isinstance(family, Forest)
    assert len(family.page_nodes) > 9
    assert max(family.page_nodes) <= PAGE_NODES


def test_feature_with_more_than_255_thresholds_is_coded_in_parts() -> None:
    rng = np.random.default_rng(6)
    x = rng.integers(-30_000, 30_000, (2500, 1))
    tree = DecisionTreeClassifier(random_state=0).fit(x, rng.integers(0, 2, 2500))
    model = check(tree, x)
    assert isinstance(model.content.family, Forest)
    counts = list(map(len, model.content.family.thresholds))
    assert len(counts) > 1
    assert max(counts) == 255
    assert sum(counts) == len({split[1] for split in integers_of(tree).nodes})


def test_string_classes_keep_their_order() -> None:
    x, y = labelled(8, 200, 3, 3, 0, 400)
    names = np.array(["wet", "dry", "moist"])[y]
    estimator = RandomForestClassifier(5, random_state=0).fit(x, names)
    model = model_of(estimator, x.min(axis=0), x.max(axis=0))
    assert model.classes == ("dry", "moist", "wet")
    assert np.array_equal(board_votes(model, x), hard_votes(estimator, x))


def test_digits_forest_takes_at_most_four_bytes_a_node() -> None:
    x, y = load_digits(return_X_y=True)
    x = x.astype(np.int64)
    forest = RandomForestClassifier(10, max_leaf_nodes=100, random_state=0).fit(x, y)
    model = check(forest, x)
    nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    assert nodes == 1990
    assert len(model.blob) <= 4 * nodes


def test_equal_subtrees_are_stored_once() -> None:
    x, y = labelled(9, 300, 3, 2, 0, 100)
    forest = RandomForestClassifier(4, random_state=0, max_leaf_nodes=10).fit(x, y)
    once = len(integers_of(forest).nodes)
    forest.estimators_ = forest.estimators_ * 2
    assert len(integers_of(forest).nodes) == once
    assert np.array_equal(board_votes(model_of(forest, [0] * 3, [100] * 3), x), trees_votes(forest, x))


def test_estimator_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(InputError, match=re.escape("expected a fitted DecisionTreeClassifier: call its fit(X, y)")):
        trees_of(DecisionTreeClassifier())


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_forest_that_is_not_fitted_is_refused(kind: type) -> None:
    with pytest.raises(InputError, match=f"expected a fitted {kind.__name__}"):
        trees_of(kind())


@pytest.mark.parametrize("kind", [DecisionTreeRegressor, GradientBoostingClassifier, LogisticRegression])
def test_other_estimators_are_refused(kind: type) -> None:
    x, y = labelled(1, 60, 2, 2, 0, 9)
    with pytest.raises(InputError, match=f"expected a DecisionTree, RandomForest or ExtraTrees .* got {kind.__name__}"):
        trees_of(kind().fit(x, y))


def test_several_labels_a_row_are_refused() -> None:
    x, y = labelled(1, 60, 2, 2, 0, 9)
    with pytest.raises(InputError, match="expected one label a row, got a classifier fitted on 2"):
        trees_of(DecisionTreeClassifier().fit(x, np.column_stack([y, y])))


def test_hundred_classes_are_exact_and_one_more_is_refused() -> None:
    x = np.arange(303).reshape(-1, 1)
    check(DecisionTreeClassifier(random_state=0).fit(x[:300], x[:300, 0] // 3), x[:300])
    tree = DecisionTreeClassifier(random_state=0).fit(x, x[:, 0] // 3)
    with pytest.raises(InputError, match="expected at most 100 classes, got 101"):
        pack(integers_of(tree), 1)
