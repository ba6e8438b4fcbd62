"""The bounds that a model file's numbers are held to: see checks.py."""

from dibble.inference.fixed_point import READING_LIMIT


def within(what, value, most=READING_LIMIT, least=0):
    if not least <= value <= most:
        expected = "%d to %d" % (least, most) if least <= most else "none"
        raise ValueError("%s: expected %s, got %d" % (what, expected, value))


def check_scalers(scalers, limits):
    for feature, _, bias, zero_point, _, _, _ in scalers:
        within("zero point", zero_point, 32767)
        within("bias", bias + limits[feature])
