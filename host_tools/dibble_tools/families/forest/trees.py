"""Forest family: fitted scikit-learn trees -> integer splits that send every row to the same leaf."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import BaseEnsemble, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from dibble_tools.common.errors import InputError
from dibble_tools.families.forest.integer_trees import IntegerTrees
from dibble_tools.families.forest.pruning import prune
from dibble_tools.families.forest.tree_sharing import ALL_LEFT, ALL_RIGHT, Grown, share, without_one_way


def fit(
    values: np.ndarray, labels: np.ndarray, *, trees: int, leaves: int, balance: float, seed: int
) -> RandomForestClassifier:
    """Fit a forest to integer feature values (rows, features).

    Args:
        trees, leaves: number of trees, and of leaves a tree at most.
        balance: 0 takes classes as they come, 1 weighs a rare class as much as a common one:
            a row weighs its class's share to the power -balance.
    """
    names, counts = np.unique(labels, return_counts=True)
    weights = dict(zip(names, (counts / counts.sum()) ** -balance, strict=True))
    forest = RandomForestClassifier(trees, max_leaf_nodes=leaves, class_weight=weights, random_state=seed, n_jobs=-1)
    return forest.fit(values, labels)


def trees_of(estimator: object) -> list[DecisionTreeClassifier]:
    """Return the fitted decision trees of a DecisionTree, RandomForest or ExtraTrees classifier."""
    trees = [estimator]
    if isinstance(estimator, BaseEnsemble):
        if not hasattr(estimator, "estimators_"):
            raise InputError(f"expected a fitted {type(estimator).__name__}: call its fit(X, y) first")
        trees = list(estimator.estimators_)
    for tree in trees:
        if not isinstance(tree, DecisionTreeClassifier):
            raise InputError(
                "expected a DecisionTree, RandomForest or ExtraTrees classifier from scikit-learn, "
                f"got {type(estimator).__name__}"
            )
        if not hasattr(tree, "tree_"):
            raise InputError(f"expected a fitted {type(estimator).__name__}: call its fit(X, y) first")
        if tree.n_outputs_ != 1:
            raise InputError(f"expected one label a row, got a classifier fitted on {tree.n_outputs_}")
    return trees


def hard_votes(estimator: object, x: np.ndarray) -> np.ndarray:
    """Return how many of scikit-learn's own trees vote for each class: (rows, classes) ints."""
    trees = trees_of(estimator)
    votes = np.zeros((len(x), len(estimator.classes_)), dtype=np.int64)  # type: ignore[attr-defined]
    rows = np.arange(len(x))
    single = np.asarray(x, dtype=np.float32)
    for tree in trees:
        leaf = tree.tree_.apply(single)
        votes[rows, tree.tree_.value[leaf, 0].argmax(axis=1)] += 1
    return votes


def integer_trees(
    estimator: object, to_input: Callable[[int, np.ndarray], np.ndarray], splits: int | None = None
) -> IntegerTrees:
    """Return the estimator's trees over integers, each voting exactly as scikit-learn's does, or pruned.

    scikit-learn rounds an input to float32 and goes left when it is <= threshold. The integer
    threshold is the largest integer whose input goes left.

    Args:
        estimator: see `trees_of`.
        to_input: (feature, integers) -> what scikit-learn is given for them, float64; increasing.
        splits: how many to prune to, those first by which the fewest rows that the estimator was fitted on
            change sides: cost-complexity pruning by misclassified rows; None prunes none.
    """
    trees = [tree.tree_ for tree in trees_of(estimator)]
    grown = [
        Grown(t.feature, thresholds, t.children_left, t.children_right, t.value[:, 0].argmax(axis=1))
        for t, thresholds in zip(trees, integer_thresholds(trees, to_input), strict=True)
    ]
    grown = [without_one_way(tree) for tree in grown]
    if splits is not None:
        grown = prune(grown, [_misclassified(tree) for tree in trees_of(estimator)], splits)
    nodes, roots = share(grown)
    return IntegerTrees(nodes, roots, len(estimator.classes_))  # type: ignore[attr-defined]


def integer_thresholds(
    trees: Sequence[Any], to_input: Callable[[int, np.ndarray], np.ndarray], width: type = np.float32
) -> list[np.ndarray]:
    """Return for each tree the largest integer that each split sends left; anything for a leaf.

    A split that sends all readings one way (one that only sets missing ones apart has the threshold
    infinity) has `ALL_LEFT` or `ALL_RIGHT`.

    Args:
        trees: scikit-learn's `estimator.tree_`, or what has `feature` and `threshold` as they do.
        to_input: see `integer_trees`.
        width: what an input is rounded to before it is compared.
    """
    features = np.concatenate([tree.feature for tree in trees])
    thresholds = np.concatenate([tree.threshold for tree in trees])
    found = np.zeros(len(features), dtype=np.int64)
    for feature in np.unique(features[features >= 0]).tolist():
        at = np.flatnonzero(features == feature)
        distinct, which = np.unique(thresholds[at], return_inverse=True)
        found[at] = _largest_below(distinct, to_input, feature, width)[which]
    return np.split(found, np.cumsum([len(tree.feature) for tree in trees])[:-1])


def _misclassified(tree: DecisionTreeClassifier) -> np.ndarray:
    """Return the weight of the rows at each node that are of another class than most."""
    counts = tree.tree_.value[:, 0]
    return tree.tree_.weighted_n_node_samples * (1 - counts.max(axis=1) / counts.sum(axis=1))


def _largest_below(
    thresholds: np.ndarray, to_input: Callable[[int, np.ndarray], np.ndarray], feature: int, width: type
) -> np.ndarray:
    """Return the largest reading whose input is <= each threshold, by bisection of all there can be."""
    low, high = np.full(len(thresholds), ALL_RIGHT), np.full(len(thresholds), ALL_LEFT)
    while np.any(high - low > 1):
        middle = (low + high) >> 1
        goes_left = to_input(feature, middle).astype(width) <= thresholds
        low, high = np.where(goes_left, middle, low), np.where(goes_left, high, middle)
    return np.where(high == ALL_LEFT, ALL_LEFT, low)
