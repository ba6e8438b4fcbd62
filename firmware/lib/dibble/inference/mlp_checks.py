"""The check of a network's tables: see checks.py."""

from dibble.inference.bounds import check_scalers, within
from dibble.inference.fixed_point import READING_LIMIT


def mlp(file, family, limits, classes):
    scalers, base, layers = family.read(file, limits, classes, True)
    check_scalers(scalers, limits)
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
