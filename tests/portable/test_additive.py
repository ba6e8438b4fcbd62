"""The additive family as a whole: how classes share sums, what pushed a margin, what flags a row as novel."""

from array import array

from dibble.inference.additive import additive, build, read
from dibble.inference.explanation import push
from dibble.inference.format import Cursor
from support import Random, heap_lock, heap_unlock, in_file
from vm_predictor import predictor


def plain(feature, top):
    """Return the scaler whose codes are the feature's values, up to top."""
    return feature, 0, 0, 0, 1, 0, top


def made(parts, features=3, limit=0x3FFFFFFF):
    """Return (f, scores) of parts whose tables are laid out in a file."""
    scalers, singles, pairs, tables, centres, base = parts
    flat = []
    for term in tables:
        flat += term
    file, placed = in_file(flat)
    columns = len(base) - 1
    tables = [placed[i : i + columns] for i in range(0, len(placed), columns)]
    limits = [limit] * features  # codes are clamped, whatever is read
    return additive(file, (scalers, singles, pairs, tables, centres, base), array("i", [0] * features), limits)


def random_parts(random, classes, features, pairs, most, base):
    scalers = [plain(i, 7) for i in range(features)]
    crossed = [(random.below(features), 1, 8, random.below(features), 0) for _ in range(pairs)]
    sizes = [8] * features + [32] * pairs
    tables = [[bytes([random.below(most + 1) for _ in range(n)]) for _ in range(classes - 1)] for n in sizes]
    centres = [bytes([table[0] for table in term]) for term in tables]
    return scalers, list(range(features)), crossed, tables, centres, array("H", [base] * classes)


def naive(values, parts, classes):
    _, singles, pairs, tables, _, base = parts
    out = [base[0]]
    for k in range(classes - 1):
        total = base[k + 1]
        for i in singles:
            total += tables[i][k][values[i]]
        for j, (a, _, n, b, _) in enumerate(pairs):
            total += tables[len(singles) + j][k][values[a] // 2 * n + values[b]]
        out.append(total)
    return out


def check(classes, features, pairs, most, base):
    random = Random(classes)
    parts = random_parts(random, classes, features, pairs, most, base)
    score, scores = made(parts, features)
    for _ in range(25):
        values = [random.below(8) for _ in range(features)]
        row = array("i", values)
        heap_lock()
        try:
            score(row)
        finally:
            heap_unlock()
        assert list(scores) == naive(values, parts, classes), (classes, values)


def test_every_number_of_classes_with_small_sums():
    for classes in range(2, 9):
        check(classes, 3, 1, 200, 9)


def test_every_number_of_classes_with_sums_of_15_bits():
    for classes in range(2, 7):
        check(classes, 6, 2, 255, 20000)


def test_every_number_of_classes_with_sums_of_16_bits():
    for classes in range(2, 5):
        check(classes, 3, 2, 255, 64000)


def test_sums_at_the_edge_of_each_width():
    # Two terms of 255 over a base: the largest sum of 10, 15 and 16 bits, and one beyond.
    for base in (1023 - 510, 1024 - 510, 32767 - 510, 32768 - 510, 65535 - 510):
        for classes in (2, 3, 4, 5):
            parts = (
                [plain(0, 1), plain(1, 1)],
                [0, 1],
                [],
                [[b"\x00\xff"] * (classes - 1)] * 2,
                [bytes(classes - 1)] * 2,
                array("H", [1] + [base] * (classes - 1)),
            )
            score, scores = made(parts, 2)
            score(array("i", [9, 9]))
            assert list(scores) == [1] + [base + 510] * (classes - 1), (base, classes)
            score(array("i", [0, 1]))
            assert list(scores) == [1] + [base + 255] * (classes - 1), (base, classes)


PARTS = (
    # Three channels and three classes; channel 1 stands alone, 0 and 2 in a pair as well.
    [plain(0, 3), plain(1, 3), plain(2, 3)],
    [0, 1, 2],
    [(0, 1, 2, 2, 1)],
    [
        [bytes([10, 20, 30, 40]), bytes([10, 10, 10, 10])],
        [bytes([5, 5, 5, 90]), bytes([60, 0, 0, 0])],
        [bytes([0, 1, 2, 3]), bytes([0, 0, 0, 0])],
        [bytes([0, 0, 0, 51]), bytes([0, 40, 0, 0])],
    ],
    [bytes([25, 10]), bytes([20, 10]), bytes([1, 0]), bytes([10, 10])],
    array("H", [100, 50, 50]),
)


def judge(unsure_below=0, novelty=None, novel_below=0):
    score, _ = made(PARTS, 3, 3)
    if novelty:
        usual, scores = novelty
        novelty = usual, novel_below - scores[0]
    return predictor([0] * 3, [3] * 3, None, 0, score, unsure_below, 1, novelty)


def result(d):
    return d.class_index, d.margin, d.flags, d.channel


def test_scores_decide():
    node = judge()
    assert result(node.predict([0, 3, 0])) == (1, 50, 0, -1)  # 100, 50 + 10 + 90, 50 + 10
    assert result(node.predict([0, 0, 0])) == (2, 20, 0, -1)  # 100, 65, 120
    assert result(node.predict([0, 1, 0])) == (0, 35, 0, -1)  # 100, 65, 60


def test_push_names_the_feature_that_pushed_hardest():
    # Class 1 before 0: 10 - 25, 90 - 20, 0 - 1, and 0 - 10 shared by channels 0 and 2.
    assert push(PARTS, 3, [0, 3, 0], 1) == (1, 70)
    assert push(PARTS, 3, [0, 0, 0], 2) == (1, 50)  # class 2 before 0: 10 - 10, 60 - 10, 0, 0 - 10


def test_push_may_name_what_spoke_against():
    # Class 1 with 50 + 40 + 5 + 2 + 51 = 148 before 0: 15, -15, 1, and 41 shared.
    assert push(PARTS, 3, [3, 1, 2], 1) == (0, 15 + 20)
    assert push(PARTS, 3, [0, 1, 0], 0) == (0, 20)  # class 0 before 1: 15, 15, 1, and 10 shared
    # Class 2 with 50 + 10 + 0 + 0 + 40 = 100 ties with 0, which wins: 0, 10, 0, -30 shared.
    assert push(PARTS, 3, [0, 2, 2], 0) == (0, -15)
    # Class 2 with 50 + 10 + 60 + 0 + 40 = 160 before 0: 0, 50, 0, 30 shared.
    assert push(PARTS, 3, [1, 0, 2], 2) == (1, 50)


def test_push_may_name_a_later_feature_that_spoke_against():
    tables = [[bytes([10, 12])], [bytes([0, 9])]]
    parts = ([plain(0, 1), plain(1, 1)], [0, 1], [], tables, [bytes([10]), bytes([9])], array("H", [0, 5]))
    assert push(parts, 2, [1, 0], 1) == (1, -9)  # class 1 with 5 + 12 + 0


def test_halves_of_an_odd_pair_are_both_counted():
    scalers = [plain(0, 1), plain(1, 1)]
    parts = (scalers, [], [(0, 0, 2, 1, 0)], [[bytes([0, 7, 0, 0])]], [bytes([0])], array("H", [0, 1]))
    assert push(parts, 2, [0, 1], 1) == (1, 4)


def usual():
    """Return how usual a row is: 10 a channel, nothing at its value 3."""
    tables = [[bytes([10, 10, 10, 0])] for _ in range(2)]
    return made(([plain(0, 3), plain(2, 3)], [0, 1], [], tables, [b"\n"] * 2, array("H", [0, 1])), 3, 3)


def test_unusual_row_is_flagged_novel():
    node = judge(0, usual(), 11)
    assert result(node.predict([0, 0, 0])) == (2, 20, 0, -1)
    assert result(node.predict([3, 0, 0]))[2] == 0  # 11
    assert result(node.predict([3, 0, 3]))[2] == 8  # 1


def test_novel_adds_to_the_other_flags():
    node = judge(1000, usual(), 11)
    assert result(node.predict([4, 0, 3])) == (1, 29, 1 | 2 | 8, 0)
    assert result(node.predict([None, 0, 3])) == (255, 0, 4, 0)


def test_predicting_and_novelty_allocate_nothing():
    node = judge(0, usual(), 11)
    rows = [0, 3, 0], [4, None, 3], [4, 1, 3]
    seen = array("i", [0] * 3)
    heap_lock()
    try:
        i = 0
        while i < 3:
            seen[i] = node.predict(rows[i]).flags
            i += 1
    finally:
        heap_unlock()
    assert list(seen) == [0, 4, 2 | 8]


def test_tables_are_read_from_a_file():
    # Feature 1 has no scaler, feature 2 no table of its own.
    blob = bytes([3, 0, 1, 0, 0, 128 + 3, 1, 2, 1])  # top, shift, multiplier, zero point
    blob += bytes([1, 0, 1, 1 << 4 | 0])  # one pair: codes 0 >> 1 and 1 >> 0
    blob += bytes([100, 50])  # base
    blob += bytes([21, 9])  # centres
    blob += bytes([10, 20, 30, 40]) + bytes(range(8))
    cursor = Cursor(blob, 0)
    limits = [3, 9, 40000]
    score, scores = build(cursor, array("i", [0] * 3), limits, 2)
    assert cursor.at == len(blob)
    score(array("i", [3, 9, 3]))  # codes 3 and (3 >> 1) - 1 times 2 >> 1 = 0
    assert list(scores) == [100, 50 + 40 + 4]
    score(array("i", [1, 9, 10]))  # codes 1 and 4, at most 3
    assert list(scores) == [100, 50 + 20 + 3]
    assert push(read(Cursor(blob, 0), limits, 2), 3, [1, 9, 10], 1) == (0, -1 - 3)
