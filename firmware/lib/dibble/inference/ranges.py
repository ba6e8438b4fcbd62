"""A row of readings, of whatever kind: held against the ranges that a model was trained on."""

from dibble.inference.decision import OUT_OF_RANGE, SENSOR_FAULT
from dibble.inference.fixed_point import MISSING

NOVEL_ROW = 1 << 28  # what is taken from that of a novel row; all else that `check_and_score` tells is far above


def check_and_score(low, high, values, score, raw=False, push=None, both=0):
    """Yield, for a row of readings that is sent, what `score` finds where all is well; else what is wrong with it.

    Args:
        low, high: array("i"), the range each channel was trained on, inclusive.
        values: array("i"), overwritten: what lies above each channel's low, clamped to the channel's range; -1
            where the reading is missing.
        score: what turns feature values into winner | margin << 8.
        raw: values are the clamped readings themselves.
        push: what turns `values` into those of the features; None where they are the same.
        both: OUT_OF_RANGE: told beside SENSOR_FAULT, too, where another reading is so.
        readings: one int a channel, MISSING or None where there is none.
    Yields:
        ~(SENSOR_FAULT | (first missing channel + 1) << 8), else ~(OUT_OF_RANGE | (first such channel + 1) << 8);
        ~0 where the readings aren't as many ints as there are channels.
    """
    channels = len(low)
    no_reading = MISSING
    found = -1
    while True:
        readings = yield found
        missing = beyond = i = 0
        try:
            for reading in readings:
                least = low[i]
                if reading is None or reading < least:
                    if reading is None or reading == no_reading:
                        reading = least - 1
                        missing = missing or i + 1
                    else:
                        reading = least
                        beyond = beyond or i + 1
                elif reading > high[i]:
                    reading = high[i]
                    beyond = beyond or i + 1
                values[i] = reading if raw else reading - least
                i += 1
        except (TypeError, IndexError):
            i = -1
        found = -1
        if i != channels:
            continue
        inputs = push(values) if push else values
        if missing:
            found = ~(SENSOR_FAULT | missing << 8 | (beyond and both))
        elif beyond:
            found = ~(OUT_OF_RANGE | beyond << 8)
        else:
            found = score(inputs)
