"""Windows of readings -> integer features, one reading at a time.

A window holds the offsets of one channel's last readings above the channel's low, so nothing in
it is negative. The first reading after a start, a gap or a sensor fault fills the whole window:
as if it had always been so. That keeps every divisor constant.

Every feature value is >= 0 and at most `feature_limit`; delta and slope, which may fall, are
shifted up by `feature_zero`.
"""

from array import array

from dibble.inference.fixed_point import divide, ema_shift

LAST, MEAN, MIN, MAX, DELTA, SLOPE, EMA = range(7)
KINDS = ("last", "mean", "min", "max", "delta", "slope", "ema")


def feature_zero(kind, span):
    """Return the value that stands for "no change" (delta, slope) or the channel's low (all others)."""
    return span if kind == DELTA else 2 * span if kind == SLOPE else 0


def feature_limit(kind, span):
    """Return the largest value a feature of a channel with this span can take.

    A least-squares line rises at most 3 * size * span : (2 * (size + 1)) < 2 * span.
    """
    return 2 * span if kind == DELTA else 4 * span if kind == SLOPE else span


def window_limit(kind, size, span):
    """Return the largest magnitude inside `Window` for this feature: the host proves it < 2**30."""
    if kind == MEAN:
        return size * span + (size >> 1)
    if kind == SLOPE:
        rise = 6 * (size * size >> 2) * span + (size * (size + 1) >> 1)
        return max(size * (size - 1) * span, rise, feature_limit(kind, span))
    if kind == EMA:
        return (span << ema_shift(size)) + span
    return feature_limit(kind, span)


class Window:
    """One feature of one channel over its last `size` readings.

    Args:
        channel: index of the channel.
        kind: LAST .. EMA.
        size: readings in the window, 1..255.
        span: the channel's high - low.
    """

    def __init__(self, channel, kind, size, span):
        self.channel = channel
        self.kind = kind
        self.size = size
        self.zero = feature_zero(kind, span)
        self.empty = True
        self.ring = array("i", [0] * (1 if kind in (LAST, EMA) else size))
        self.oldest = 0
        self.sum = 0
        self.ramp = 0  # sum of position * offset, position 0 the oldest

    def push(self, offset):
        """Take the channel's next offset (0..span) and return the feature's value."""
        kind = self.kind
        if kind == LAST:
            return offset
        size = self.size
        if kind == EMA:
            shift = ema_shift(size)
            if self.empty:
                self.empty = False
                self.sum = offset << shift
            else:
                self.sum += offset - (self.sum >> shift)
            return self.sum >> shift
        ring = self.ring
        if self.empty:
            self.empty = False
            for i in range(size):
                ring[i] = offset
            if kind == MEAN or kind == SLOPE:
                self.sum = offset * size
            if kind == SLOPE:
                self.ramp = offset * (size * (size - 1) >> 1)
        i = self.oldest
        gone = ring[i]
        ring[i] = offset
        i += 1
        if i == size:
            i = 0
        self.oldest = i
        if kind == MIN:
            return min(ring)
        if kind == MAX:
            return max(ring)
        if kind == DELTA:
            return offset - ring[i] + self.zero
        if kind == MEAN:
            self.sum += offset - gone
            return divide(self.sum, size)
        self.ramp += offset * (size - 1) - (self.sum - gone)
        self.sum += offset - gone
        # The least-squares line's rise from the oldest reading to the newest.
        return divide(6 * (2 * self.ramp - (size - 1) * self.sum), size * (size + 1)) + self.zero


class Windows:
    """All windows of a model, in the order of its features.

    Args:
        windows: list of Window.
        interval_ms: the sampling interval the model was trained at.
    """

    def __init__(self, windows, interval_ms):
        self.windows = windows
        self.interval_ms = interval_ms
        self.values = array("i", [0] * len(windows))

    def restart(self):
        """Forget all readings: the next one fills its window."""
        for window in self.windows:
            window.empty = True

    def is_gap(self, elapsed_ms):
        """Tell whether the time since the last reading is not one sampling interval, give or take half."""
        half = self.interval_ms >> 1
        return elapsed_ms < self.interval_ms - half or elapsed_ms > self.interval_ms + half

    def push(self, offsets):
        """Take one offset a channel (-1: missing, restarts its windows); return the feature values."""
        values = self.values
        i = 0
        for window in self.windows:
            offset = offsets[window.channel]
            if offset < 0:
                window.empty = True
            else:
                values[i] = window.push(offset)
            i += 1
        return values
