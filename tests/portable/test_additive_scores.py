"""Sums of table entries, in each kernel set this VM has."""

from array import array

from dibble.inference.kernels.additive_bytecode import additive as bytecode
from support import Random, heap_lock, heap_unlock, in_file

try:
    from dibble.inference.kernels.additive_plan import additive as quickest
except (ImportError, SyntaxError, NameError):
    quickest = bytecode


def scores(values, tops, singles, pairs, tables, base):
    """Return the scores of all classes but the first; a feature's value is its code, up to its top.

    Args:
        tables: for each term, singles first, a table for each class but the first.
    """
    scalers = [(i, 0, 0, 0, 1, 0, tops[i]) for i in range(len(tops))]
    flat = []
    for term in tables:
        flat += [bytes(table) for table in term]
    file, placed = in_file(flat)
    columns = len(base) - 1
    tables = [placed[i : i + columns] for i in range(0, len(placed), columns)]
    parts = scalers, singles, pairs, tables, [], array("H", base)
    row = array("i", values)
    found = []
    for make in (bytecode, quickest):
        score, out = make(file, parts, array("i", [0] * len(row)), [255] * len(row))
        heap_lock()
        try:
            score(row)
            lead = score(row)
        finally:
            heap_unlock()
        assert out[0] == base[0]
        found.append((list(out)[1:], lead))
    assert found[0] == found[1], found
    return found[0][0]


def test_singles_are_summed():
    tables = [[[1, 2, 3]], [[0, 255]]]
    assert scores([0, 9, 0], [2, 9, 1], [0, 2], [], tables, [0, 100]) == [101]
    assert scores([2, 9, 1], [2, 9, 1], [0, 2], [], tables, [0, 100]) == [358]


def test_pair_is_row_major_in_its_first_code():
    # 3 rows by code 1 >> 1, 4 columns by code 0 >> 2.
    for values, expected in (([0, 0], 100), ([3, 1], 100), ([4, 1], 101), ([3, 2], 104), ([15, 5], 111)):
        assert scores(values, [15, 5], [], [(1, 1, 4, 0, 2)], [[range(100, 112)]], [0, 0]) == [expected]


def test_pair_of_the_largest_codes():
    table = [[bytes(255) + b"\7"]]
    assert scores([255, 255], [255, 255], [], [(0, 4, 16, 1, 4)], table, [0, 0]) == [7]
    assert scores([127, 127], [127, 127], [], [(0, 3, 16, 1, 3)], table, [0, 0]) == [7]
    assert scores([15, 15], [15, 15], [], [(0, 0, 16, 1, 0)], table, [0, 0]) == [7]


def test_pairs_of_several_classes():
    tables = [[[7, 8], [0, 9]], [[0, 1, 2, 3, 4, 5], [0, 10, 20, 30, 40, 50]]]
    assert scores([1, 4], [1, 4], [0], [(0, 0, 3, 1, 1)], tables, [0, 100, 0]) == [100 + 8 + 5, 9 + 50]
    assert scores([0, 1], [1, 4], [0], [(0, 0, 3, 1, 1)], tables, [0, 100, 0]) == [100 + 7, 0]


def test_no_terms_leave_the_base():
    assert scores([0], [0], [], [], [], [1, 7, 8, 9]) == [7, 8, 9]
    assert scores([0], [0], [], [], [], [1, 65535]) == [65535]


def test_largest_score():
    assert scores([0, 0], [0, 0], [0, 1], [], [[[255]], [[255]]], [0, 65535 - 510]) == [65535]


def test_random_tables_of_three_classes():
    random = Random(3)
    tables = [[[random.below(256) for _ in range(16)] for _ in range(3)] for _ in range(3)]
    for _ in range(20):
        codes = [random.below(16) for _ in range(3)]
        expected = [5 + k + sum([tables[i][k][codes[i]] for i in range(3)]) for k in range(3)]
        assert scores(codes, [15] * 3, [0, 1, 2], [], tables, [0, 5, 6, 7]) == expected, codes
