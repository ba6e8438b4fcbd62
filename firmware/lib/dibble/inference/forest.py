"""Forest family: 8-bit ranks of the features, decision trees, a class and an amount in each leaf."""

from array import array

from dibble.inference.forest_kernels import encode, forest_scores, prepare_coders


class Forest:
    """Decision trees ready to run.

    Args:
        features: number of features.
        coders: from prepare_coders.
        tables: see forest_bytecode.forest_scores.
    """

    def __init__(self, features, coders, tables):
        self.codes = bytearray(features)
        self.coders = coders
        self.tables = tables

    def score(self, values, scores):
        """Write each class's score for one row of feature values."""
        encode(values, self.coders, self.codes)
        forest_scores(self.codes, self.tables, scores)


def width_of(limit):
    """Return the bytes of a threshold of a feature whose largest value is `limit`."""
    return 1 if limit < 256 else 2 if limit < 65536 else 4


def read(cursor, limits, classes):
    """Return (layout, tables) of a forest.

    layout: (feature, width, position, count) of each coded feature's thresholds in the file.
    """
    layout = [(i, width_of(limits[i]), 0, cursor.number()) for i in range(len(limits))]
    trees, starts, children, nodes = _read_pages(cursor)
    leaves = cursor.number()
    if leaves:
        leaf_classes = cursor.take(leaves)
        leaf_amounts = cursor.take(leaves)
        base = array("H", [cursor.number() for _ in range(classes)])
        if max(leaf_classes) >= classes:
            raise ValueError("a leaf of class %d" % max(leaf_classes))
    else:
        leaves = classes
        leaf_classes = bytes(range(classes))
        leaf_amounts = b"\1" * classes
        base = array("H", [0] * classes)
    layout = _place(layout, cursor)
    parts = tuple([cursor.take(nodes) for _ in range(4)])
    return layout, parts + (starts, children, 128 + leaves, trees, leaf_classes, leaf_amounts, base)


def build(cursor, limits, classes):
    """Return the Forest that the file holds at the cursor."""
    layout, tables = read(cursor, limits, classes)
    return Forest(len(limits), prepare_coders(cursor.blob, layout), tables)


def _read_pages(cursor):
    """Return (trees, starts, children, nodes): each page's first node, and the first of its followers."""
    trees = cursor.number()
    pages = cursor.number()
    starts = array("i")
    nodes = 0
    for _ in range(pages):
        starts.append(nodes)
        nodes += cursor.byte() + 1
    children = array("i")
    if pages > trees:
        child = trees
        for _ in range(pages):
            children.append(child)
            child += cursor.byte()
    return trees, starts, children, nodes


def _place(layout, cursor):
    """Return the layout with positions, but without features no split asks about; one of 8 bits is its own code."""
    placed = []
    for width in (4, 2, 1):
        if any([own == width and count for _, own, _, count in layout]):
            cursor.align(width)
        for feature, own, _, count in layout:
            if own == width:
                if count or width == 1:
                    placed.append((feature, width, cursor.at, count))
                cursor.take(width * count)
    return placed
