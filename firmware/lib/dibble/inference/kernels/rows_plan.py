"""Rows that aren't as machine code takes them: of other kinds, or with readings that are missing or out of range.

Lists, tuples, arrays of whole numbers are taken to an array("i") of their own.
A kernel can't ask the VM what an object is, but it can look: where a list, tuple or array has its length and its items
has been the same from MicroPython 1.9 to NEWEST. Whether it is so here is tried first, on objects whose content is
known; where not, and on a newer one, where such a look might end the board, every row is taken in bytecode. It is also
where one of a row's items isn't a small int.
"""

import sys
from array import array

from dibble.inference.fixed_point import MISSING
from dibble.inference.kernels.choice import KIND, address
from dibble.inference.kernels.plan import word

if KIND == "thumb":
    from dibble.inference.kernels.rows_thumb import hold, take
else:
    from dibble.inference.kernels.rows_viper import hold, take

# The plan's words, each object in two halves: the list that holds the row, the types list, tuple and array, None; then
# how many readings there are, MISSING, and where in the plan, in bytes, the ranges begin. What a row became comes next,
# then of each channel low, span, and 1 more than what stands in above low for a missing reading, 0 where nothing does.
BOX, LIST, TUPLE, ARRAY, NONE, CHANNELS, ABSENT, RANGES_AT = 0, 2, 4, 6, 8, 10, 11, 12
WORDS = 13
VITAL = 128  # beside the flags that `hold` tells: a reading is missing that nothing stands in for
NEWEST = (1, 29)


class Rows:
    """What takes rows.

    Args:
        own: the model's own readings, which needn't be taken.
        low, high: array("i"), the range each channel was trained on, inclusive.
    Attributes:
        box, take, at: box[0] = row, then take(at, out_at) is 0 where the row's readings lie in `out` now.
        out, out_at: what a row became, and its address.
        hold: hold(at, row_at, state_at) lets a row's readings lie in `out`, clamped, in place of a missing one what
            stands in for it, or low; where state_at isn't 0, the words there become 2 where one is missing.
            It tells 0; OUT_OF_RANGE | (first such channel + 1) << 8; where one is missing SENSOR_FAULT |
            (first such channel + 1) << 8, with OUT_OF_RANGE where one is so, too, and VITAL.
    """

    hold = staticmethod(hold)

    def __init__(self, own, low, high):
        self.own = own
        self.box = [None]
        self.plan = plan = array("i", [0] * (WORDS + len(low)))
        for i in range(len(low)):
            plan.extend(array("i", (low[i], high[i] - low[i], 0)))
        plan[RANGES_AT] = 4 * (WORDS + len(low))
        self.out = out = memoryview(plan)[WORDS : WORDS + len(low)]
        for place, number in (
            (BOX, id(self.box)),
            (LIST, id(list)),
            (TUPLE, id(tuple)),
            (ARRAY, id(array)),
            (NONE, id(None)),
        ):
            plan[place] = word(number)
            plan[place + 1] = word(number >> 32)
        plan[CHANNELS] = len(out)
        plan[ABSENT] = MISSING
        self.at = address(plan)
        self.out_at = self.at + 4 * WORDS
        self.take = take if sys.implementation.version[:2] <= NEWEST else _take_none
        for i in range(len(out)):
            out[i] = i - 3
        for row in (list(out), tuple(out), array("h", out), [None] * len(out)):
            if not self.takes(row):
                self.take = _take_none

    def stand_in(self, offsets):
        """Let these stand in for missing readings, -1 for nothing."""
        for i in range(len(offsets)):
            self.plan[WORDS + len(offsets) + 3 * i + 2] = offsets[i] + 1

    def takes(self, row):
        """Tell whether a row of small ints is taken as it is."""
        self.box[0] = row
        if self.take(self.at, self.out_at):
            return False
        for i in range(len(row)):
            if self.out[i] != (MISSING if row[i] is None else row[i]):
                return False
        return True


def _take_none(at, out_at):
    return 1
