"""Rows of other kinds for machine code: lists, tuples, arrays of whole numbers are taken to an array("i") of their own.

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
    from dibble.inference.kernels.rows_thumb import take
else:
    from dibble.inference.kernels.rows_viper import take

# The plan's words, each object in two halves: the list that holds the row, the types list, tuple and array, None; then
# how many readings there are, and MISSING.
BOX, LIST, TUPLE, ARRAY, NONE, CHANNELS, ABSENT = 0, 2, 4, 6, 8, 10, 11
WORDS = 12
NEWEST = (1, 29)


class Rows:
    """What takes rows.

    Args:
        own: the model's own readings, which needn't be taken.
        out: array("i"), as long.
    Attributes:
        box, take, at: box[0] = row, then take(at, out_at) is 0 where the row's readings lie in `out` now.
        out_at: address of `out`.
    """

    def __init__(self, own, out):
        self.own = own
        self.out = out
        self.out_at = address(out)
        self.box = [None]
        self.plan = plan = array("i", [0] * WORDS)
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
        self.take = take if sys.implementation.version[:2] <= NEWEST else _take_none
        for i in range(len(out)):
            out[i] = i - 3
        for row in (list(out), tuple(out), array("h", out), [None] * len(out)):
            if not self.takes(row):
                self.take = _take_none

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
