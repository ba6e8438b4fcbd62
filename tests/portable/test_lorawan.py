"""LoRaWAN payloads, bit by bit."""

from array import array

from dibble.inference.decision import Decision
from dibble.inference.fixed_point import MISSING
from dibble.report.lorawan import MAX_BYTES, Packer, bits_of, margin_code, plan


class Model:
    """What a Packer asks of a model."""

    blob = b"anything\xa7\1\2\3"
    parts = {}

    def __init__(self, classes, low, high):
        self.classes = classes
        self.low = array("i", low)
        self.high = array("i", high)


def decision(class_index, held_index, flags, margin):
    d = Decision(1)
    d.class_index, d.held_index, d.flags, d.margin = class_index, held_index, flags, margin
    return d


def bits(payload):
    text = ""
    for byte in payload:
        for shift in range(7, -1, -1):
            text += str(byte >> shift & 1)
    return text


def packed(readings, low, high, battery_mv=None):
    """Return the bits of the channels, of a model of two classes."""
    packer = Packer(Model(("a", "b"), low, high))
    return bits(packer.pack(decision(0, 0, 0, 0), readings, battery_mv))[34:]


def test_bits_of_a_number():
    assert [bits_of(value) for value in (0, 1, 2, 3, 4, 255, 256, 65535)] == [0, 1, 2, 2, 3, 8, 9, 16]


def test_fields_in_their_order():
    payload = Packer(Model(("a", "b", "c"), [0], [28])).pack(decision(2, 255, 0b1010, 5), [28], 3700)
    # tag, flags, class 2, none held, margin, battery (3700 + 8) // 16 + 1, 3 + 28, zeros
    expected = "10100111" + "1010" + "10" + "11" + "00000101" + "0011101000" + "11111" + "0"
    assert bits(payload) == expected


def test_missing_below_above_lowest_and_highest():
    assert packed([MISSING], [-10], [18]) == "00000" + "0"
    assert packed([-11], [-10], [18]) == "00001" + "0"
    assert packed([19], [-10], [18]) == "00010" + "0"
    assert packed([-10], [-10], [18]) == "00011" + "0"
    assert packed([18], [-10], [18]) == "11111" + "0"


def test_widest_range_takes_16_bits_and_larger_steps():
    limit = 0x3FFFFFFF
    _, fields, _ = plan(2, [0, -(limit // 2)], [limit, limit // 2])
    assert fields == [(0, 16, 16386), (1, 16, 16386)]
    high = packed([limit, limit // 2], [0, -(limit // 2)], [limit, limit // 2])
    # (2**30 - 1) : 16386 is just above 65528, the other span's share just below
    assert high[:32] == "{:016b}".format(3 + 65528) * 2


def test_steps_grow_only_where_16_bits_are_too_few():
    assert plan(2, [0], [65532])[1] == [(0, 16, 1)]
    assert plan(2, [0], [65533])[1] == [(0, 16, 2)]


def test_channels_that_do_not_fit_give_way_to_later_ones_that_do():
    _, fields, size = plan(2, [0, 0, 0, 0, 0], [60000, 60000, 60000, 60000, 1000])
    assert [channel for channel, _, _ in fields] == [0, 1, 2, 4]
    assert size == MAX_BYTES


def test_100_classes_and_255_channels_keep_to_the_limit():
    _, fields, size = plan(100, [0] * 255, [1000000] * 255)
    assert size <= MAX_BYTES and len(fields) == 3


def test_margin_is_within_a_16th():
    last = -1
    for margin in list(range(3000)) + [65535, 2**18, 2**19 - 1]:
        code = margin_code(margin)
        exponent, digits = code >> 4, code & 15
        value = digits if exponent == 0 else (16 + digits) << exponent - 1
        assert value <= margin and 16 * (margin - value) <= margin
        assert code >= last
        last = code
    assert margin_code(2**19 - 1) == margin_code(2**25) == 255


def test_battery_saturates():
    def code(battery_mv):
        packer = Packer(Model(("a", "b"), [0], [28]))
        return int(bits(packer.pack(decision(0, 0, 0, 0), [0], battery_mv))[24:34], 2)

    assert [code(mv) for mv in (None, 0, 7, 8, 16335, 16336, 99999)] == [0, 1, 1, 2, 1022, 1022, 1023]


def test_no_bit_stays_from_the_payload_before():
    packer = Packer(Model(("a", "b"), [0], [28]))
    packer.pack(decision(1, 1, 15, 65535), [28], 9999)
    assert bits(packer.pack(decision(0, 0, 0, 0), [MISSING], None)) == "10100111" + "0" * 32


def test_a_models_number_comes_before_its_channels():
    """Steps of 0.1 pct from 0 to 60, middle 30 pct and 5 steps a lead; 90 of 100 within 20 steps; 6 hours ahead."""
    part = bytes([8, 1]) + bytes([0xD8, 0x04]) + bytes([5, 0]) + bytes([0, 0xD8, 0x04, 20, 90, 0xE0, 0xA8, 1])
    model = Model(("below", "above"), [0], [28])
    model.blob = part + b"\3pct\4soil" + b"\xa7\1\2\3"
    model.parts = {b"number": 0}
    packer = Packer(model)

    def told(index, margin):
        return int(bits(packer.pack(decision(index, index, 0, margin), [28], None))[34:44], 2)

    assert plan(2, [0, 0], [600, 28])[1] == [(0, 10, 1), (1, 5, 1)]
    assert [told(1, 10), told(0, 10), told(1, 99), told(0, 99), told(255, 0)] == [353, 253, 603, 3, 0]
    assert bits(packer.pack(decision(1, 1, 0, 10), [28], None))[44:49] == "11111"
