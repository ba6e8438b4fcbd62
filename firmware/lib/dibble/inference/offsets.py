"""Readings -> what lies above each channel's low, and what is wrong with them."""

from dibble.inference.fixed_point import MISSING
from dibble.inference.started import started


def offsets(low, high, out):
    """Return f(readings): write each reading's offset above its channel's low to `out`, clamped to the channel's range.

    Args:
        low, high: array("i"), the range each channel was trained on, inclusive.
        out: array("i"); -1 where the reading is missing.
        readings: one int a channel, MISSING or None where there is none.
    f returns:
        (first missing channel + 1) | (first channel out of range + 1) << 8; 0 when all is well.
    """
    return started(_offsets(low, high, out, MISSING))


def _offsets(low, high, out, no_reading):
    readings = yield
    while True:
        missing = beyond = i = 0
        for reading in readings:
            least = low[i]
            if reading is None or reading < least:
                if reading is None or reading == no_reading:
                    out[i] = -1
                    if not missing:
                        missing = i + 1
                else:
                    out[i] = 0
                    if not beyond:
                        beyond = i + 1
            elif reading > high[i]:
                out[i] = high[i] - least
                if not beyond:
                    beyond = i + 1
            else:
                out[i] = reading - least
            i += 1
        readings = yield missing | beyond << 8
