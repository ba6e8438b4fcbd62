"""The check of a network's tables: see checks.py."""

from dibble.inference.bounds import check_scalers, within
from dibble.inference.fixed_point import READING_LIMIT
from dibble.inference.mlp import CODEBOOK4, DENSE16, SPARSE8


def mlp(file, family, limits, classes):
    scalers, base, layers = family.read(file, limits, classes, True)
    check_scalers(scalers, limits)
    within("score", base, 65535)
    within("layers", len(layers), 255, 1)
    inputs = len(limits)
    for form, (rows, biases, shifts, extra) in layers:
        within("units", len(rows), 255, 1)
        for k in range(len(rows)):
            within("shift", shifts[k], 30)
            least = most = biases[k]
            for weight in _weights(form, rows[k], extra, inputs):
                if weight < 0:
                    least += 255 * weight
                else:
                    most += 255 * weight
            if form != SPARSE8:  # a kernel begins with what all weights' zero point would add
                least = min(least, biases[k] - 255 * (32768 if form == DENSE16 else 128) * inputs)
            within("sum", least, READING_LIMIT, -READING_LIMIT)
            within("sum", most, READING_LIMIT, -READING_LIMIT)
        inputs = len(rows)


def _weights(form, row, extra, inputs):
    """Return a unit's weights; each input has one at most."""
    if form == DENSE16:
        return [row[i] + (row[i + 1] << 8) - 32768 for i in range(0, 2 * inputs, 2)]
    if form == CODEBOOK4:
        return [extra[row[i >> 1] >> (4 if i & 1 == 0 else 0) & 15] - 128 for i in range(inputs)]
    if form == SPARSE8:
        least = 0
        for at in row[0]:
            within("input", at, 255, least)
            least = at + 1
        row = row[1]
    return [weight - 128 for weight in row]
