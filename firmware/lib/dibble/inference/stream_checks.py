"""The check of a stream network's tables: see checks.py."""

from dibble.inference.bounds import within
from dibble.inference.fixed_point import READING_LIMIT
from dibble.inference.stream import DEPTHWISE8, FULL4, FULL8, MEAN

MOST_INPUTS = 4096  # that a layer sees at once: so that no sum of codes and unsigned weights leaves 31 bits


def stream(file, family, limits, classes):
    layers = family.read(file, limits, classes)
    within("layers", len(layers), 64, 1)
    last = len(layers)
    for kind, inputs, units, taps, stride, biases, shifts, rows, steps in layers:
        last -= 1
        if kind == MEAN:
            within("stride", stride, 1, 1)
            within("layers after a mean", last, 64, 1)
            continue
        within("units", units, 255, 1)
        within("taps", taps, 255, 1)
        within("stride", stride, 255, 1)
        within("inputs", inputs * taps, MOST_INPUTS)
        if kind == DEPTHWISE8 or last:
            within("units beyond fours", units & 3, 0)
        if not last:
            within("kind of the last layer", kind, FULL4)
        for k in range(units):
            _unit(k, kind, inputs * taps, biases[k], shifts[k], rows[k >> 2], last)


def _unit(k, kind, inputs, bias, shift, four, last):
    """Raise ValueError unless a unit's sum stays within bounds, as do those on the way to it."""
    within("shift", shift, 30)
    place = k & 3
    least = most = bias
    step = 2 if kind == FULL4 else 4
    for i in range(place >> 1 if kind == FULL4 else place, len(four), step):
        weight = four[i]
        if kind == FULL4:
            weight = (weight >> 4 if place & 1 else weight & 15) - 8
        else:
            weight -= 128
        if weight < 0:
            least += 255 * weight
        else:
            most += 255 * weight
    within("sum", most, READING_LIMIT, -READING_LIMIT)
    within("sum", least, READING_LIMIT, -READING_LIMIT)
    if kind != DEPTHWISE8:  # a kernel begins with what all weights' zero point would add
        within("sum", bias - 255 * (128 if kind == FULL8 else 8) * inputs, READING_LIMIT, -READING_LIMIT)
    if not last:
        within("score", least >> shift, 65535)
        within("score", most >> shift, 65535)
