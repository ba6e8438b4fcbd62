"""Forest family: 8-bit ranks of the features, decision trees, a class and an amount in each leaf."""

from array import array

from dibble.inference.kernels.choice import KIND

if KIND == "bytecode":
    from dibble.inference.kernels.forest_bytecode import forest
else:
    from dibble.inference.kernels.forest_plan import forest


def width_of(limit):
    """Return the bytes of a threshold of a feature whose largest value is `limit`."""
    return 1 if limit < 256 else 2 if limit < 65536 else 4


def read(cursor, limits, classes):
    """Return (layout, tables) of a forest.

    layout: (feature, width, position, count) of each coded feature's thresholds in the file;
    tables: (features, codes, lefts, rights, starts, children, leaves_end, trees, leaf classes,
    leaf amounts, base): models/FORMAT.md has the meaning of a reference.
    """
    counts = [cursor.number() for _ in limits]
    trees, starts, children, nodes = _read_pages(cursor)
    leaves = cursor.number()
    if leaves:
        leaf_classes = cursor.take(leaves)
        leaf_amounts = cursor.take(leaves)
        base = [cursor.number() for _ in range(classes)]
        if max(leaf_classes) >= classes:
            raise ValueError("a leaf of class %d" % max(leaf_classes))
    else:
        leaves = classes
        leaf_classes = bytes(range(classes))
        leaf_amounts = b"\1" * classes
        base = [0] * classes
    layout = _place(cursor, counts, limits)
    parts = cursor.take(nodes), cursor.take(nodes), cursor.take(nodes), cursor.take(nodes)
    return layout, parts + (starts, children, 128 + leaves, trees, leaf_classes, leaf_amounts, base)


def build(cursor, low, limits, classes):
    """Return (f, scores) of the forest that the file holds at the cursor: see forest_bytecode.forest."""
    layout, tables = read(cursor, limits, classes)
    return forest(cursor.blob, layout, tables, low, limits)


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


def _place(cursor, counts, limits):
    """Return the layout, without features no split asks about; one of 8 bits is its own code."""
    layout = []
    for width in (4, 2, 1):
        for i in range(len(counts)):
            if width_of(limits[i]) == width:
                if counts[i]:
                    cursor.align(width)
                if counts[i] or width == 1:
                    layout.append((i, width, cursor.at, counts[i]))
                cursor.take(width * counts[i])
    return layout
