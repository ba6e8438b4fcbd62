"""A code of a forest is a place among its feature's thresholds, in each kernel set this VM has."""

from array import array

from dibble.inference.kernels.forest_bytecode import forest as bytecode
from support import in_file

try:
    from dibble.inference.kernels.forest_plan import forest as quickest
except (ImportError, SyntaxError, NameError):
    quickest = bytecode


def ranks(blob, layout, values):
    """Return how many thresholds each feature's value isn't below: a tree asks for each, and votes for its feature."""
    trees = []
    for feature, _, _, count in layout:
        trees += [(feature, code) for code in range(count or 255)]
    features = len(values)
    n = len(trees)
    sides = bytes([129 + feature for feature, _ in trees])
    nodes = bytes([feature for feature, _ in trees]), bytes([code for _, code in trees]), b"\x80" * n, sides
    blob, nodes = in_file(nodes, blob)
    classes = bytes(range(features + 1))
    ends = array("i", range(n)), array("i"), 129 + features, n, classes, b"\0" + b"\1" * features
    tables = tuple(nodes) + ends + (array("H", [0] * (features + 1)),)
    found = []
    for make in (bytecode, quickest):
        score, sums = make(blob, layout, tables, array("i", [0] * features), [0x3FFFFFFF] * features)
        score(array("i", values))
        found.append(list(sums)[1:])
    assert found[0] == found[1], (layout, values, found)
    return found[0]


def table(thresholds, width):
    out = bytearray()
    for threshold in thresholds:
        for _ in range(width):
            out.append(threshold & 255)
            threshold >>= 8
    return bytes(out)


def check_width(thresholds, width, values):
    blob = bytes(4) + table(thresholds, width) + bytes(4)
    for value in values:
        rank = ranks(blob, [(0, width, 4, len(thresholds))], [value])[0]
        assert rank == sum([t < value for t in thresholds]), (width, value, rank)


def around(thresholds, limit):
    values = set([0, limit])
    for t in thresholds:
        values.update([v for v in (t - 1, t, t + 1) if 0 <= v <= limit])
    return sorted(values)


def test_value_equal_to_a_threshold_is_not_above_it():
    check_width([10], 1, [9, 10, 11])


def test_one_byte_thresholds_at_their_boundaries():
    for thresholds in ([0], [255], [0, 255], [0, 1, 127, 128, 254, 255], list(range(0, 255, 3))):
        check_width(thresholds, 1, around(thresholds, 255))


def test_two_byte_thresholds_at_their_boundaries():
    for thresholds in ([0], [256], [65535], [0, 255, 256, 32767, 32768, 65534], list(range(5, 65535, 4001))):
        check_width(thresholds, 2, around(thresholds, 65535))


def test_four_byte_thresholds_at_their_boundaries():
    limit = 0x3FFFFFFF
    for thresholds in ([0], [65536], [limit], [0, 65535, 65536, 2**24, 2**24 + 1, 2**29, limit - 1]):
        check_width(thresholds, 4, around(thresholds, limit))


def test_every_count_of_thresholds_finds_every_code():
    for count in range(1, 20):
        thresholds = list(range(1, 2 * count, 2))
        for width in (1, 2, 4):
            check_width(thresholds, width, range(2 * count + 1))


def test_255_thresholds_reach_code_255():
    thresholds = [3 * i for i in range(255)]
    for width in (2, 4):
        check_width(thresholds, width, (0, 1, 3, 4, 381, 382, 383, 384, 761, 762, 763, 65535))
    check_width(list(range(255)), 1, range(256))


def test_no_thresholds_means_the_value_is_its_code():
    assert ranks(b"", [(0, 1, 0, 0), (1, 1, 0, 0)], [255, 3]) == [255, 3]


def test_features_of_all_widths_side_by_side():
    blob = bytes(4) + table([70000, 2**29], 4) + table([300, 400, 500], 2) + table([7], 1) + bytes(3)
    layout = [(3, 4, 4, 2), (1, 2, 12, 3), (0, 1, 18, 1), (2, 1, 19, 0)]
    assert ranks(blob, layout, [8, 450, 99, 70001]) == [1, 2, 99, 1]
    assert ranks(blob, layout, [7, 300, 0, 70000]) == [0, 0, 0, 0]
    assert ranks(blob, layout, [255, 501, 255, 2**29 + 1]) == [1, 3, 255, 2]
