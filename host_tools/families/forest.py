"""Forest family: fitted scikit-learn trees -> integer splits with identical votes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import BaseEnsemble, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from host_tools.errors import InputError

Split = tuple[int, int, int, int]  # feature, threshold, left, right; a child < 0 is the class -1 - child


@dataclass(frozen=True)
class IntegerTrees:
    """Trees over integer features, equal subtrees shared.

    Attributes:
        nodes: split -> (feature, threshold, left, right); an input goes left when it is <= threshold.
            Children come before their parents.
        roots: a node, or a class as -1 - class, for each tree.
        classes: number of classes.
    """

    nodes: list[Split]
    roots: list[int]
    classes: int


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
    estimator: object,
    to_input: Callable[[int, np.ndarray], np.ndarray],
    guess: Callable[[int, np.ndarray], np.ndarray],
) -> IntegerTrees:
    """Return the estimator's trees over integers, each voting exactly as scikit-learn's does.

    scikit-learn rounds an input to float32 and goes left when it is <= threshold. The integer
    threshold is the largest integer whose input goes left: for integers below 2**24, floor(threshold).

    Args:
        estimator: see `trees_of`.
        to_input: (feature, integers) -> what scikit-learn is given for them, float64; increasing.
        guess: (feature, thresholds) -> integers near the answer.
    """
    nodes: list[Split] = []
    known: dict[Split, int] = {}
    roots = []
    for tree in trees_of(estimator):
        t = tree.tree_
        thresholds = np.zeros(t.node_count, dtype=np.int64)
        for feature in np.unique(t.feature[t.feature >= 0]):
            at = t.feature == feature
            thresholds[at] = _largest_below(t.threshold[at], to_input, guess, int(feature))
        votes = t.value[:, 0].argmax(axis=1)
        where = [0] * t.node_count
        for i in range(t.node_count - 1, -1, -1):  # scikit-learn numbers children after their parent
            if t.children_left[i] < 0:
                where[i] = -1 - int(votes[i])
                continue
            left, right = where[t.children_left[i]], where[t.children_right[i]]
            if left == right:  # both sides vote alike: the split decides nothing
                where[i] = left
                continue
            split = (int(t.feature[i]), int(thresholds[i]), left, right)
            if split not in known:
                known[split] = len(nodes)
                nodes.append(split)
            where[i] = known[split]
        roots.append(where[0])
    return IntegerTrees(nodes, roots, len(estimator.classes_))  # type: ignore[attr-defined]


def _largest_below(
    thresholds: np.ndarray,
    to_input: Callable[[int, np.ndarray], np.ndarray],
    guess: Callable[[int, np.ndarray], np.ndarray],
    feature: int,
) -> np.ndarray:
    """Return the largest integers whose float32 input is <= each threshold, by bisection around the guess."""
    near = guess(feature, thresholds)
    low, high = near - 256, near + 256  # float32 steps are at most 64 apart below 2**30
    while np.any(high - low > 1):
        middle = (low + high) >> 1
        goes_left = to_input(feature, middle).astype(np.float32) <= thresholds
        low, high = np.where(goes_left, middle, low), np.where(goes_left, high, middle)
    return low


def used_features(trees: IntegerTrees) -> list[int]:
    """Return the features that some split asks about, ascending."""
    return sorted({split[0] for split in reachable(trees)})


def reachable(trees: IntegerTrees) -> list[Split]:
    """Return the splits that some tree can come to."""
    seen: set[int] = set()
    stack = [root for root in trees.roots if root >= 0]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(child for child in trees.nodes[node][2:] if child >= 0)
    return [trees.nodes[node] for node in sorted(seen)]


def renumber(trees: IntegerTrees, features: Sequence[int]) -> IntegerTrees:
    """Return the same trees over `features` only, in that order."""
    new = {feature: i for i, feature in enumerate(features)}
    nodes = [(new.get(f, 0), t, left, right) for f, t, left, right in trees.nodes]
    return IntegerTrees(nodes, trees.roots, trees.classes)


def shift(trees: IntegerTrees, lows: Sequence[int]) -> IntegerTrees:
    """Return the same trees over offsets above `lows`, one a feature."""
    nodes = [(f, t - lows[f], left, right) for f, t, left, right in trees.nodes]
    return IntegerTrees(nodes, trees.roots, trees.classes)
