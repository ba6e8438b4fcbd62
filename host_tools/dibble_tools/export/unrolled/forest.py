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


def append_forest(out: Block, forest: Forest, inputs: Inputs) -> list[str]:
    """Append what makes w, m and s of the inputs; return the variables in the order of their use.

    A tree is one expression, whose value is what its leaf gives. Its sums share a small int where they fit.

    Raises:
        InputError: a tree is deeper than a parser takes, or gives to more classes than a small int holds.
    """
    trees = trees_of(forest)
    groups = _groups(trees)
    scores = [str(base) if base else "" for base in trees.base]
    for g, (packed, roots) in enumerate(groups):
        values = {-1 - i: packed.of(*gives) for i, gives in enumerate(trees.gives) if gives[0] in packed.classes}
        for i, root in enumerate(roots):
            tree = _expression(trees, root, values, inputs, 0)
            out.add(f"v{g} {'+=' if i else '='} {tree}")
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


def _expression(trees: IntegerTrees, node: int, values: dict[int, int], inputs: Inputs, depth: int) -> str:
    while node >= 0 and trees.nodes[node][1] >= inputs.limits[trees.nodes[node][0]]:
        node = trees.nodes[node][2]  # no value is beyond its threshold
    if node < 0:
        return str(values[node])
    if depth > MOST_DEEP:
        raise InputError(f"expected trees at most {MOST_DEEP} splits deep, got a deeper one: there is no code for it")
    feature, threshold, left, right = trees.nodes[node]
    below, above = (_expression(trees, child, values, inputs, depth + 1) for child in (left, right))
    return f"({below} if x{feature} <= {threshold + inputs.lows[feature]} else {above})"
