"""Trees over integers, and what is computed on them: their use of features, scores, sizes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.families.forest.tree_sharing import Split

Leaf = tuple[int, int]  # class, amount added to its score

AMOUNT_MAX = 255
SCORE_MAX = 65535


@dataclass(frozen=True)
class IntegerTrees:
    """Trees over integer features, equal subtrees shared.

    Attributes:
        nodes: split -> (feature, threshold, left, right); an input goes left when it is <= threshold.
            Children come before their parents.
        roots: a node, or a leaf as -1 - leaf, for each tree.
        classes: number of classes.
        leaves: what each leaf gives, amounts 0..255; None where a leaf is a class and gives it one vote.
        base: score of each class before any tree, >= 0; all 0 if left out.
    """

    nodes: list[Split]
    roots: list[int]
    classes: int
    leaves: list[Leaf] | None = None
    base: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.base:
            object.__setattr__(self, "base", [0] * self.classes)

    @property
    def gives(self) -> list[Leaf]:
        """What each leaf gives, votes spelled out."""
        return [(c, 1) for c in range(self.classes)] if self.leaves is None else self.leaves

    def check(self) -> None:
        """Raise InputError unless amounts are bytes and every possible score is within 0..65535."""
        if not all(0 <= c < self.classes and 0 <= amount <= AMOUNT_MAX for c, amount in self.gives):
            raise InputError(
                f"expected leaves of {self.classes} classes with amounts of 0..{AMOUNT_MAX}, got {self.leaves}"
            )
        if len(self.base) != self.classes:
            raise InputError(f"expected a base for each of {self.classes} classes, got {self.base}")
        check_scores(self.base, highest_scores(self))


def check_scores(base: Sequence[int], highest: Sequence[int]) -> None:
    """Raise InputError unless scores from each class's base to its highest are within 0..65535."""
    if min(base) < 0 or max(highest) > SCORE_MAX:
        raise InputError(
            f"expected scores within 0..{SCORE_MAX:,}, got {min(base):,} .. {max(highest):,}: fit fewer trees"
        )


def with_leaves(nodes: Sequence[Split], roots: Sequence[int], base: Sequence[int]) -> IntegerTrees:
    """Return trees whose leaves give amounts; a tree that is one leaf goes into the base.

    Args:
        nodes, roots: from `share`, with `leaf_id`s as leaves; those in use are numbered anew.
        base: score of each class before any tree; the least of all classes is taken off all of them.
    """
    total = list(base)
    for root in roots:
        if root < 0:
            class_index, amount = divmod(-1 - root, AMOUNT_MAX + 1)
            total[class_index] += amount
    low = min(total)
    used = sorted({-1 - child for split in nodes for child in split[2:] if child < 0}) or [0]
    new = {leaf: i for i, leaf in enumerate(used)}

    def renumbered(child: int) -> int:
        return child if child >= 0 else -1 - new[-1 - child]

    splits = [(f, t, renumbered(left), renumbered(right)) for f, t, left, right in nodes]
    leaves = [divmod(leaf, AMOUNT_MAX + 1) for leaf in used]
    return IntegerTrees(
        splits, [root for root in roots if root >= 0], len(base), leaves, [score - low for score in total]
    )


def leaf_id(class_index: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Return one number for a class and an amount; all amounts of 0 are one leaf."""
    return np.where(amount == 0, 0, class_index * (AMOUNT_MAX + 1) + amount)


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
    return replace(trees, nodes=nodes)


def shift(trees: IntegerTrees, lows: Sequence[int]) -> IntegerTrees:
    """Return the same trees over offsets above `lows`, one a feature."""
    nodes = [(f, t - lows[f], left, right) for f, t, left, right in trees.nodes]
    return replace(trees, nodes=nodes)


def scores(trees: IntegerTrees, values: np.ndarray) -> np.ndarray:
    """Return each class's score, int64 (rows, classes), for integer feature values (rows, features)."""
    out = np.tile(np.array(trees.base, dtype=np.int64), (len(values), 1))
    split = np.array(trees.nodes, dtype=np.int64).reshape(-1, 4)
    gives = np.array(trees.gives, dtype=np.int64)
    rows = np.arange(len(values))
    for root in trees.roots:
        at = np.full(len(values), root, dtype=np.int64)
        while (inside := np.flatnonzero(at >= 0)).size:
            feature, threshold, left, right = split[at[inside]].T
            at[inside] = np.where(values[inside, feature] <= threshold, left, right)
        class_index, amount = gives[-1 - at].T
        out[rows, class_index] += amount
    return out


def highest_scores(trees: IntegerTrees) -> list[int]:
    """Return the most that each class can score: its base, and from each tree the most a leaf of it gives."""
    gives = np.array(trees.gives, dtype=np.int64)
    most = np.zeros((len(gives), trees.classes), dtype=np.int64)
    most[np.arange(len(gives)), gives[:, 0]] = gives[:, 1]
    below: list[np.ndarray] = []
    for _, _, left, right in trees.nodes:
        a, b = (below[child] if child >= 0 else most[-1 - child] for child in (left, right))
        below.append(np.maximum(a, b))
    total = np.array(trees.base, dtype=np.int64)
    for root in trees.roots:
        total = total + (below[root] if root >= 0 else most[-1 - root])
    return [int(score) for score in total]


def table_bytes(trees: IntegerTrees, limits: Sequence[int]) -> int:
    """Return about how many bytes the tables take: 4 a node, 1 a page, 2 or 4 a wide distinct threshold, 2 a leaf.

    Args:
        limits: largest value of each feature.
    """
    splits = reachable(trees)
    asked = {split[:2] for split in splits}
    widths = sum(0 if limits[feature] < 256 else 2 if limits[feature] < 65536 else 4 for feature, _ in asked)
    return 4 * len(splits) + len(trees.roots) + widths + 2 * len(trees.leaves or ())
