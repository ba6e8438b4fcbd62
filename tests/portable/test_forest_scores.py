"""Walking the forest, in each kernel set this VM has."""

from array import array

from dibble.inference.kernels.forest_bytecode import forest as bytecode
from support import heap_lock, heap_unlock, in_file

try:
    from dibble.inference.kernels.forest_plan import forest as quickest
except (ImportError, SyntaxError, NameError):
    quickest = bytecode


def scores(codes, tables, classes):
    """Return each class's score, which both kernel sets agree on; every feature is its own code."""
    file, nodes = in_file(tables[:4])
    inputs = len(codes)
    layout = [(i, 1, 0, 0) for i in range(inputs)]
    low, limits = array("i", [0] * inputs), [255] * inputs
    row = array("i", codes)
    found = []
    for make in (bytecode, quickest):
        score, sums = make(file, layout, tuple(nodes) + tables[4:], low, limits)
        heap_lock()
        try:
            score(row)
            lead = score(row)  # nothing is left of the row before
        finally:
            heap_unlock()
        found.append((list(sums)[:classes], lead))
    assert found[0] == found[1], found
    return found[0][0]


def voting(classes, trees):
    """Return the end of a forest whose every leaf is one vote for the class of its number."""
    return 128 + classes, trees, bytes(range(classes)), b"\1" * classes, array("H", [0] * classes)


def stump(feature, threshold, left, right, classes):
    byte = [bytes([value]) for value in (feature, threshold, 128 + left, 128 + right)]
    return tuple(byte) + (array("i", [0]), array("i")) + voting(classes, 1)


def test_code_equal_to_the_threshold_goes_left():
    forest = stump(1, 10, 0, 1, 2)
    assert scores([99, 10], forest, 2) == [1, 0]
    assert scores([0, 11], forest, 2) == [0, 1]


def test_extreme_thresholds():
    assert scores([0], stump(0, 0, 0, 1, 2), 2) == [1, 0]
    assert scores([1], stump(0, 0, 0, 1, 2), 2) == [0, 1]
    assert scores([255], stump(0, 254, 0, 1, 2), 2) == [0, 1]
    assert scores([255], stump(0, 255, 0, 1, 2), 2) == [1, 0]


def test_highest_class_of_a_hundred():
    assert scores([1], stump(0, 0, 0, 99, 100), 100) == [0] * 99 + [1]


def test_one_leaf_votes_alike_on_both_sides():
    assert scores([0], stump(0, 0, 2, 2, 3), 3) == scores([1], stump(0, 0, 2, 2, 3), 3) == [0, 0, 1]


def test_deep_tree_in_one_page():
    # A chain of 128 nodes: node i asks whether the code is <= i; the last one votes either way.
    n = 128
    forest = (
        bytes(n),
        bytes(range(n)),
        bytes([128 + i % 3 for i in range(n)]),
        bytes(list(range(1, n)) + [130]),
        array("i", [0]),
        array("i"),
    ) + voting(3, 1)
    for code in (0, 1, 2, 63, 126, 127, 128, 255):
        expected = [0, 0, 0]
        expected[code % 3 if code < n else 2] += 1
        assert scores([code], forest, 3) == expected


def test_references_lead_to_further_pages():
    # Tree 0 is page 0 with followers 2 and 3; tree 1 is page 1 with follower 4; page 2 is followed by 5.
    jump = 128 + 2
    forest = (
        bytes([0, 0, 1, 1, 0, 1]),
        bytes([100, 50, 10, 10, 75, 5]),
        bytes([jump, 128, jump, 129, 128, 128]),
        bytes([jump + 1, jump, 129, 128, 129, 129]),
        array("i", [0, 1, 2, 3, 4, 5]),
        array("i", [2, 4, 5, 6, 6, 6]),
    ) + voting(2, 2)
    assert scores([100, 5], forest, 2) == [1, 1]  # pages 0, 2, 5: class 0; pages 1, 4: class 1
    assert scores([100, 6], forest, 2) == [0, 2]
    assert scores([100, 11], forest, 2) == [0, 2]
    assert scores([101, 10], forest, 2) == [0, 2]
    assert scores([101, 11], forest, 2) == [1, 1]
    assert scores([50, 5], forest, 2) == [2, 0]
    assert scores([75, 5], forest, 2) == [2, 0]


def test_more_than_255_trees_are_counted():
    n = 700
    forest = tuple([bytes([value]) * n for value in (0, 4, 128, 129)])
    forest += (array("i", range(n)), array("i")) + voting(2, n)
    assert scores([4], forest, 2) == [n, 0]
    assert scores([5], forest, 2) == [0, n]


def weighed(amounts, base):
    """Return two stumps on one code: leaves 0 and 1 give to class 1, leaves 2 and 3 to classes 2 and 0."""
    return (
        bytes(2),
        bytes([10, 20]),
        bytes([128, 130]),
        bytes([129, 131]),
        array("i", [0, 1]),
        array("i"),
        132,
        2,
        bytes([1, 1, 2, 0]),
        bytes(amounts),
        array("H", base),
    )


def test_leaf_gives_its_amount_to_its_class():
    forest = weighed([3, 5, 7, 11], [0, 0, 0])
    assert scores([10], forest, 3) == [0, 3, 7]
    assert scores([11], forest, 3) == [0, 5, 7]
    assert scores([21], forest, 3) == [11, 5, 0]


def test_amounts_are_added_to_the_base():
    forest = weighed([3, 5, 7, 11], [100, 20, 3])
    assert scores([0], forest, 3) == [100, 23, 10]
    assert scores([0], forest, 3) == [100, 23, 10]


def test_largest_score_of_a_forest():
    forest = weighed([255, 1, 255, 255], [65280, 65280, 65535 - 255])
    assert scores([0], forest, 3) == [65280, 65535, 65535]
    assert scores([255], forest, 3) == [65535, 65281, 65280]


def test_class_without_a_leaf_keeps_its_base():
    assert scores([0], weighed([1, 1, 1, 1], [0, 0, 0, 65535]), 4) == [0, 1, 1, 65535]
