"""Gradient boosting -> integer trees: splits exactly, leaf values in as many steps as bytes can say."""

from collections.abc import Callable

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.families.forest.boosted_sources import AddingTree, Boosted
from dibble_tools.families.forest.integer_trees import AMOUNT_MAX, SCORE_MAX, IntegerTrees, leaf_id, with_leaves
from dibble_tools.families.forest.leaf_sharing import clusters
from dibble_tools.families.forest.pages import MAX_LEAVES
from dibble_tools.families.forest.tree_sharing import Grown, share, without_one_way
from dibble_tools.families.forest.trees import integer_thresholds

CLUSTERED = 400  # distinct values that levels are chosen from
UNIT_MAX = 2.0**16


def boosted_trees(
    boosted: Boosted,
    classes: int,
    to_input: Callable[[int, np.ndarray], np.ndarray],
    readings: np.ndarray,
    raw: np.ndarray,
) -> tuple[IntegerTrees, float]:
    """Return the integer trees of a boosted classifier, and their score steps a nat.

    Each row comes to the leaves it comes to in the original. What a leaf gives is one of at most 100 (class, amount)
    of the file; a tree's roundings are made good by the trees after it, for the rows given.

    Args:
        to_input: (feature, integers) -> what the classifier is given for them, float64; increasing.
        readings: rows (rows, features) of integers, none missing.
        raw: what `boosted.raw` gives for them.
    Raises:
        InputError: its scores are too large, or its classes too many.
    """
    trees = boosted.trees
    grown = [
        without_one_way(Grown(t.feature, thresholds, t.children_left, t.children_right, np.arange(len(t.feature))))
        for t, thresholds in zip(trees, integer_thresholds(trees, to_input, boosted.width), strict=True)
    ]
    where = [_leaves_of(tree, readings) for tree in grown]
    total = np.zeros((len(readings), classes))
    for tree, at in zip(trees, where, strict=True):
        total[:, tree.column] += tree.value[at]
    wanted = np.column_stack([np.zeros(len(raw)), raw]) if classes == 2 else raw
    base = np.median(wanted - total, axis=0)
    values = [tree.value.copy() for tree in trees]
    if classes > 2:
        for tree, each, whole in zip(trees, values, grown, strict=True):
            least = each[_reached_leaves(whole)].min()
            each -= least
            base[tree.column] += least
    return _quantized(trees, grown, where, values, base, classes)


def _leaves_of(tree: Grown, readings: np.ndarray) -> np.ndarray:
    """Return the id of the leaf that each row comes to."""
    at = np.zeros(len(readings), dtype=np.int64)
    while (inside := np.flatnonzero(tree.left[at] >= 0)).size:
        node = at[inside]
        goes_left = readings[inside, tree.feature[node]] <= tree.threshold[node]
        at[inside] = np.where(goes_left, tree.left[node], tree.right[node])
    return tree.leaf[at]


def _reached_leaves(tree: Grown) -> np.ndarray:
    """Return the ids of the leaves that a row can come to."""
    reached, stack = [], [0]
    while stack:
        node = stack.pop()
        if tree.left[node] < 0:
            reached.append(int(tree.leaf[node]))
        else:
            stack += [int(tree.left[node]), int(tree.right[node])]
    return np.array(reached)


def _quantized(
    trees: list[AddingTree],
    grown: list[Grown],
    where: list[np.ndarray],
    values: list[np.ndarray],
    base: np.ndarray,
    classes: int,
) -> tuple[IntegerTrees, float]:
    """Return the trees with each leaf's value a level of its class, and the score steps a nat."""
    most = MAX_LEAVES if classes == 2 else (MAX_LEAVES - 1) // classes
    if not most:
        raise InputError(f"expected gradient boosting of at most {MAX_LEAVES - 1} classes, got {classes}")
    levels = {
        column: _levels(
            np.concatenate([v[w] for t, v, w in zip(trees, values, where, strict=True) if t.column == column]), most
        )
        for column in {tree.column for tree in trees}
    }
    largest = max(max(float(np.abs(each).max()) for each in levels.values()), 1e-9)
    unit = min(AMOUNT_MAX / largest, UNIT_MAX)
    while True:
        amounts = {column: np.unique(np.rint(each * unit).astype(np.int64)) for column, each in levels.items()}
        nodes, roots = share(_rounded(trees, grown, where, values, amounts, unit))
        integer = with_leaves(nodes, roots, [int(b) for b in np.rint((base - base.min()) * unit)])
        try:
            integer.check()
        except InputError:
            if unit <= 1:
                raise InputError(
                    f"expected scores within 0..{SCORE_MAX:,} even in steps of a nat: fit fewer trees"
                ) from None
            unit /= 2
            continue
        return integer, unit


def _levels(values: np.ndarray, most: int) -> np.ndarray:
    """Return at most `most` values near which all are."""
    step = max(float(np.ptp(values)), 1e-9) / CLUSTERED
    distinct, counts = np.unique(np.rint(values / step), return_counts=True)
    cluster = clusters(distinct, counts.astype(np.float64), most)
    return np.bincount(cluster, counts * distinct) / np.bincount(cluster, counts) * step


def _rounded(
    trees: list[AddingTree],
    grown: list[Grown],
    where: list[np.ndarray],
    values: list[np.ndarray],
    amounts: dict[int, np.ndarray],
    unit: float,
) -> list[Grown]:
    """Return the trees with what each leaf gives; what one rounds off its rows, those after it make good."""
    owed = {column: np.zeros(len(where[0])) for column in amounts}
    result = []
    for tree, own, at, value in zip(trees, grown, where, values, strict=True):
        choice, debt = amounts[tree.column], owed[tree.column]
        rows = np.bincount(at, minlength=len(value))
        wanted = value * unit + np.bincount(at, debt, len(value)) / np.maximum(rows, 1)
        given = choice[np.abs(wanted[:, None] - choice).argmin(axis=1)]
        debt += (value * unit - given)[at]
        ids = leaf_id(np.where(given < 0, 0, tree.column), np.abs(given))
        result.append(Grown(own.feature, own.threshold, own.left, own.right, ids[own.leaf]))
    return result
