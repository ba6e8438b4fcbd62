"""Walking the forest, and picking the winner, in each kernel set this VM has."""

from array import array

from dibble.inference.kernels import forest_votes as quick_votes
from dibble.inference.kernels import top_two as quick_top_two
from dibble.inference.kernels_bytecode import forest_votes, top_two


def votes(codes, forest, classes):
    found = []
    for kernel in (forest_votes, quick_votes):
        counts = array("H", [9] * classes)
        kernel(bytearray(codes), forest, counts)
        found.append(list(counts))
    assert found[0] == found[1], found
    return found[0]


def winner(scores):
    """Return (class, margin)."""
    found = [kernel(array("H", scores)) for kernel in (top_two, quick_top_two)]
    assert found[0] == found[1], found
    return found[0] & 255, found[0] >> 8


def stump(feature, threshold, left, right, classes):
    byte = [bytes([value]) for value in (feature, threshold, 128 + left, 128 + right)]
    return tuple(byte) + (array("i", [0]), array("i"), 128 + classes, 1)


def test_code_equal_to_the_threshold_goes_left():
    forest = stump(1, 10, 0, 1, 2)
    assert votes([99, 10], forest, 2) == [1, 0]
    assert votes([0, 11], forest, 2) == [0, 1]


def test_extreme_thresholds():
    assert votes([0], stump(0, 0, 0, 1, 2), 2) == [1, 0]
    assert votes([1], stump(0, 0, 0, 1, 2), 2) == [0, 1]
    assert votes([255], stump(0, 254, 0, 1, 2), 2) == [0, 1]
    assert votes([255], stump(0, 255, 0, 1, 2), 2) == [1, 0]


def test_highest_class_of_a_hundred():
    assert votes([1], stump(0, 0, 0, 99, 100), 100) == [0] * 99 + [1]


def test_one_leaf_votes_alike_on_both_sides():
    assert votes([0], stump(0, 0, 2, 2, 3), 3) == votes([1], stump(0, 0, 2, 2, 3), 3) == [0, 0, 1]


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
        131,
        1,
    )
    for code in (0, 1, 2, 63, 126, 127, 128, 255):
        expected = [0, 0, 0]
        expected[code % 3 if code < n else 2] += 1
        assert votes([code], forest, 3) == expected


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
        jump,
        2,
    )
    assert votes([100, 5], forest, 2) == [1, 1]  # pages 0, 2, 5: class 0; pages 1, 4: class 1
    assert votes([100, 6], forest, 2) == [0, 2]
    assert votes([100, 11], forest, 2) == [0, 2]
    assert votes([101, 10], forest, 2) == [0, 2]
    assert votes([101, 11], forest, 2) == [1, 1]
    assert votes([50, 5], forest, 2) == [2, 0]
    assert votes([75, 5], forest, 2) == [2, 0]


def test_more_than_255_trees_are_counted():
    n = 700
    forest = tuple([bytes([value]) * n for value in (0, 4, 128, 129)])
    forest += (array("i", range(n)), array("i"), 130, n)
    assert votes([4], forest, 2) == [n, 0]
    assert votes([5], forest, 2) == [0, n]


def test_first_of_equal_scores_wins_without_margin():
    assert winner([5, 5]) == (0, 0)
    assert winner([1, 5, 5, 2]) == (1, 0)
    assert winner([0, 0, 0]) == (0, 0)


def test_margin_is_the_lead_over_the_runner_up():
    assert winner([3, 10, 7]) == (1, 3)
    assert winner([10, 7, 3]) == (0, 3)
    assert winner([3, 7, 10]) == (2, 3)
    assert winner([10, 3, 7]) == (0, 3)


def test_single_class_leads_over_nothing():
    assert winner([10]) == (0, 11)


def test_largest_scores():
    assert winner([0, 65535]) == (1, 65535)
    assert winner([65535, 65535]) == (0, 0)
    assert winner([0] * 99 + [1]) == (99, 1)
