"""Windows of readings -> integer features, one reading at a time.

A window holds the offsets of one channel's last readings above the channel's low, so nothing in
it is negative. The first reading after a start, a gap or a sensor fault fills the whole window:
as if it had always been so. That keeps every divisor constant.

Every feature value is >= 0 and at most `feature_limit`; delta and slope, which may fall, are
shifted up by `feature_zero`. Rounding is halves up: (n + d // 2) // d.
"""

from array import array

from dibble.inference.kernels.generator import started

LAST, MEAN, MIN, MAX, DELTA, SLOPE, EMA = range(7)
KINDS = ("last", "mean", "min", "max", "delta", "slope", "ema")
FEATURE_BYTES = 3  # in a model file


def ema_shift(size):
    """Return s so that 2**-s is nearest to the usual EMA weight 2 : (size + 1), size >= 1."""
    shift = 0
    while (3 << shift) <= size + 1:
        shift += 1
    return shift


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
    Attributes:
        push: push(offset) takes the channel's next offset, 0..span, and returns the feature's value; -1
            empties the window.
    """

    def __init__(self, channel, kind, size, span):
        self.channel = channel
        self.kind = kind
        self.size = size
        if kind == LAST:
            kept = _last()
        elif kind == EMA:
            kept = _ema(ema_shift(size))
        elif kind == MIN:
            kept = _least(array("i", [0] * size), 1)
        elif kind == MAX:
            kept = _least(array("i", [0] * size), -1)
        elif kind == DELTA:
            kept = _delta(array("i", [0] * size), span)
        elif kind == MEAN:
            kept = _mean(array("i", [0] * size))
        else:
            kept = _slope(array("i", [0] * size), feature_zero(SLOPE, span))
        self.push = started(kept)


class Windows:
    """All windows of a model, in the order of its features.

    Args:
        windows: list of Window.
        interval_ms: the sampling interval the model was trained at.
    Attributes:
        push: push(offsets) takes one offset a channel (-1: missing, restarts its windows) and returns the
            feature values.
    """

    def __init__(self, windows, interval_ms):
        self.windows = windows
        self.interval_ms = interval_ms
        self.values = array("i", [0] * len(windows))
        self.push = started(_push(windows, self.values))

    def restart(self):
        """Forget all readings: the next one fills its window."""
        for window in self.windows:
            window.push(-1)

    def is_gap(self, elapsed_ms):
        """Tell whether the time since the last reading is not one sampling interval, give or take half."""
        half = self.interval_ms >> 1
        return elapsed_ms < self.interval_ms - half or elapsed_ms > self.interval_ms + half


def _push(windows, values):
    lasts = []
    others = []
    i = 0
    for window in windows:
        if window.kind == LAST:
            lasts.append((i, window.channel))
        else:
            others.append((i, window.channel, window.push))
        i += 1
    while True:
        offsets = yield values
        for i, channel in lasts:
            values[i] = offsets[channel]
        for i, channel, push in others:
            values[i] = push(offsets[channel])


def _last():
    value = 0
    while True:
        value = yield value


def _ema(shift):
    empty = True
    total = 0
    while True:
        offset = yield total >> shift
        if offset < 0:
            empty = True
        elif empty:
            empty = False
            total = offset << shift
        else:
            total += offset - (total >> shift)


def _filled(ring, offset):
    for i in range(len(ring)):
        ring[i] = offset


def _least(ring, sign):
    """The least offset, or the greatest where sign is -1: of those in the ring, times sign."""
    size = len(ring)
    empty = True
    least = i = 0
    while True:
        offset = yield least * sign
        if offset < 0:
            empty = True
            continue
        offset *= sign
        if empty:
            empty = False
            _filled(ring, offset)
            least = offset
        gone = ring[i]
        ring[i] = offset
        i += 1
        if i == size:
            i = 0
        if offset <= least:
            least = offset
        elif gone == least:
            least = min(ring)


def _delta(ring, span):
    size = len(ring)
    empty = True
    i = rise = 0
    while True:
        offset = yield rise
        if offset < 0:
            empty = True
            continue
        if empty:
            empty = False
            _filled(ring, offset)
        ring[i] = offset
        i += 1
        if i == size:
            i = 0
        rise = offset - ring[i] + span


def _mean(ring):
    size = len(ring)
    half = size >> 1
    empty = True
    total = i = 0
    while True:
        offset = yield (total + half) // size
        if offset < 0:
            empty = True
            continue
        if empty:
            empty = False
            _filled(ring, offset)
            total = offset * size
        total += offset - ring[i]
        ring[i] = offset
        i += 1
        if i == size:
            i = 0


def _slope(ring, zero):
    """The least-squares line's rise from the oldest reading to the newest, above zero.

    ramp is the sum of position * offset, position 0 the oldest.
    """
    size = len(ring)
    last = size - 1
    divisor = size * (size + 1)
    half = divisor >> 1
    empty = True
    total = ramp = i = 0
    while True:
        offset = yield (6 * (2 * ramp - last * total) + half) // divisor + zero
        if offset < 0:
            empty = True
            continue
        if empty:
            empty = False
            _filled(ring, offset)
            total = offset * size
            ramp = offset * (size * last >> 1)
        gone = ring[i]
        ring[i] = offset
        i += 1
        if i == size:
            i = 0
        ramp += offset * last - (total - gone)
        total += offset - gone


def read(cursor, count, spans, interval_ms):
    """Return (Windows, largest value of each feature) from the next `count` features of a model file.

    Args:
        spans: high - low of each channel.
    """
    windows = []
    limits = []
    for _ in range(count):
        channel = cursor.byte()
        kind = cursor.byte()
        windows.append(Window(channel, kind, cursor.byte(), spans[channel]))
        limits.append(feature_limit(kind, spans[channel]))
    return Windows(windows, interval_ms), limits
