"""Weight sharing: the leaves of an ensemble come to share few values, so that a byte can number them."""

from dataclasses import dataclass, replace

import numpy as np

from dibble_tools.families.forest.leaf_fitting import Leaves, fit_leaves
from dibble_tools.families.forest.pages import MAX_LEAVES

VALUE_STEPS = 64  # a nat; finer differences between leaves aren't worth a level
TINY_MASS = 1e-9  # of a leaf whose rows weigh nothing


@dataclass(frozen=True)
class SharedLeaves:
    """Leaves that share values.

    Attributes:
        level_of: each leaf's level.
        values: of each level, in nats.
        base: (classes,) scores before any tree, in nats.
    """

    level_of: np.ndarray
    values: np.ndarray
    base: np.ndarray


def share_leaves(
    leaves: Leaves, targets: np.ndarray, weights: np.ndarray, *, levels: int, ridge: float
) -> SharedLeaves:
    """Cluster the leaves of each class, then fit the values of the clusters.

    With two classes a value may be negative: it is what the other class gets. With more, a tree's
    least leaf becomes 0 and the base takes over what is taken off the tree.

    Args:
        leaves, targets, weights: see `leaf_fitting.fit_leaves`.
        levels: distinct values a class at most; for two classes twice as many in all.
        ridge: how strongly a level holds on to where its leaves were.
    """
    classes = len(leaves.base)
    signed = classes == 2
    if not signed:
        leaves = _least_is_zero(leaves)
    where, columns, values = leaves.where, leaves.columns, leaves.values
    mass = np.bincount(where.ravel(), np.tile(weights, len(where)), len(values)) + TINY_MASS
    column = np.zeros(len(values), dtype=np.int64)
    for at, own in zip(where, columns, strict=True):
        column[at] = own
    most = min(2 * levels, MAX_LEAVES) if signed else max(min(levels, (MAX_LEAVES - 1) // classes), 1)
    rough = np.round(values * VALUE_STEPS) / VALUE_STEPS
    level_of = np.zeros(len(values), dtype=np.int64)
    count = 0 if signed else 1  # level 0 is then nothing, which all classes share
    for own in np.unique(column):
        some = np.flatnonzero((column == own) & (signed | (rough > 0)))
        if len(some):
            level_of[some] = count + clusters(rough[some], mass[some], most)
            count = int(level_of.max()) + 1
    start = np.bincount(level_of, mass * rough) / np.bincount(level_of, mass)
    lowest, highest = np.full(count, -np.inf if signed else 0.0), np.full(count, np.inf)
    if not signed:
        highest[0] = 0
    strength = ridge * np.bincount(level_of)
    shared = Leaves(level_of[where], columns, start, leaves.base)
    fitted = fit_leaves(shared, targets, weights, toward=start, strength=strength, lowest=lowest, highest=highest)
    return SharedLeaves(level_of, fitted.values, fitted.base)


def _least_is_zero(leaves: Leaves) -> Leaves:
    """Return leaves of the same sums, each tree's least 0."""
    values, base = leaves.values.copy(), leaves.base.copy()
    for at, own in zip(leaves.where, leaves.columns, strict=True):
        reached = np.unique(at)
        least = values[reached].min()
        values[reached] -= least
        base[own] += least
    return replace(leaves, values=values, base=base)


def clusters(values: np.ndarray, weights: np.ndarray, most: int) -> np.ndarray:
    """Return the cluster of each value, 0.. ascending: at most `most`, with the least squares.

    Exact, for the best clusters of sorted values are intervals.

    Args:
        values, weights: (values,) floats; weights >= 0.
    Source: Wang and Song, Ckmeans.1d.dp, The R Journal 3/2 (2011).
    """
    distinct, which = np.unique(values, return_inverse=True)
    n = len(distinct)
    if n <= most:
        return which
    w = np.bincount(which, weights + TINY_MASS)
    x = distinct - distinct.mean()
    mass, first, second = (np.concatenate([[0.0], np.cumsum(each)]) for each in (w, w * x, w * x * x))
    inside = np.maximum(mass[1:] - mass[:-1, None], 1e-12)  # [i, j]: of the values i..j
    cost = (second[1:] - second[:-1, None]) - np.square(first[1:] - first[:-1, None]) / inside
    cost[np.tril_indices(n, -1)] = np.inf
    best = cost[0]
    begins = []
    for _ in range(most - 1):
        total = np.concatenate([[np.inf], best[:-1]])[:, None] + cost
        begins.append(total.argmin(axis=0))
        best = total.min(axis=0)
    cluster = np.zeros(n, dtype=np.int64)
    end = n
    for level in range(most - 1, 0, -1):
        begin = int(begins[level - 1][end - 1])
        cluster[begin:end] = level
        end = begin
    return cluster[which]
