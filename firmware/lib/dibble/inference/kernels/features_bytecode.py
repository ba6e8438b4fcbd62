"""Windows in plain bytecode, for every interpreter: see generator.py, and features.py for the state.

This form says what is computed; the others do the same, bit for bit. A kind is a list of those of its features
that share a size, and a loop over it. Sums are taken before the rings are given the new reading, as they need the one
that it drives out; differences and extremes after that.
"""

from array import array

from dibble.inference.features import ABOVE, DELTA, EMA, LAST, MEAN, MIN, SLOPE, Past, ema_shift, feature_zero
from dibble.inference.kernels.generator import started


class Windows(Past):
    """Windows whose state is an array by itself."""

    def begin(self, words):
        self.state = array("i", [0] * words)
        self.fills = array("i")
        for fill in self.filling():
            self.fills.extend(array("i", fill))
        self.push = _pushing(self)
        if ABOVE in [kind for _, kind, _ in self.features]:
            from dibble.inference.baselines import above

            self.push = above(self, self.push)

    def fill(self, offsets):
        """Fill the windows of empty channels with their offsets; those of missing ones are empty from now."""
        state = self.state
        fills = self.fills
        self.unfilled = 0
        for channel in range(len(self.spans)):
            offset = offsets[channel]
            if offset < 0:
                offsets[channel] = offset = ~offset
                state[channel] = 2
            if state[channel]:
                state[channel] >>= 1
                self.unfilled |= state[channel]
                for i in range(0, len(fills), 4):
                    if fills[i] == channel:
                        for at in range(fills[i + 1], fills[i + 1] + fills[i + 2]):
                            state[at] = offset * fills[i + 3]


def _pushing(windows):
    state = windows.state
    whole = memoryview(state)
    ring_of = {}
    for channel, size, at in windows.rings:
        ring_of[channel, size] = whole[at : at + size]
    sums = [at for _, _, _, at in windows.sums]
    lasts = []
    emas = []
    groups = [(size, [], [], [], [], [], []) for size in windows.sizes]
    for channel, size, _ in windows.rings:
        groups[windows.sizes.index(size)][3].append((channel, ring_of[channel, size]))
    k = 0
    for channel, kind, size in windows.features:
        if kind == LAST:
            lasts.append((k, channel))
        elif kind >= EMA:
            emas.append((k, channel, sums.pop(0), ema_shift(size)))
        else:
            ring = ring_of[channel, size]
            _, means, slopes, _, deltas, mins, maxs = groups[windows.sizes.index(size)]
            zero = feature_zero(kind, windows.spans[channel])
            if kind == MEAN:
                means.append((k, channel, ring, sums.pop(0)))
            elif kind == SLOPE:
                slopes.append((k, channel, ring, sums.pop(0), zero))
            elif kind == DELTA:
                deltas.append((k, channel, ring, zero))
            elif kind == MIN:
                mins.append((k, ring))
            else:
                maxs.append((k, ring))
        k += 1
    return started(_push(windows, len(windows.spans), state, windows.values, lasts, emas, groups))


def _push(windows, places, state, values, lasts, emas, groups):
    while True:
        offsets = yield values
        if windows.unfilled or min(offsets) < 0:
            windows.fill(offsets)
        for k, channel in lasts:
            values[k] = offsets[channel]
        for k, channel, at, shift in emas:
            total = state[at]
            total += offsets[channel] - (total >> shift)
            state[at] = total
            values[k] = total >> shift
        place = places
        for size, means, slopes, rings, deltas, mins, maxs in groups:
            i = state[place]
            half = size >> 1
            for k, channel, ring, at in means:
                total = offsets[channel] - ring[i] + state[at]
                state[at] = total
                values[k] = (total + half) // size
            for k, channel, ring, at, zero in slopes:
                # ramp is the sum of position * offset, position 0 the oldest. The line rises from the oldest reading
                # to the newest by this, above zero.
                gone = ring[i]
                offset = offsets[channel]
                total = state[at] - gone
                ramp = offset * (size - 1) - total + state[at + 1]
                total += offset
                state[at] = total
                state[at + 1] = ramp
                gone = size * (size + 1)
                values[k] = (6 * (2 * ramp - (size - 1) * total) + (gone >> 1)) // gone + zero
            for channel, ring in rings:
                ring[i] = offsets[channel]
            i += 1
            if i == size:
                i = 0
            state[place] = i
            for k, channel, ring, zero in deltas:
                values[k] = offsets[channel] - ring[i] + zero
            for k, ring in mins:
                values[k] = min(ring)
            for k, ring in maxs:
                values[k] = max(ring)
            place += 1
