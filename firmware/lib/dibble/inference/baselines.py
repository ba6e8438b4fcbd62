"""By how much a reading lies above its own baseline, the EMA of the readings so far: windows of kind ABOVE.

Its sum is that of an EMA. Where windows run in bytecode, what they make of it is an EMA's value, and the reading less
that is made of it here; machine code does it in its program of steps. The part "baselines" of a model file, which is
empty, says that there are such windows: older firmware refuses the file by that name.
"""

from dibble.inference.features import ABOVE, feature_zero
from dibble.inference.kernels.generator import started


def above(windows, push):
    """Return f(offsets): what push(offsets) returns, with the values of kind ABOVE made of the EMAs' that it left."""
    places = []
    k = 0
    for channel, kind, _ in windows.features:
        if kind == ABOVE:
            places.append((k, channel, feature_zero(kind, windows.spans[channel])))
        k += 1
    return started(_above(places, push))


def _above(places, push):
    values = None
    while True:
        offsets = yield values
        values = push(offsets)
        for k, channel, zero in places:
            values[k] = offsets[channel] - values[k] + zero
