"""Integer trees -> 8-bit codes and pages of at most 128 nodes, so that every field of a node is one byte.

models/FORMAT.md, "Forest", has the layout this produces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dibble_tools.common.errors import InputError
from dibble_tools.families.forest.integer_trees import IntegerTrees, Leaf, check_scores, highest_scores, reachable

PAGE_NODES = 128
REFERENCES = 128  # of a byte's values, those that leave the page: a leaf, or another page
MAX_LEAVES = 100
MAX_CLASSES = 100
CODE_THRESHOLDS = 255
OWN_CODES = 256  # a feature with a smaller limit is its own code
MAX_FEATURES = 255


@dataclass
class ForestTables:
    """A forest as bytes.

    Attributes:
        sources: for each coded feature, the model's feature it codes. One with more than 255
            distinct thresholds is coded in several parts.
        thresholds: for each coded feature, its distinct thresholds, ascending.
        trees: number of trees; the first page of tree i is page i.
        page_nodes, page_jumps: for each page, how many nodes it has and how many pages follow it.
        features, codes, lefts, rights: one byte a node.
        leaves, base: as IntegerTrees has them.
        highest: the most each class can score.
    """

    sources: list[int]
    thresholds: list[list[int]]
    trees: int
    leaves: list[Leaf] | None
    base: list[int]
    highest: list[int]
    page_nodes: list[int] = field(default_factory=list)
    page_jumps: list[int] = field(default_factory=list)
    features: bytearray = field(default_factory=bytearray)
    codes: bytearray = field(default_factory=bytearray)
    lefts: bytearray = field(default_factory=bytearray)
    rights: bytearray = field(default_factory=bytearray)

    def check(self) -> None:
        """Raise InputError unless every possible score is within 0..65535."""
        check_scores(self.base, self.highest)


def pack(trees: IntegerTrees, features: int, limits: Sequence[int] | None = None) -> ForestTables:
    """Return the tables of `trees` over the model's `features` features.

    Args:
        limits: largest value of each feature, where known: one that a byte holds is its own code, without thresholds.

    Raises:
        InputError: more classes, leaves or distinct thresholds than bytes can number, or scores beyond 16 bits.
    """
    if trees.classes > MAX_CLASSES:
        raise InputError(f"expected at most {MAX_CLASSES} classes, got {trees.classes}")
    leaves = len(trees.gives)
    if leaves > MAX_LEAVES:
        raise InputError(f"expected at most {MAX_LEAVES} distinct leaves, got {leaves}: share more of them")
    trees.check()
    sources, thresholds, code_of = _rank(trees, limits or [OWN_CODES] * features)
    tables = ForestTables(sources, thresholds, len(trees.roots), trees.leaves, trees.base, highest_scores(trees))
    pages = list(trees.roots)
    jumps_allowed = REFERENCES - leaves
    contents = _partition(trees, jumps_allowed)
    for page in pages:  # grows while it is walked: a page's followers come together, in order
        if page < 0:  # a tree that is one leaf: a split with that leaf on both sides
            _append(tables, [(0, 0, REFERENCES - 1 - page, REFERENCES - 1 - page)], 0)
            continue
        local, cut = contents[page]
        order = sorted(local, reverse=True)  # parents first
        index = {node: i for i, node in enumerate(order)}
        followers = sorted(cut)
        jump = {node: REFERENCES + leaves + i for i, node in enumerate(followers)}

        def reference(child: int, index: dict[int, int] = index, jump: dict[int, int] = jump) -> int:
            return REFERENCES - 1 - child if child < 0 else index[child] if child in index else jump[child]

        rows = []
        for node in order:
            feature, threshold, left, right = trees.nodes[node]
            rows.append((*code_of[feature, threshold], reference(left), reference(right)))
        _append(tables, rows, len(followers))
        pages.extend(followers)
    return tables


def _append(tables: ForestTables, rows: list[tuple[int, int, int, int]], jumps: int) -> None:
    tables.page_nodes.append(len(rows))
    tables.page_jumps.append(jumps)
    for feature, code, left, right in rows:
        tables.features.append(feature)
        tables.codes.append(code)
        tables.lefts.append(left)
        tables.rights.append(right)


def _rank(
    trees: IntegerTrees, limits: Sequence[int]
) -> tuple[list[int], list[list[int]], dict[tuple[int, int], tuple[int, int]]]:
    """Return sources, thresholds and (feature, threshold) -> (coded feature, code)."""
    distinct: list[set[int]] = [set() for _ in limits]
    for feature, threshold, _, _ in reachable(trees):
        distinct[feature].add(threshold)
    sources: list[int] = []
    thresholds: list[list[int]] = []
    code_of = {}
    for feature, found in enumerate(distinct):
        if limits[feature] < OWN_CODES:
            code_of.update({(feature, threshold): (len(sources), min(threshold, OWN_CODES - 1)) for threshold in found})
            sources.append(feature)
            thresholds.append([])
            continue
        ascending = sorted(found)
        for first in range(0, max(len(ascending), 1), CODE_THRESHOLDS):
            part = ascending[first : first + CODE_THRESHOLDS]
            for code, threshold in enumerate(part):
                code_of[feature, threshold] = (len(sources), code)
            sources.append(feature)
            thresholds.append(part)
    if len(sources) > MAX_FEATURES:
        total = sum(map(len, distinct))
        raise InputError(
            f"expected at most {MAX_FEATURES} tables of {CODE_THRESHOLDS} thresholds, got {len(sources)}: this forest "
            f"asks {total:,} distinct questions. Fit fewer trees, or smaller ones (max_leaf_nodes)"
        )
    return sources, thresholds, code_of


def _partition(trees: IntegerTrees, jumps_allowed: int) -> dict[int, tuple[frozenset[int], frozenset[int]]]:
    """Return, for each node, what a page starting there holds: (its nodes, the nodes that begin further pages).

    Bottom-up: a page takes in both children's pages while they fit, else the larger child's page
    stays a page of its own.
    """
    contents: dict[int, tuple[frozenset[int], frozenset[int]]] = {}
    empty: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())
    for node, (_, _, left, right) in enumerate(trees.nodes):
        inside = [contents[child] if child >= 0 else empty for child in (left, right)]
        outside: list[tuple[frozenset[int], frozenset[int]]] = [
            (frozenset(), frozenset({child} if child >= 0 else ())) for child in (left, right)
        ]
        larger = 0 if len(inside[0][0]) >= len(inside[1][0]) else 1
        for cuts in ((), (larger,), (1 - larger,), (0, 1)):
            a, b = (outside[side] if side in cuts else inside[side] for side in (0, 1))
            local = a[0] | b[0] | {node}
            cut = (a[1] | b[1]) - local
            if len(local) <= PAGE_NODES and len(cut) <= jumps_allowed:
                break
        contents[node] = (local, cut)
    return contents
