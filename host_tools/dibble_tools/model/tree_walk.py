"""Scores of an integer forest on many rows: walked by scikit-learn's compiled trees, filled with ours."""

from collections.abc import Sequence

import numpy as np
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree

from dibble_tools.families.forest.integer_trees import IntegerTrees, highest_scores

EXACT_FLOAT32 = 1 << 24  # integers up to here are floats of 32 bits, which is what those trees compare
WORD_BITS = 63


class TreeWalk:
    """A forest that is ready to run.

    Args:
        trees: over feature values >= 0.
        limits: largest value of each feature.
    """

    def __init__(self, trees: IntegerTrees, limits: Sequence[int]) -> None:
        self.classes = trees.classes
        split = np.array(trees.nodes, dtype=np.int64).reshape(-1, 4)
        # A feature that floats don't hold is asked for its rank among its thresholds.
        self.ranked: list[tuple[int, np.ndarray]] = []
        for feature in range(len(limits)):
            at = split[:, 0] == feature
            if limits[feature] >= EXACT_FLOAT32 and at.any():
                cuts = np.unique(split[at, 1])
                split[at, 1] = np.searchsorted(cuts, split[at, 1])
                self.ranked.append((feature, cuts))
        self.trees = [_compiled(split, root, len(limits)) for root in trees.roots]
        # Sums of several classes side by side in an int of 64 bits, as no sum overflows its bits.
        self.base = np.array(trees.base, dtype=np.int64)
        highest = max(highest_scores(trees))
        self.bits = max(highest.bit_length(), 1)
        self.together = max(WORD_BITS // self.bits, 1)
        gives = np.array(trees.gives, dtype=np.int64)
        self.words = -(-self.classes // self.together)
        self.packed = np.zeros((self.words, len(gives)), dtype=np.int64)
        word, place = np.divmod(gives[:, 0], self.together)
        self.packed[word, np.arange(len(gives))] = gives[:, 1] << place * self.bits

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Return each class's score, int64 (classes, rows), for feature values (rows, features)."""
        singles = values.astype(np.float32)
        for feature, cuts in self.ranked:
            singles[:, feature] = np.searchsorted(cuts, values[:, feature], side="left")
        sums = np.zeros((self.words, len(values)), dtype=np.int64)
        for tree, leaf_of in self.trees:
            leaf = leaf_of[tree.apply(singles)]
            for word in range(self.words):
                sums[word] += self.packed[word][leaf]
        out = np.empty((self.classes, len(values)), dtype=np.int64)
        for k in range(self.classes):
            word, place = divmod(k, self.together)
            out[k] = (sums[word] >> place * self.bits & (1 << self.bits) - 1) + self.base[k]
        return out


def _compiled(split: np.ndarray, root: int, features: int) -> tuple[Tree, np.ndarray]:
    """Return one tree as scikit-learn's, and the leaf that each of its nodes is.

    Args:
        split: feature, threshold, left, right of each node; a child < 0 is the leaf -1 - child.
    """
    order, place = [root], {root: 0}
    for node in order:  # grows while it is walked
        for child in split[node, 2:].tolist() if node >= 0 else []:
            if child not in place:
                place[child] = len(order)
                order.append(child)
    nodes = np.zeros(len(order), dtype=_node_type())
    at = np.array(order)
    inside = at >= 0
    nodes["left_child"] = nodes["right_child"] = -1
    nodes["feature"] = nodes["threshold"] = -2
    nodes["n_node_samples"] = nodes["weighted_n_node_samples"] = 1
    nodes["feature"][inside] = split[at[inside], 0]
    nodes["threshold"][inside] = split[at[inside], 1]
    nodes["left_child"][inside] = [place[child] for child in split[at[inside], 2].tolist()]
    nodes["right_child"][inside] = [place[child] for child in split[at[inside], 3].tolist()]
    tree = Tree(features, np.array([1], dtype=np.intp), 1)
    tree.__setstate__(
        {"max_depth": len(order), "node_count": len(order), "nodes": nodes, "values": np.ones((len(order), 1, 1))}
    )
    return tree, np.where(inside, 0, -1 - at)


def _node_type() -> np.dtype:
    """Return how this version of scikit-learn lays out a node."""
    smallest = DecisionTreeClassifier().fit([[0], [1]], [0, 1])
    return smallest.tree_.__getstate__()["nodes"].dtype
