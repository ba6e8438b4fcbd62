"""The number that a decision stands for, at the ends of the small ints; expected values are of exact fractions."""

from dibble.inference.decision import NO_CLASS, Decision
from dibble.inference.fixed_point import MISSING
from dibble.inference.number import Number

# base, multiplier, shift, low, high, class, margin, number
CASES = (
    (0, 8192, 29, -5, 5, 1, 0, 0),
    (0, 8192, 29, -5, 5, 0, 0, 0),
    (0, 8192, 29, -5, 5, 1, 1, 0),
    (0, 8192, 29, -5, 5, 0, 1, 0),
    (0, 8192, 29, -5, 5, 1, 65535, 1),
    (0, 8192, 29, -5, 5, 0, 65535, -1),
    (0, 8192, 29, -5, 5, 1, 33, 0),
    (0, 8192, 29, -5, 5, 0, 34, 0),
    (250, 4097, 13, -536870911, 536870911, 1, 0, 250),
    (250, 4097, 13, -536870911, 536870911, 0, 0, 250),
    (250, 4097, 13, -536870911, 536870911, 1, 1, 251),
    (250, 4097, 13, -536870911, 536870911, 0, 1, 249),
    (250, 4097, 13, -536870911, 536870911, 1, 65535, 33025),
    (250, 4097, 13, -536870911, 536870911, 0, 65535, -32525),
    (250, 4097, 13, -536870911, 536870911, 1, 33, 267),
    (250, 4097, 13, -536870911, 536870911, 0, 34, 233),
    (-536870911, 8192, 0, -536870911, 536870911, 1, 0, -536870911),
    (-536870911, 8192, 0, -536870911, 536870911, 0, 0, -536870911),
    (-536870911, 8192, 0, -536870911, 536870911, 1, 1, -536862719),
    (-536870911, 8192, 0, -536870911, 536870911, 0, 1, -536870911),
    (-536870911, 8192, 0, -536870911, 536870911, 1, 65535, -8191),
    (-536870911, 8192, 0, -536870911, 536870911, 0, 65535, -536870911),
    (-536870911, 8192, 0, -536870911, 536870911, 1, 33, -536600575),
    (-536870911, 8192, 0, -536870911, 536870911, 0, 34, -536870911),
    (536870911, 8191, 1, -536870911, 536870911, 1, 0, 536870911),
    (536870911, 8191, 1, -536870911, 536870911, 0, 0, 536870911),
    (536870911, 8191, 1, -536870911, 536870911, 1, 1, 536870911),
    (536870911, 8191, 1, -536870911, 536870911, 0, 1, 536866816),
    (536870911, 8191, 1, -536870911, 536870911, 1, 65535, 536870911),
    (536870911, 8191, 1, -536870911, 536870911, 0, 65535, 268472319),
    (536870911, 8191, 1, -536870911, 536870911, 1, 33, 536870911),
    (536870911, 8191, 1, -536870911, 536870911, 0, 34, 536731664),
    (232, 6079, 12, 0, 1000, 1, 0, 232),
    (232, 6079, 12, 0, 1000, 0, 0, 232),
    (232, 6079, 12, 0, 1000, 1, 1, 233),
    (232, 6079, 12, 0, 1000, 0, 1, 231),
    (232, 6079, 12, 0, 1000, 1, 65535, 1000),
    (232, 6079, 12, 0, 1000, 0, 65535, 0),
    (232, 6079, 12, 0, 1000, 1, 33, 281),
    (232, 6079, 12, 0, 1000, 0, 34, 182),
    (-40, 5000, 11, -400, 850, 1, 0, -40),
    (-40, 5000, 11, -400, 850, 0, 0, -40),
    (-40, 5000, 11, -400, 850, 1, 1, -38),
    (-40, 5000, 11, -400, 850, 0, 1, -42),
    (-40, 5000, 11, -400, 850, 1, 65535, 850),
    (-40, 5000, 11, -400, 850, 0, 65535, -400),
    (-40, 5000, 11, -400, 850, 1, 33, 41),
    (-40, 5000, 11, -400, 850, 0, 34, -123),
)


def content(base, multiplier, shift, low, high, exponent=0, mantissa=1, ahead_s=0):
    """Return a part's bytes."""

    def number(value):
        out = bytearray()
        while value > 127:
            out.append(value & 127 | 128)
            value >>= 7
        out.append(value)
        return bytes(out)

    def signed(value):
        return number(-2 * value - 1 if value < 0 else 2 * value)

    out = bytes((exponent + 9, mantissa)) + signed(base) + number(multiplier) + bytes((shift,)) + signed(low)
    return out + number(high - low) + number(7) + bytes((90,)) + number(ahead_s) + b"\x08permille" + b"\x04soil"


def decision_of(class_index, margin):
    decision = Decision(1)
    decision.settle(class_index, margin, 0, -1)
    return decision


def test_numbers_are_exact():
    for base, multiplier, shift, low, high, class_index, margin, expected in CASES:
        number = Number(b"before" + content(base, multiplier, shift, low, high), 6)
        got = number.steps(decision_of(class_index, margin))
        assert got == expected, (base, multiplier, shift, class_index, margin, got, expected)


def test_without_a_class_the_number_is_missing():
    number = Number(content(0, 1, 0, -5, 5), 0)
    assert number.steps(decision_of(NO_CLASS, 0)) == MISSING


def test_what_it_is_of_is_told():
    number = Number(content(3, 5, 2, -9, 400), 0)
    told = (number.name, number.unit, number.low, number.high, number.spread, number.coverage)
    assert told == ("soil", "permille", -9, 400, 7, 90)


def test_a_nodes_reading_is_named_for_its_time():
    for ahead_s, expected in ((0, "predicted_soil"), (21600, "soil_in_6h"), (5400, "soil_in_90m")):
        assert Number(content(0, 1, 0, 0, 1, ahead_s=ahead_s), 0).reading == expected


def test_steps_that_are_not_one_are_in_the_unit():
    for mantissa, exponent, expected in (
        (1, 0, "permille"),
        (1, -1, "0.1_permille"),
        (25, -1, "2.5_permille"),
        (125, -3, "0.125_permille"),
        (2, 2, "200_permille"),
    ):
        assert Number(content(0, 1, 0, 0, 1, exponent, mantissa), 0).told_unit == expected
