"""A model file's forest -> trees over feature values."""

from collections import defaultdict
from collections.abc import Sequence

from dibble.inference import forest
from dibble.inference.format import Cursor
from dibble.inference.model import Model

from dibble_tools.families.forest.tree_sharing import Split
from dibble_tools.families.forest.trees import IntegerTrees


def trees_of(model: Model) -> IntegerTrees:
    """Return the trees over feature values that a model file holds."""
    layout, tables = forest.read(Cursor(model.blob, model.family_at), model.limits, len(model.classes))
    features, codes, lefts, rights, starts, children, leaves_end, trees, classes, amounts, base = tables
    cuts = thresholds_of(model.blob, layout)
    pages = [*starts, len(features)]
    nodes: list[Split] = []
    number: dict[int, int] = {}
    # Followers of a page come after it, and so do children of a node: the last first, so that children are known.
    for page in range(len(starts) - 1, -1, -1):
        for i in range(pages[page + 1] - 1, pages[page] - 1, -1):
            split = [features[i], cuts[features[i]][codes[i]]]
            for reference in (lefts[i], rights[i]):
                if reference < 128:
                    split.append(number[pages[page] + reference])
                elif reference < leaves_end:
                    split.append(127 - reference)
                else:
                    split.append(number[starts[children[page] + reference - leaves_end]])
            number[i] = len(nodes)
            nodes.append((split[0], split[1], split[2], split[3]))
    leaves = list(zip(classes, amounts, strict=True))
    return IntegerTrees(nodes, [number[starts[tree]] for tree in range(trees)], len(base), leaves, list(base))


def thresholds_of(blob: bytes, layout: Sequence[tuple[int, int, int, int]]) -> dict[int, Sequence[int]]:
    """Return each feature's thresholds by its codes, from the layout that `forest.read` returns."""
    found: dict[int, Sequence[int]] = defaultdict(lambda: range(256))  # of one that only a constant tree names
    for feature, width, position, count in layout:
        data = bytes(blob[position : position + width * count])
        thresholds = [int.from_bytes(data[i : i + width], "little") for i in range(0, len(data), width)]
        found[feature] = thresholds if count else range(256)
    return found
