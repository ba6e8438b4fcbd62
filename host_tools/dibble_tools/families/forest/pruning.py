"""Cost-complexity pruning of a whole forest: the least useful splits go first, whichever tree they are in."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dibble_tools.families.forest.tree_sharing import Grown, share


def weakest_links(left: np.ndarray, right: np.ndarray, risk: np.ndarray) -> list[tuple[float, int]]:
    """Return (cost, node) of every pruning that leads from a tree to its root, cheapest first.

    Args:
        left, right: children of each node, numbered after it; < 0 for a leaf.
        risk: of each node, if it were a leaf; the cost of a pruning is the rise in risk a split removed.
    Source: Breiman et al., Classification and Regression Trees (1984), 10.2.
    """
    leaf = left < 0
    links: list[tuple[float, int]] = []
    cost = -np.inf
    while not leaf[0]:
        below, splits = risk.copy(), np.zeros(len(left))
        for node in np.flatnonzero(~leaf)[::-1]:
            sides = [left[node], right[node]]
            below[node] = below[sides].sum()
            splits[node] = 1 + splits[sides].sum()
        rise = np.where(leaf, np.inf, (risk - below) / np.maximum(splits, 1))
        weakest = int(rise.argmin())
        cost = max(cost, float(rise[weakest]))
        links.append((cost, weakest))
        _close(leaf, left, right, weakest)
    return links


def prune(trees: Sequence[Grown], risks: Sequence[np.ndarray], most: int) -> list[Grown]:
    """Return the trees pruned until they have, equal subtrees shared, at most `most` nodes.

    Args:
        trees: with the leaf that each node, split or not, would be.
        risks: of each tree's nodes, see `weakest_links`.
    """
    links = sorted(
        (cost, tree, i, node)
        for tree, (t, risk) in enumerate(zip(trees, risks, strict=True))
        for i, (cost, node) in enumerate(weakest_links(t.left, t.right, risk))
    )

    def pruned(count: int) -> list[Grown]:
        left = [tree.left.copy() for tree in trees]
        for _, tree, _, node in links[:count]:
            left[tree][node] = -1
        return [replace(tree, left=own) for tree, own in zip(trees, left, strict=True)]

    low, high = -1, len(links)  # the fewest prunings, by bisection
    while high - low > 1:
        middle = (low + high) // 2
        if len(share(pruned(middle))[0]) <= most:
            high = middle
        else:
            low = middle
    return pruned(high)


def _close(leaf: np.ndarray, left: np.ndarray, right: np.ndarray, node: int) -> None:
    """Mark a node and all below it."""
    stack = [node]
    while stack:
        node = stack.pop()
        if not leaf[node]:
            leaf[node] = True
            stack += [int(left[node]), int(right[node])]
