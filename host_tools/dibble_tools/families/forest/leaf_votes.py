"""What each leaf of a voting forest gives, put right leaf by leaf, so that integers decide as the trees' shares do.

A leaf gives one class one amount, where its float tree gives each class its share. What the other trees say of a leaf's
rows tells which class and amount make the sum decide as the float sum does.
"""

from collections.abc import Sequence

import numpy as np

from dibble_tools.families.forest.integer_trees import AMOUNT_MAX, leaf_id
from dibble_tools.families.forest.tree_sharing import Split

SWEEPS = 2
CLOSE = 0.01  # of a row decided otherwise, what a squared distance of 1 from the shares weighs
LESS = 1e-6  # of a row: a difference that isn't rounding


def refit_votes(
    nodes: Sequence[Split], roots: Sequence[int], values: np.ndarray, shares: np.ndarray, unit: float
) -> tuple[list[Split], list[int]]:
    """Return the trees with leaves, of those in use, that keep more of the float forest's decisions.

    Args:
        nodes, roots: from `tree_sharing.share`, with `leaf_id`s as leaves.
        values: rows to decide, ints (rows, features).
        shares: what the float trees give each class, summed over them, (rows, classes).
        unit: what a leaf that is sure gives.
    """
    leaves = np.array([split[2:] for split in nodes], dtype=np.int64).reshape(-1, 2)
    own = _ends(nodes, roots, values)  # (trees, rows): 2 * node + side, -1 where a tree is one leaf
    classes = shares.shape[1]
    ids = np.where(leaves < 0, -1 - leaves, 0)
    choices = np.unique(np.append(ids[leaves < 0] % (AMOUNT_MAX + 1), 0))
    fixed = np.zeros(classes, dtype=np.int64)
    for root in roots:
        if root < 0:
            fixed[(-1 - root) // (AMOUNT_MAX + 1)] += (-1 - root) % (AMOUNT_MAX + 1)
    flat = ids.ravel()
    sums = np.tile(fixed, (len(values), 1))
    rows = np.arange(len(values))
    for ends in own[own[:, 0] >= 0] if len(own) and len(values) else ():
        sums[rows, flat[ends] // (AMOUNT_MAX + 1)] += flat[ends] % (AMOUNT_MAX + 1)
    wanted = shares.argmax(axis=1)
    shared = _slots_of_several(nodes, roots)
    for _ in range(SWEEPS):
        for ends in own:
            for slot in np.setdiff1d(np.unique(ends[ends >= 0]), shared):
                here = np.flatnonzero(ends == slot)
                k, amount = divmod(int(flat[slot]), AMOUNT_MAX + 1)
                rest = sums[here]
                rest[:, k] -= amount
                k, amount = _best(rest, wanted[here], shares[here], choices, unit, (k, amount))
                flat[slot] = leaf_id(np.array(k), np.array(amount))
                rest[:, k] += amount
                sums[here] = rest
    made = np.where(leaves < 0, -1 - flat.reshape(-1, 2), leaves)
    return _merged([(f, t, int(a), int(b)) for (f, t, _, _), (a, b) in zip(nodes, made, strict=True)], roots)


def _best(
    rest: np.ndarray, wanted: np.ndarray, shares: np.ndarray, choices: np.ndarray, unit: float, now: tuple[int, int]
) -> tuple[int, int]:
    """Return the class and amount of a leaf with which its rows are decided as wanted; `now` where none is better.

    Args:
        rest: (rows, classes) what the other trees give; choices: amounts, ascending, that of `now` among them.
    """
    classes = rest.shape[1]
    off = rest / unit - shares
    off -= off.mean(axis=1, keepdims=True)
    steps = choices / unit
    costs = np.empty((classes, len(choices)))
    for k in range(classes):
        others = rest.copy()
        others[:, k] = -1
        other = others.argmax(axis=1)
        need = others.max(axis=1) - rest[:, k] + (other < k)  # the amount from which on class k is decided
        right = np.where(choices[:, None] >= need, wanted == k, wanted == other).sum(axis=1)
        # The distance from the shares, each row's mean taken off, when class k gets so much more.
        apart = 2 * steps * off[:, k].sum() + len(rest) * steps * steps * (1 - 1 / classes)
        costs[k] = len(rest) - right + CLOSE * apart
    best, at = divmod(int(costs.argmin()), len(choices))
    if costs[best, at] < costs[now[0], np.searchsorted(choices, now[1])] - LESS:
        return best, int(choices[at])
    return now


def _ends(nodes: Sequence[Split], roots: Sequence[int], values: np.ndarray) -> np.ndarray:
    """Return for each tree the leaf that each row ends at, as 2 * node + side; -1 for a tree that is one leaf."""
    table = np.array(nodes, dtype=np.int64).reshape(-1, 4)
    found = np.full((len(roots), len(values)), -1, dtype=np.int64)
    for tree, root in enumerate(roots):
        at = np.full(len(values), root, dtype=np.int64)
        while (inside := np.flatnonzero(at >= 0)).size:
            node = at[inside]
            side = (values[inside, table[node, 0]] > table[node, 1]).astype(np.int64)
            found[tree, inside] = 2 * node + side
            at[inside] = table[node, 2 + side]
    return found


def _slots_of_several(nodes: Sequence[Split], roots: Sequence[int]) -> np.ndarray:
    """Return the slots, 2 * node + side, of splits that several trees come to."""
    trees = np.zeros(len(nodes), dtype=np.int64)
    for root in roots:
        seen: set[int] = set()
        stack = [root] if root >= 0 else []
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack += [child for child in nodes[node][2:] if child >= 0]
        trees[list(seen)] += 1
    several = np.flatnonzero(trees > 1)
    return np.concatenate([2 * several, 2 * several + 1])


def _merged(nodes: Sequence[Split], roots: Sequence[int]) -> tuple[list[Split], list[int]]:
    """Return the trees without splits that decide nothing, or are there twice."""
    made: list[Split] = []
    known: dict[Split, int] = {}
    where: list[int] = []
    for feature, threshold, *children in nodes:  # a child comes before its parent
        left, right = (where[child] if child >= 0 else child for child in children)
        split = (feature, threshold, left, right)
        if left == right:
            where.append(left)
            continue
        if split not in known:
            known[split] = len(made)
            made.append(split)
        where.append(known[split])
    return made, [where[root] if root >= 0 else root for root in roots]
