"""Sums of table entries, in each kernel set this VM has."""

from array import array

from dibble.inference.additive_bytecode import additive_scores
from dibble.inference.additive_kernels import additive_scores as quick_scores
from support import Random, heap_lock, heap_unlock


def scores(codes, groups, classes):
    """Return the scores of all classes but the first, which the kernel leaves alone."""
    found = []
    for kernel in (additive_scores, quick_scores):
        codes = bytearray(codes)
        out = array("H", [4321] * classes)
        heap_lock()
        try:
            kernel(codes, groups, out)
        finally:
            heap_unlock()
        assert out[0] == 4321
        found.append(list(out)[1:])
    assert found[0] == found[1], found
    return found[0]


def packed(tables, bits):
    """Return one table that holds an entry of each in `bits` bits."""
    out = array("i", [0] * len(tables[0]))
    for i in range(len(tables)):
        for j in range(len(out)):
            out[j] |= tables[i][j] << bits * i
    return out


def test_single_class_sums_bytes():
    groups = [(1, 1, 10, 100, [(0, bytes([1, 2, 3])), (2, bytes([0, 255]))], [])]
    assert scores([0, 9, 0], groups, 2) == [101]
    assert scores([2, 9, 1], groups, 2) == [358]


def test_single_class_reads_a_memoryview():
    try:
        table = memoryview(bytes([9, 9, 5, 6, 7]))[2:]
    except NameError:  # MicroPython 1.9
        return
    assert scores([2], [(1, 1, 15, 0, [(0, table)], [])], 2) == [7]


def test_single_class_reaches_65535():
    groups = [(1, 1, 15, 65535 - 510, [(0, b"\xff"), (0, b"\xff")], [])]
    assert scores([0], groups, 2) == [65535]


def test_two_classes_of_15_bits_reach_32767_side_by_side():
    start = (32767 - 255) | (32767 - 255) << 15
    groups = [(1, 2, 15, start, [(0, packed([[255, 0, 255], [255, 255, 0]], 15))], [])]
    assert scores([0], groups, 3) == [32767, 32767]
    assert scores([1], groups, 3) == [32767 - 255, 32767]
    assert scores([2], groups, 3) == [32767, 32767 - 255]


def test_two_classes_of_10_bits():
    groups = [(1, 2, 10, 768 | 1 << 10, [(0, packed([[255, 0], [0, 7]], 10))], [])]
    assert scores([0], groups, 3) == [1023, 1]
    assert scores([1], groups, 3) == [768, 8]


def test_three_classes_of_10_bits_reach_1023_side_by_side():
    start = 768 | 768 << 10 | 768 << 20
    groups = [(1, 3, 10, start, [(1, packed([[255, 0, 1], [255, 2, 0], [255, 0, 3]], 10))], [])]
    assert scores([0, 0], groups, 4) == [1023, 1023, 1023]
    assert scores([0, 1], groups, 4) == [768, 770, 768]
    assert scores([0, 2], groups, 4) == [769, 768, 771]


def test_groups_of_three_two_and_one_follow_each_other():
    groups = [
        (1, 3, 10, 1 | 2 << 10 | 3 << 20, [(0, packed([[10, 0], [20, 0], [30, 0]], 10))], []),
        (4, 2, 10, 4 | 5 << 10, [(0, packed([[40, 0], [50, 0]], 10))], []),
        (6, 1, 10, 6, [(0, bytes([60, 0]))], []),
    ]
    assert scores([0], groups, 7) == [11, 22, 33, 44, 55, 66]
    assert scores([1], groups, 7) == [1, 2, 3, 4, 5, 6]


def test_pair_is_row_major_in_its_first_code():
    # 3 rows by code 1 >> 1, 4 columns by code 0 >> 2.
    table = bytes(range(100, 112))
    groups = [(1, 1, 10, 0, [], [(1, 1, 4, 0, 2, table)])]
    assert scores([0, 0], groups, 2) == [100]
    assert scores([3, 1], groups, 2) == [100]
    assert scores([4, 1], groups, 2) == [101]
    assert scores([3, 2], groups, 2) == [104]
    assert scores([15, 5], groups, 2) == [111]


def test_pair_of_the_largest_codes():
    table = bytes(255) + b"\7"
    assert scores([255, 255], [(1, 1, 10, 0, [], [(0, 4, 16, 1, 4, table)])], 2) == [7]
    assert scores([127, 127], [(1, 1, 10, 0, [], [(0, 3, 16, 1, 3, table)])], 2) == [7]
    assert scores([15, 15], [(1, 1, 10, 0, [], [(0, 0, 16, 1, 0, table)])], 2) == [7]


def test_pairs_of_several_classes():
    tables = packed([[0, 1, 2, 3, 4, 5], [0, 10, 20, 30, 40, 50]], 15)
    groups = [(1, 2, 15, 100, [(0, packed([[7, 8], [0, 9]], 15))], [(0, 0, 3, 1, 1, tables)])]
    assert scores([1, 4], groups, 3) == [100 + 8 + 5, 9 + 50]
    assert scores([0, 1], groups, 3) == [100 + 7, 0]


def test_no_terms_leave_the_base():
    assert scores([], [(1, 3, 10, 7 | 8 << 10 | 9 << 20, [], [])], 4) == [7, 8, 9]
    assert scores([], [(1, 1, 15, 65535, [], [])], 2) == [65535]


def test_random_tables_of_three_classes():
    random = Random(3)
    tables = [[bytes([random.below(256) for _ in range(16)]) for _ in range(3)] for _ in range(3)]
    groups = [(1, 3, 10, 5 | 6 << 10 | 7 << 20, [(i, packed(tables[i], 10)) for i in range(3)], [])]
    for _ in range(20):
        codes = [random.below(16) for _ in range(3)]
        expected = [5 + k + sum([tables[i][k][codes[i]] for i in range(3)]) for k in range(3)]
        assert scores(codes, groups, 4) == expected, codes
