"""Layers that hold every weight, as bytes or as 16 bits, in each kernel set this VM has."""

from layers import DENSE8, DENSE16
from layers import run as run_layer
from support import Random

SMALL = 0x3FFFFFFF


def run(x, weights, biases, shifts, top, zero_point):
    """Return what every kernel set writes, for weights (units, inputs) and inputs x."""
    rows = []
    for row in weights:
        row = [w + zero_point for w in row]
        rows.append(bytes(row) if zero_point == 128 else b"".join([bytes([w & 255, w >> 8]) for w in row]))
    return run_layer(x, DENSE8 if zero_point == 128 else DENSE16, rows, biases, shifts, zero_point, top)


def check(x, weights, biases, shifts, expected, top=255, zero_points=(128, 32768)):
    for zero_point in zero_points:
        got = run(x, weights, biases, shifts, top, zero_point)
        assert got == expected, (zero_point, got, expected)


def test_one_weight():
    check([255], [[127]], [0], [7], [253])  # 32385 : 128 = 253.01
    check([255], [[-127]], [32385 + 3], [0], [3])
    check([255], [[1]], [0], [0], [255])
    check([0], [[127]], [7], [0], [7])


def test_extreme_weights_cancel_exactly():
    check([255, 255, 255, 255], [[127, -127, 127, -127], [-127, 127, -127, 127]], [5, 6], [0, 1], [5, 3])


def test_weight_of_minus_128():
    # Not trained, but a byte can say it.
    check([2, 3], [[-128, 127]], [0], [0], [125])


def test_weights_keep_their_order():
    check([1, 2, 3, 4, 5], [[1, 2, 3, 4, 5], [-1, 0, 0, 0, 40]], [0, 1], [0, 1], [55, 100])


def test_sums_round_down():
    check([1], [[1]] * 6, [-1, 0, 1, 2, 6, 7], [1] * 6, [0, 0, 1, 1, 3, 4])
    check([1], [[-1]] * 4, [4, 5, 7, 9], [2] * 4, [0, 1, 1, 2])


def test_negative_sums_are_0():
    check([1, 255], [[0, -127], [-1, 0], [-1, 0]], [0, 0, 1], [0, 20, 0], [0, 0, 0])


def test_sums_end_at_255():
    check([1], [[0]] * 4, [254, 255, 256, SMALL], [0] * 4, [254, 255, 255, 255])
    check([1], [[0]] * 3, [(255 << 9) - 1, (255 << 9) + 511, 256 << 9], [9] * 3, [254, 255, 255])


def test_scores_end_at_65535():
    check([1], [[0]] * 4, [65534, 65535, 65536, SMALL], [0] * 4, [65534, 65535, 65535, 65535], 65535)
    check([1], [[-1]] * 3, [0, 1, 300], [0] * 3, [0, 0, 299], 65535)


def test_largest_biases():
    check([0], [[0]] * 4, [SMALL, SMALL, -SMALL, -SMALL - 1], [22, 14, 0, 29], [255, 255, 0, 0])
    # With an input a sum begins that much lower.
    for zero_point in (128, 32768):
        check([255], [[0], [0]], [SMALL, -SMALL - 1 + zero_point * 255], [14, 0], [65535, 0], 65535, (zero_point,))


def test_largest_sums_of_bytes():
    x = [255] * 8
    most = 127 * 255 * 8
    check(x, [[127] * 8, [-127] * 8], [SMALL - most, most], [14, 0], [65535, 0], 65535)
    check(x, [[-127] * 8], [-SMALL - 1 + 128 * 255 * 8], [0], [0], 255, (128,))


def test_largest_sums_of_16_bits():
    x = [255] * 64
    most = 32767 * 255 * 64
    check(x, [[32767] * 64] * 2, [SMALL - most, 3 - most], [14, 0], [65535, 3], 65535, (32768,))
    least = -SMALL - 1 + 32768 * 255 * 64
    check(x, [[-32767] * 64] * 2, [least, most + 65534], [0, 0], [0, 65534], 65535, (32768,))


def test_no_units():
    check([9], [], [], [], [])
    check([9], [], [], [], [], 65535)


def test_random_layers_of_both_widths():
    random = Random(5)
    for inputs in (1, 7, 12):
        for zero_point in (128, 32768):
            weights = [[random.below(2 * zero_point - 1) + 1 - zero_point for _ in range(inputs)] for _ in range(3)]
            x = [random.below(256) for _ in range(inputs)]
            bias = random.below(60000) - 20000
            for top in (255, 65535):
                shift = random.below(12)
                expected = []
                for row in weights:
                    total = bias
                    for i in range(inputs):
                        total += row[i] * x[i]
                    expected.append(min(max(total // (1 << shift), 0), top))
                check(x, weights, [bias] * 3, [shift] * 3, expected, top, (zero_point,))
