"""Picking the winner, in each kernel set this VM has."""

from array import array

from dibble.inference.kernels.forest_bytecode import forest as bytecode
from support import in_file

try:
    from dibble.inference.kernels.forest_plan import forest as quickest
except (ImportError, SyntaxError, NameError):
    quickest = bytecode


def winner(scores):
    """Return (class, margin) of a forest without trees, whose scores are its base."""
    file, nodes = in_file([b"\0"] * 4)
    ends = array("i", [0]), array("i"), 129, 0, b"\0", b"\0", array("H", scores)
    found = []
    for make in (bytecode, quickest):
        score, _ = make(file, [], tuple(nodes) + ends, array("i", [0]), [255])
        found.append(score(array("i", [0])))
    assert found[0] == found[1], found
    return found[0] & 255, found[0] >> 8


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
