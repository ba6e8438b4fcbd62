"""Feature values to 8-bit codes: the number of thresholds below, in each kernel set this VM has."""

from array import array

from dibble.inference.forest_bytecode import encode, prepare_coders
from dibble.inference.forest_kernels import encode as quick_encode
from dibble.inference.forest_kernels import prepare_coders as quick_prepare

SETS = ((prepare_coders, encode), (quick_prepare, quick_encode))


def table(thresholds, width):
    out = bytearray()
    for threshold in thresholds:
        for _ in range(width):
            out.append(threshold & 255)
            threshold >>= 8
    return bytes(out)


def check_width(thresholds, width, values):
    blob = bytes(4) + table(thresholds, width) + bytes(4)
    for prepare, kernel in SETS:
        coders = prepare(blob, [(0, width, 4, len(thresholds))])
        codes = bytearray(1)
        for value in values:
            kernel(array("i", [value]), coders, codes)
            assert codes[0] == sum([t < value for t in thresholds]), (kernel, width, value, codes[0])


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
    for prepare, kernel in SETS:
        coders = prepare(b"", [(0, 1, 0, 0), (1, 1, 0, 0)])
        codes = bytearray(2)
        kernel(array("i", [255, 3]), coders, codes)
        assert list(codes) == [255, 3]


def test_features_of_all_widths_side_by_side():
    blob = table([70000, 2**29], 4) + table([300, 400, 500], 2) + table([7], 1) + bytes(3)
    layout = [(3, 4, 0, 2), (1, 2, 8, 3), (0, 1, 14, 1), (2, 1, 15, 0)]
    for prepare, kernel in SETS:
        coders = prepare(blob, layout)
        codes = bytearray(4)
        kernel(array("i", [8, 450, 99, 70001]), coders, codes)
        assert list(codes) == [1, 2, 99, 1]
        kernel(array("i", [7, 300, 0, 70000]), coders, codes)
        assert list(codes) == [0, 0, 0, 0]
        kernel(array("i", [255, 501, 255, 2**29 + 1]), coders, codes)
        assert list(codes) == [1, 3, 255, 2]


def test_feature_without_a_coder_keeps_its_code():
    for prepare, kernel in SETS:
        codes = bytearray([9, 9])
        kernel(array("i", [1, 5]), prepare(table([4], 1), [(1, 1, 0, 1)]), codes)
        assert list(codes) == [9, 1]
