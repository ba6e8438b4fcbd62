"""The check of all that a file says: kernels follow it wherever it leads, so it is held against its tables once.

What passes makes no kernel read outside its tables, or run longer than its depth, or leave the small ints of a 32-bit
VM. That no number has more than 31 bits, the cursor has seen.
"""

from dibble.inference.bounds import within
from dibble.inference.description import Description
from dibble.inference.fixed_point import READING_LIMIT
from dibble.inference.format import ADDITIVE, FOREST, NOVELTY, STREAM, Cursor

MOST_OCTAVES = 31 << 10  # of a ratio, in its 1/1024


def check(model):
    """Raise ValueError, or whatever a number that leads astray ends in, unless all of a Model's file holds."""
    told = Description(model)
    within("interval", told.interval_ms)
    within("classes", len(told.classes), 100, 1)
    within("channels", len(model.low), 255, 1)
    spans = [high - low for low, high in zip(model.low, model.high)]
    within("low", min(model.low), READING_LIMIT - 1, 1 - READING_LIMIT)
    within("high", max(model.high), READING_LIMIT - 1, 1 - READING_LIMIT)
    for span in spans:
        within("span", span)
    if model.ratios:
        for own, others, low, span in model.ratios:
            within("channel", max(own, max(others)), len(spans) - 1)
            within("ratio", low, MOST_OCTAVES, -MOST_OCTAVES)
            within("ratio", low + span, MOST_OCTAVES, -MOST_OCTAVES)
        within("features", len(model.windows.features), 255, 1)
        spans += [ratio[3] for ratio in model.ratios]
        within("channels", len(spans), 255, 1)
    if model.windows:
        from dibble.inference.features import ABOVE, window_limit

        for channel, kind, size in model.windows.features:
            within("kind", kind, ABOVE)
            if kind == ABOVE and b"baselines" not in model.parts:
                raise ValueError("a window above its baseline, without the part that says so")
            within("size", size, 255, 1)
            within("sum", window_limit(kind, size, spans[channel]))
    file = Cursor(model.blob, told.family_at)
    family = model.blob[5]
    if family & 127 == FOREST:
        from dibble.inference.forest_checks import forest as check_tables
    elif family & 127 == ADDITIVE:
        from dibble.inference.additive_checks import additive as check_tables
    elif family == STREAM:
        from dibble.inference.stream_checks import stream as check_tables
    else:
        from dibble.inference.mlp_checks import mlp as check_tables
    check_tables(file, model.tables, told.limits, len(told.classes))
    if family & NOVELTY:
        from dibble.inference import additive, additive_checks

        file.number()
        additive_checks.additive(file, additive, told.limits, 2)
    if b"number" in model.parts:
        from dibble.inference import number

        number.check(model, len(told.classes))
    for _ in range(file.number()):
        for low in model.low:
            if family == STREAM:  # codes, none of which is missing
                within("golden", file.number(), 256, 1)
            else:
                within("golden", file.number() + low, READING_LIMIT + 1, low)
        file.byte()
        file.number()
        file.byte()
