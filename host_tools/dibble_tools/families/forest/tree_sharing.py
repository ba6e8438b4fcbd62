"""Trees as scikit-learn numbers them -> one list of splits, equal subtrees once."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from dibble.inference.fixed_point import READING_LIMIT

ALL_LEFT, ALL_RIGHT = READING_LIMIT + 1, -READING_LIMIT - 1  # thresholds that no reading lies on the other side of
Split = tuple[int, int, int, int]  # feature, threshold, left, right; a child < 0 is the leaf -1 - child


@dataclass(frozen=True)
class Grown:
    """One tree, an entry a node, the root first and every child after its parent, as scikit-learn numbers them.

    Attributes:
        feature, threshold: of each split, integers; anything for a leaf.
        left, right: children of each split; < 0 for a leaf.
        leaf: id of each leaf; anything for a split.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaf: np.ndarray


def leaves_of(tree: Grown, values: np.ndarray) -> np.ndarray:
    """Return the node (rows,) that each row of feature values ends at."""
    at = np.zeros(len(values), dtype=np.int64)
    while (inside := np.flatnonzero(tree.left[at] >= 0)).size:
        node = at[inside]
        low = values[inside, tree.feature[node]] <= tree.threshold[node]
        at[inside] = np.where(low, tree.left[node], tree.right[node])
    return at


def without_one_way(tree: Grown) -> Grown:
    """Return the tree without the splits that send every reading to one side."""
    one_way = (tree.left >= 0) & ((tree.threshold == ALL_LEFT) | (tree.threshold == ALL_RIGHT))
    if not one_way.any():
        return tree
    stands_for = np.arange(len(tree.left))
    for i in np.flatnonzero(one_way)[::-1]:
        stands_for[i] = stands_for[tree.left[i] if tree.threshold[i] == ALL_LEFT else tree.right[i]]
    left, right = (np.where(side >= 0, stands_for[side], side) for side in (tree.left, tree.right))
    each = [a.copy() for a in (tree.feature, tree.threshold, left, right, tree.leaf)]
    for column in each:
        column[0] = column[stands_for[0]]
    return Grown(*each)


def share(trees: Iterable[Grown]) -> tuple[list[Split], list[int]]:
    """Return (nodes, roots) of trees: equal subtrees once, and no split that has the same leaf on both sides."""
    nodes: list[Split] = []
    known: dict[Split, int] = {}
    roots = []
    for tree in trees:
        where = [0] * len(tree.feature)
        for i in reversed(_reached(tree)):
            if tree.left[i] < 0:
                where[i] = -1 - int(tree.leaf[i])
                continue
            left, right = where[tree.left[i]], where[tree.right[i]]
            if left == right:  # the split decides nothing
                where[i] = left
                continue
            split = (int(tree.feature[i]), int(tree.threshold[i]), left, right)
            if split not in known:
                known[split] = len(nodes)
                nodes.append(split)
            where[i] = known[split]
        roots.append(where[0])
    return nodes, roots


def _reached(tree: Grown) -> list[int]:
    """Return the nodes that a row can come to, parents first: a pruned tree has others."""
    reached = [False] * len(tree.left)
    reached[0] = True
    for i, (left, right) in enumerate(zip(tree.left, tree.right, strict=True)):
        if reached[i] and left >= 0:
            reached[left] = reached[right] = True
    return [i for i, there in enumerate(reached) if there]
