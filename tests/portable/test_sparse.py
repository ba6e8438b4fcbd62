"""Layers without their zeros, in each kernel set this VM has."""

from layers import SPARSE8
from layers import run as run_layer
from support import Random

SMALL = 0x3FFFFFFF


def run(x, weights, biases, shifts, top=255):
    """Return what every kernel set writes, for (input, weight) pairs of each unit."""
    rows = [(bytes([i for i, _ in row]), bytes([w + 128 for _, w in row])) for row in weights]
    return run_layer(x, SPARSE8, rows, biases, shifts, 0, top)


def test_extreme_weights():
    assert run([255, 255], [[(0, 127)], [(1, -127)], [(0, -127), (1, 127)]], [0, 32388, 7], [7, 0, 0]) == [253, 3, 7]
    assert run([2, 3], [[(0, -128), (1, 127)]], [0], [0]) == [125]


def test_unit_without_weights_is_its_bias():
    assert run([9, 9, 9], [[], [(1, 5)], []], [17, 0, -1], [0, 0, 0]) == [17, 45, 0]


def test_last_input_and_its_neighbours():
    assert run([1, 2, 4, 8], [[(3, 1)], [(0, 1), (3, 3)], [(2, 1)]], [0, 0, 0], [0, 0, 0]) == [8, 25, 4]


def test_sums_round_down():
    assert run([1], [[(0, 1)]] * 6, [-1, 0, 1, 2, 6, 7], [1] * 6) == [0, 0, 1, 1, 3, 4]
    assert run([1], [[(0, -1)]] * 4, [0, 1, 7, 9], [29, 29, 2, 2]) == [0, 0, 1, 2]


def test_sums_end_at_255():
    assert run([1], [[]] * 4, [254, 255, 256, SMALL], [0] * 4) == [254, 255, 255, 255]


def test_scores_end_at_65535():
    assert run([1], [[]] * 4, [65534, 65535, 65536, -1], [0] * 4, 65535) == [65534, 65535, 65535, 0]


def test_largest_sums():
    most = 127 * 255
    up, down = [(0, 127)], [(0, -127)]
    assert run([255], [up, down], [SMALL - most, most - SMALL - 1], [14, 0], 65535) == [65535, 0]
    assert run([255], [down, up], [SMALL, -SMALL - 1], [14, 29], 65535) == [65534, 0]  # 65535.99 - 1.98
    assert run([0], [up, down], [SMALL, -SMALL - 1], [14, 0], 65535) == [65535, 0]


def test_no_units():
    assert run([9], [], [], []) == []


def test_random_layers_agree_with_the_definition():
    random = Random(7)
    for top in (255, 65535):
        x = [random.below(256) for _ in range(9)]
        weights = [[(i, random.below(255) - 127) for i in range(9) if random.below(5) < 2] for _ in range(4)]
        bias = random.below(60000)
        expected = []
        for row in weights:
            total = bias
            for i, weight in row:
                total += weight * x[i]
            expected.append(min(max(total // 128, 0), top))
        assert run(x, weights, [bias] * 4, [7] * 4, top) == expected
