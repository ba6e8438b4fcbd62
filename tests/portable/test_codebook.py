"""Layers whose weights are places in a book of 16, in each kernel set this VM has."""

from layers import CODEBOOK4
from layers import run as run_layer
from support import Random

SMALL = 0x3FFFFFFF
BOOK = [-127, -90, -60, -30, -10, -5, -1, 0, 1, 5, 10, 30, 60, 90, 126, 127]


def run(x, weights, biases, shifts, top=255, filler=15):
    """Return what every kernel set writes, for weights (units, inputs) that are in the book."""
    rows = []
    for row in weights:
        places = [BOOK.index(w) for w in row] + [filler] * (len(row) & 1)
        rows.append(bytes([places[i] << 4 | places[i + 1] for i in range(0, len(places), 2)]))
    return run_layer(x, CODEBOOK4, rows, biases, shifts, bytes([w + 128 for w in BOOK]), top)


def test_even_number_of_inputs():
    assert run([1, 2], [[5, 10], [-1, 126]], [0, 1], [0, 1]) == [25, 126]
    assert run([1, 2, 3, 4], [[1, 5, 10, 30]], [0], [0]) == [161]


def test_odd_number_of_inputs():
    assert run([7], [[10], [-1]], [1, 9], [0, 0]) == [71, 2]
    assert run([1, 2, 3, 4, 5], [[1, 1, 1, 1, 10], [-5, 0, 0, 0, 30]], [0, 1], [0, 1]) == [60, 73]


def test_filler_of_an_odd_row_never_counts():
    for filler in (0, 7, 15):
        assert run([255], [[127]], [0], [7], 255, filler) == [253]
        assert run([255], [[-127]], [32385 + 3], [0], 255, filler) == [3]


def test_every_place_of_the_book():
    x = [i * 16 for i in range(16)]
    backwards = list(reversed(BOOK))
    total = 0
    for i in range(16):
        total += BOOK[i] * x[i]
    assert run(x, [BOOK, backwards], [0, 90000], [9, 9]) == [total >> 9, 90000 - total + sum(BOOK) * 240 >> 9]


def test_sums_round_down():
    assert run([1], [[1]] * 6, [-1, 0, 1, 2, 6, 7], [1] * 6) == [0, 0, 1, 1, 3, 4]
    assert run([1], [[-1]] * 4, [0, 1, 7, 9], [29, 29, 2, 2]) == [0, 0, 1, 2]


def test_sums_end_at_255():
    assert run([1], [[0]] * 4, [254, 255, 256, SMALL], [0] * 4) == [254, 255, 255, 255]


def test_scores_end_at_65535():
    assert run([1], [[0]] * 4, [65534, 65535, 65536, -1], [0] * 4, 65535) == [65534, 65535, 65535, 0]


def test_largest_sums():
    x = [255] * 8
    most = 127 * 255 * 8
    assert run(x, [[127] * 8, [-127] * 8], [SMALL - most, most], [14, 0], 65535) == [65535, 0]
    assert run(x, [[-127] * 8], [-SMALL - 1 + 128 * 255 * 8], [0], 65535) == [0]


def test_no_units():
    assert run([9], [], [], []) == []


def test_random_layers_agree_with_the_definition():
    random = Random(8)
    for inputs in (3, 8, 11):
        x = [random.below(256) for _ in range(inputs)]
        weights = [[BOOK[random.below(16)] for _ in range(inputs)] for _ in range(3)]
        bias = random.below(60000)
        for top in (255, 65535):
            expected = []
            for row in weights:
                total = bias
                for i in range(inputs):
                    total += row[i] * x[i]
                expected.append(min(max(total // 128, 0), top))
            assert run(x, weights, [bias] * 3, [7] * 3, top) == expected
