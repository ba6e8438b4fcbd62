"""The check of all that a file says: kernels follow it wherever it leads, so it is held against its tables once.

What passes makes no kernel read outside its tables, or run longer than its depth, or leave the small ints of a 32-bit
VM. That no number has more than 31 bits, and no score to begin with more than 16, the readers have seen.
"""

from dibble.inference import CRC_BYTES, PASSES
from dibble.inference.description import Description
from dibble.inference.fixed_point import READING_LIMIT
from dibble.inference.format import ADDITIVE, FOREST, NOVELTY, Cursor


def within(what, value, most=READING_LIMIT, least=0):
    if not least <= value <= most:
        raise ValueError("%s: expected %d to %d, got %d" % (what, least, most, value))


def check(model):
    """Raise ValueError, or whatever a number that leads astray ends in, unless all of a Model's file holds."""
    told = Description(model)
    within("classes", len(told.classes), 100, 1)
    within("channels", len(model.low), 255, 1)
    spans = [high - low for low, high in zip(model.low, model.high)]
    within("low", min(model.low), READING_LIMIT, -READING_LIMIT)
    within("high", max(model.high), READING_LIMIT, -READING_LIMIT)
    within("span", max(spans))
    if model.windows:
        from dibble.inference.features import EMA, window_limit

        for w in model.windows.windows:
            within("kind", w.kind, EMA)
            within("size", w.size, 255, 1)
            within("sum", window_limit(w.kind, w.size, spans[w.channel]))
    file = Cursor(model.blob, told.family_at)
    family = model.blob[5]
    if family & 127 == FOREST:
        from dibble.inference.forest_checks import forest as tables
    else:
        tables = _additive if family & 127 == ADDITIVE else _mlp
    tables(file, model.tables, told.limits, len(told.classes))
    if family & NOVELTY:
        from dibble.inference import additive

        file.number()
        _additive(file, additive, told.limits, 2)


def _additive(file, family, limits, classes):
    scalers, _, _, tables, _, base = family.read(file, limits, classes)
    _scalers(scalers, limits)
    within("score", max(base), 65535)
    for k in range(1, classes):
        within("score", base[k] + sum([max(table[k - 1]) for table in tables]), 65535)


def _mlp(file, family, limits, classes):
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


def keep_pass(path, identity):
    """Keep beside `path` that a model file passed, and the one before it."""
    kept = b""
    try:
        try:
            with open(path + PASSES, "rb") as file:
                kept = file.read(CRC_BYTES)
        except OSError:
            pass
        with open(path + PASSES, "wb") as file:
            file.write(identity + kept)
    except OSError:
        pass  # not to be written: then it is checked each time
