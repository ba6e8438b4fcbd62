"""The check of the tables of codes, which are the additive's and the mlp's: see checks.py."""

from dibble.inference.checks import within
from dibble.inference.fixed_point import READING_LIMIT


def additive(file, family, limits, classes):
    scalers, _, _, tables, _, base = family.read(file, limits, classes)
    _scalers(scalers, limits)
    within("score", max(base), 65535)
    for k in range(1, classes):
        within("score", base[k] + sum([max(table[k - 1]) for table in tables]), 65535)


def mlp(file, family, limits, classes):
    scalers, base, layers = family.read(file, limits, classes, True)
    _scalers(scalers, limits)
    within("score", base, 65535)
    within("layers", len(layers), 255, 1)
    inputs = len(limits)
    for form, (rows, biases, shifts, _) in layers:
        within("units", len(rows), 255, 1)
        most = READING_LIMIT - 255 * (32768 if form == 1 else 128) * inputs
        for k in range(len(rows)):
            within("shift", shifts[k], 30)
            within("bias", biases[k], most, -most)
            if form == 2:
                least = 0
                for at in rows[k][0]:
                    within("input", at, 255, least)
                    least = at + 1
        inputs = len(rows)


def _scalers(scalers, limits):
    for feature, _, bias, zero_point, _, _, _ in scalers:
        within("zero point", zero_point, 32767)
        within("bias", bias + limits[feature])
