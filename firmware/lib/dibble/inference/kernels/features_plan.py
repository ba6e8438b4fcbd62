"""Windows in machine code: the plan that their kernel works on, for assembler and viper alike."""

from array import array

from dibble.inference.features import DELTA, EMA, LAST, MEAN, MIN, SLOPE, Past, ema_shift, feature_zero
from dibble.inference.kernels.choice import KIND, address
from dibble.inference.kernels.plan import word

if KIND == "thumb":
    from dibble.inference.kernels.features_thumb import push
else:
    from dibble.inference.kernels.features_viper import push

# The plan's first words; AT and END are places in it, in bytes: UNFILLED (not 0: a channel is empty, or missing),
# RANGES_END, OFFSETS_AT, a zero. Then low and span of each channel, up to RANGES_END; the program; the offsets, the
# values, the state.
#
# The program is steps, each a word of these, doubled, and its own words: OFFSET, VALUE, SUM, RING are places in the
# plan, of a ring its beginning. A size's sums come after its PLACE, then STORE for each of its rings, then ADVANCE,
# then the size's differences and extremes.
#
#     LAST OFFSET VALUE             EMA OFFSET VALUE SUM shift       PLACE (of the oldest reading)
#     MEAN OFFSET VALUE SUM RING, then what divides: half, size, multiplier, shift, zero (added to the quotient)
#     SLOPE OFFSET VALUE SUM RING size - 1, then what divides
#     STORE OFFSET RING             ADVANCE PLACE size               DELTA OFFSET VALUE RING zero
#     LEAST VALUE RING RING_END     MOST VALUE RING RING_END         DONE
#
# What fills empty windows comes before them: FIRST is the state of the first channel, 1 where it is empty, 2 where its
# reading is missing, which leaves it empty; each of a list makes so many words AT a place its offset * factor.
#
#     FILL NEXT FIRST STATES_END, a list of OFFSET AT (factor << 8 | words)
#
# Of channels made of others the logarithms and offsets come first: LOG_OF and LOG are places behind the state.
#
#     LOG OFFSET low LOG_OF         RATIO LOG LOG OFFSET low span    MIDDLE LOG LIST_END, a list of LOGs, what divides
#
# A number n is divided by d as n * multiplier >> 32 >> shift, exact for 0 <= n < 2**31 as 2**shift < d <= 2**(shift+1).
S_LAST, S_EMA, S_PLACE, S_MEAN, S_SLOPE, S_STORE, S_ADVANCE, S_DELTA, S_LEAST, S_MOST = range(0, 20, 2)
S_LOG, S_RATIO, S_MIDDLE, S_FILL, S_DONE = range(20, 30, 2)
HEAD_WORDS = 4
ZERO = 12  # its place


def divider(divisor, zero):
    """Return the words of what divides by `divisor` >= 2, halves up, and adds `zero`."""
    multiplier = shift = 0
    if KIND == "thumb":  # viper has a division
        while 2 << shift < divisor:
            shift += 1
        multiplier = word(((1 << 32 + shift) // divisor + 1) & 0xFFFFFFFF)
    return divisor >> 1, divisor, multiplier, shift, zero


class WindowsPlan(Past):
    """Windows whose push(plan, readings), given addresses, takes readings that are within their ranges.

    It returns 0, or -1 where one isn't: then nothing has changed.

    Args:
        low: of each channel that isn't made of others.
        ratios: those that are: see ratios.read.
    Attributes:
        plan: array("i"); plan_at, values_at, state_at: addresses of it, of the values, of the state.
    """

    def __init__(self, features, spans, interval_ms, low, ratios=()):
        self.low = low
        self.ratios = ratios
        Past.__init__(self, features, spans, interval_ms)

    def begin(self, words):
        channels = len(self.spans)
        self.words = words
        program = self._program(0, 0, 0)
        end = 4 * (HEAD_WORDS + 2 * len(self.low))
        offsets = end + 4 * len(program)
        values = offsets + 4 * channels
        state = values + 4 * len(self.features)
        plan = array("i", (1, end, offsets, 0))
        for i in range(len(self.low)):
            plan.append(self.low[i])
            plan.append(self.spans[i])
        plan.extend(self._program(offsets, values, state))
        logs = len(self.low) + len(self.ratios) if self.ratios else 0
        plan.extend(array("i", [0] * (channels + len(self.features) + words + logs)))
        self.plan = plan
        self.push = push
        self.plan_at = address(plan)
        self.values_at = self.plan_at + values
        self.state_at = self.plan_at + state
        whole = memoryview(plan)
        self.values = whole[values // 4 : state // 4]
        self.state = whole[state // 4 :]

    def restart(self):
        """Forget all readings: the next one fills its windows."""
        Past.restart(self)
        self.plan[0] = 1

    def miss(self):
        """Let the next row find empty what its own channels' states say, and what is made of such channels."""
        self.plan[0] = 1
        if self.ratios:
            self._miss_ratios()

    def _miss_ratios(self):
        state = self.state
        at = len(self.low)
        for own, others, _, _ in self.ratios:
            if state[own] == 2:
                state[at] = 2
            for channel in others:
                if state[channel] == 2:
                    state[at] = 2
            at += 1

    def _program(self, offsets, values, state):
        sums = [state + 4 * at for _, _, _, at in self.sums]
        ring_of = {}
        for channel, size, at in self.rings:
            ring_of[channel, size] = state + 4 * at
        steps = array("i")
        if self.ratios:
            self._ratio_steps(steps, offsets, state + 4 * self.words)
        fills = array("i")
        for channel, at, count, factor in self.filling():
            fills.extend(array("i", (offsets + 4 * channel, state + 4 * at, factor << 8 | count)))
        end = 4 * (HEAD_WORDS + 2 * len(self.low) + len(steps) + 4 + len(fills))
        steps.extend(array("i", (S_FILL, end, state, state + 4 * len(self.spans))))
        steps.extend(fills)
        groups = [(array("i"), array("i")) for _ in self.sizes]
        value = values
        for channel, kind, size in self.features:
            offset = offsets + 4 * channel
            zero = feature_zero(kind, self.spans[channel])
            if kind == LAST:
                steps.extend(array("i", (S_LAST, offset, value)))
            elif kind >= EMA:
                steps.extend(array("i", (S_EMA, offset, value, sums.pop(0), ema_shift(size))))
                if kind != EMA:  # the reading less that: a change since a ring of one, whose oldest reading it is
                    steps.extend(array("i", (S_PLACE, ZERO, S_DELTA, offset, value, value, zero)))
            else:
                ring = ring_of[channel, size]
                before, after = groups[self.sizes.index(size)]
                if kind == MEAN:
                    total = sums.pop(0)
                    if size == 1:
                        before.extend(array("i", (S_LAST, offset, value, S_LAST, offset, total)))
                    else:
                        before.extend(array("i", (S_MEAN, offset, value, total, ring) + divider(size, 0)))
                elif kind == SLOPE:
                    by = divider(size * (size + 1), zero)
                    before.extend(array("i", (S_SLOPE, offset, value, sums.pop(0), ring, size - 1) + by))
                elif kind == DELTA:
                    after.extend(array("i", (S_DELTA, offset, value, ring, zero)))
                else:
                    step = S_LEAST if kind == MIN else S_MOST
                    after.extend(array("i", (step, value, ring, ring + 4 * size)))
            value += 4
        place = state + 4 * len(self.spans)
        for i in range(len(self.sizes)):
            before, after = groups[i]
            steps.extend(array("i", (S_PLACE, place)))
            steps.extend(before)
            for channel, size, at in self.rings:
                if size == self.sizes[i]:
                    steps.extend(array("i", (S_STORE, offsets + 4 * channel, state + 4 * at)))
            steps.extend(array("i", (S_ADVANCE, place, self.sizes[i])))
            steps.extend(after)
            place += 4
        steps.append(S_DONE)
        return steps

    def _ratio_steps(self, steps, offsets, logs):
        """Append what makes offsets of ratios, with the logarithms of channels and means at `logs`."""
        low = self.low
        told = []
        at = len(low)
        for own, others, least, span in self.ratios:
            for channel in others + bytes((own,)):
                if channel not in told:
                    told.append(channel)
                    steps.extend(array("i", (S_LOG, offsets + 4 * channel, low[channel], logs + 4 * channel)))
            other = logs + 4 * others[0]
            if len(others) > 1:
                other = logs + 4 * at
                end = 4 * (HEAD_WORDS + 2 * len(low) + len(steps) + 3 + len(others))
                steps.extend(array("i", (S_MIDDLE, other, end)))
                steps.extend(array("i", [logs + 4 * channel for channel in others]))
                steps.extend(array("i", divider(len(others), 0)))
            steps.extend(array("i", (S_RATIO, logs + 4 * own, other, offsets + 4 * at, least, span)))
            at += 1
