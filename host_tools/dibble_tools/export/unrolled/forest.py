"""Decision trees as expressions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from dibble_tools.common.errors import InputError
from dibble_tools.export.unrolled.block import SMALL_INT_BITS, Block, Packed, top_two
from dibble_tools.export.unrolled.sums import Inputs
from dibble_tools.families.forest.integer_trees import IntegerTrees, highest_scores
from dibble_tools.model.content import Forest
from dibble_tools.model.reader import trees_of

MOST_DEEP = 80  # CPython's parser takes a hundred levels of indentation
MOST_MERGED = 4000  # characters of trees in one: a function has room for several such


def append_forest(out: Block, forest: Forest, inputs: Inputs, *, merged: bool = True) -> list[str]:
    """Append what makes w, m and s of the inputs; return the variables in the order of their use.

    A tree is one expression, whose value is what its leaf gives. Its sums share a small int where they fit.

    Args:
        merged: trees that ask the same first become one, and so do their branches, whose leaves are added here.
    Raises:
        InputError: a tree is deeper than a parser takes, or gives to more classes than a small int holds.
    """
    trees = trees_of(forest)
    groups = _groups(trees)
    scores = [str(base) if base else "" for base in trees.base]
    for g, (packed, roots) in enumerate(groups):
        values = {-1 - i: packed.of(*gives) for i, gives in enumerate(trees.gives) if gives[0] in packed.classes}
        writer = _Writer(trees, values, inputs)
        terms = writer.terms(roots, 0) if merged else [writer.terms([root], 0)[0] for root in roots]
        for i, term in enumerate(terms):
            out.add(f"v{g} {'+=' if i else '='} {term if term.startswith('(') else f'({term})'}")
        for k in packed.classes:
            score = packed.score(f"v{g}", k)
            score = score if score.isidentifier() or (len(groups) == 1 and not scores[k]) else f"({score})"
            scores[k] += f" + {score}" if scores[k] else score
    top_two(out, [score or "0" for score in scores])
    used = Counter(f"x{split[0]}" for split in trees.nodes)
    return [*(f"v{g}" for g in range(len(groups))), *(name for name, _ in used.most_common())]


def _groups(trees: IntegerTrees) -> list[tuple[Packed, list[int]]]:
    """Return trees whose sums share a small int: the classes they give to, and their roots."""
    alone = [(sorted(_classes(trees, root)), root) for root in trees.roots]
    groups: list[tuple[Packed, list[int]]] = []
    for classes, root in sorted(alone, key=lambda tree: tree[0]):
        packed, roots = groups[-1] if groups else (Packed([], 0), [])
        wider = _packed(trees, sorted({*packed.classes, *classes}), [*roots, root])
        if groups and wider.fits():
            groups[-1] = (wider, [*roots, root])
            continue
        own = _packed(trees, classes, [root])
        if not own.fits():
            raise InputError(
                f"expected trees whose leaves fit {SMALL_INT_BITS} bits, {own.bits} for each class, got one "
                f"of {len(classes)} classes: there is no code for it"
            )
        groups.append((own, [root]))
    return groups


def _packed(trees: IntegerTrees, classes: Sequence[int], roots: Sequence[int]) -> Packed:
    return Packed(classes, max(highest_scores(replace(trees, roots=list(roots), base=[0] * trees.classes))))


def _classes(trees: IntegerTrees, root: int) -> set[int]:
    found: set[int] = set()
    todo, seen = [root], set()
    while todo:
        node = todo.pop()
        if node < 0:
            found.add(trees.gives[-1 - node][0])
        elif node not in seen:
            seen.add(node)
            todo += trees.nodes[node][2:]
    return found


class _Writer:
    """Writes sums of trees.

    Args:
        values: what each leaf, by its number below 0, adds.
    """

    def __init__(self, trees: IntegerTrees, values: dict[int, int], inputs: Inputs) -> None:
        self.trees, self.values, self.inputs = trees, values, inputs

    def terms(self, nodes: Sequence[int], depth: int) -> list[str]:
        """Return the terms of what some nodes add, at least one: those that ask the same share a term.

        Raises:
            InputError: a tree is deeper than a parser takes.
        """
        if depth > MOST_DEEP:
            raise InputError(
                f"expected trees at most {MOST_DEEP} splits deep, got a deeper one: there is no code for it"
            )
        total = 0
        alike: dict[tuple[int, int], list[int]] = {}
        for node in map(self._asked, nodes):
            if node < 0:
                total += self.values[node]
            else:
                alike.setdefault(self.trees.nodes[node][:2], []).append(node)
        found = []
        for group in alike.values():
            term = self._term(group, depth)
            if len(group) > 1 and len(term) > MOST_MERGED:
                found += [self._term([node], depth) for node in group]
            else:
                found.append(term)
        return [*found, str(total)] if total or not found else found

    def _asked(self, node: int) -> int:
        """Return the node, or what follows it where no value is beyond its threshold."""
        while node >= 0 and self.trees.nodes[node][1] >= self.inputs.limits[self.trees.nodes[node][0]]:
            node = self.trees.nodes[node][2]
        return node

    def _term(self, nodes: Sequence[int], depth: int) -> str:
        feature, threshold, *_ = self.trees.nodes[nodes[0]]
        below, above = (
            " + ".join(self.terms([self.trees.nodes[node][side] for node in nodes], depth + 1)) for side in (2, 3)
        )
        return f"({below} if x{feature} <= {threshold + self.inputs.lows[feature]} else {above})"
