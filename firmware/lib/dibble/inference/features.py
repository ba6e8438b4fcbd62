"""Windows of readings -> integer features: what kinds there are, and where a model's past lies.

A window holds the offsets of one channel's last readings above the channel's low, so nothing in
it is negative. The first reading after a start, a gap or a sensor fault fills the whole window:
as if it had always been so. That keeps every divisor constant.

Every feature value is >= 0 and at most `feature_limit`; delta, slope and above, which may fall, are
shifted up by `feature_zero`. Rounding is halves up: (n + d // 2) // d.

All that is kept of the past lies in one array of words, the state, in this order (models/FORMAT.md has it, too):

    empty      for each channel 1 where its windows hold nothing, else 0
    places     for each distinct size of a ring its oldest reading's place, the same in all rings of the size
    sums       for each feature in order: of a mean, EMA or ABOVE its sum, of a slope its sum and its ramp
    rings      for each distinct (channel, size) its readings

A new kind of feature is one more number here, its limits below, its words of the state in `Layout`, and its branch
in each of kernels/features_bytecode.py, features_viper.py and features_thumb.py (words for these: features_plan.py).
On the host: model/oracle, export/c and export/python's c_windows.j2, python_windows.j2, unrolled/windows.py.
What is made of a row of offsets before the windows see it (another channel out of two) comes first in their `push`.
"""

from array import array

LAST, MEAN, MIN, MAX, DELTA, SLOPE, EMA, ABOVE = range(8)  # an EMA, and what the newest reading is above one
KINDS = ("last", "mean", "min", "max", "delta", "slope", "ema", "above")
FEATURE_BYTES = 3  # in a model file


def ema_shift(size):
    """Return s so that 2**-s is nearest to the usual EMA weight 2 : (size + 1), size >= 1."""
    shift = 0
    while (3 << shift) <= size + 1:
        shift += 1
    return shift


def feature_zero(kind, span):
    """Return the value that stands for "no change" (delta, slope, above) or the channel's low (all others)."""
    return span if kind == DELTA or kind == ABOVE else 2 * span if kind == SLOPE else 0


def feature_limit(kind, span):
    """Return the largest value a feature of a channel with this span can take.

    A least-squares line rises at most 3 * size * span : (2 * (size + 1)) < 2 * span.
    """
    return 2 * span if kind == DELTA or kind == ABOVE else 4 * span if kind == SLOPE else span


def window_limit(kind, size, span):
    """Return the largest magnitude within a window's arithmetic for this feature: the host proves it < 2**30."""
    if kind == MEAN:
        return size * span + (size >> 1)
    if kind == SLOPE:
        rise = 6 * (size * size >> 2) * span + (size * (size + 1) >> 1)
        return max(size * (size - 1) * span, rise, feature_limit(kind, span))
    if kind >= EMA:
        return (span << ema_shift(size)) + span
    return feature_limit(kind, span)


class Past:
    """What a model's features have kept of its past. Its `begin(words)` makes the state, of so many words, and push..

    Args:
        features: list of (channel, kind, size), in the model's order; size is 1..255.
        spans: high - low of each channel.
        interval_ms: the sampling interval the model was trained at.
    Attributes:
        features, spans, interval_ms: as told.
        values: array("i"), the feature values of the last row.
        state: sequence of ints, as above: of an array by itself, or a part of a kernel's plan.
        sizes: until begin is done distinct sizes of rings; the place of sizes[i] is state[channels + i].
        sums: until then for each feature with sums (channel, kind, size, where they lie in the state).
        rings: until then (channel, size, where it lies in the state).
        places_end: where in the state the places end.
        unfilled: whether any channel is empty.
        push: push(offsets) takes what lies above each channel's low, at most its span, and returns `values`. Of a
            missing reading it is the complement of what stands in for it, -1 where nothing does: it becomes that,
            fills the channel's windows, and leaves them empty.
    """

    def __init__(self, features, spans, interval_ms):
        self.features = features
        self.spans = spans
        self.interval_ms = interval_ms
        self.values = array("i", [0] * len(features))
        self.unfilled = True
        self.sizes = sizes = []
        self.sums = sums = []
        self.rings = rings = []
        for channel, kind, size in features:
            if kind != LAST and kind < EMA:
                if size not in sizes:
                    sizes.append(size)
                if (channel, size) not in rings:
                    rings.append((channel, size))
        at = len(spans) + len(sizes)
        for channel, kind, size in features:
            if kind == MEAN or kind >= SLOPE:
                sums.append((channel, kind, size, at))
                at += 2 if kind == SLOPE else 1
        for i in range(len(rings)):
            channel, size = rings[i]
            rings[i] = (channel, size, at)
            at += size
        self.places_end = len(spans) + len(sizes)
        self.begin(at)
        self.sizes = self.sums = self.rings = None
        self.restart()

    def restart(self):
        """Forget all readings: the next one fills its windows."""
        for i in range(self.places_end):
            self.state[i] = 1 if i < len(self.spans) else 0
        self.unfilled = True

    def is_gap(self, elapsed_ms):
        """Tell whether the time since the last reading is not one sampling interval, give or take half."""
        half = self.interval_ms >> 1
        return half > 0 and not self.interval_ms - half <= elapsed_ms <= self.interval_ms + half

    def filling(self):
        """Return (channel, at, count, factor) of what fills: so many words of the state become offset * factor."""
        found = [(channel, at, size, 1) for channel, size, at in self.rings]
        for channel, kind, size, at in self.sums:
            found.append((channel, at, 1, 1 << ema_shift(size) if kind >= EMA else size))
            if kind == SLOPE:
                found.append((channel, at + 1, 1, size * (size - 1) >> 1))
        return found
