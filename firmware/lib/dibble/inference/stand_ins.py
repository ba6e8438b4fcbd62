"""Readings that stand in for missing ones: the part "stand_ins" of a model file.

A row whose missing readings all have stand-ins is decided: flagged as a sensor fault, with a class. Windows of such a
channel are as if it had always read that; they stay empty, and its next reading fills them (models/FORMAT.md).
"""

from array import array

from dibble.inference.decision import NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE
from dibble.inference.format import Cursor
from dibble.inference.kernels.generator import started
from dibble.inference.parts import STAND_INS
from dibble.inference.ranges import NOVEL_ROW, check_and_score


def read(model):
    """Return what stands in for each channel, above its low: array("i"), -1 for nothing.

    Raises:
        ValueError: one is beyond its channel's range, or the channels are compared with each other.
    """
    file = Cursor(model.blob, model.parts[STAND_INS])
    found = array("i", [file.number() - 1 for _ in model.low])
    for i in range(len(found)):
        if found[i] > model.high[i] - model.low[i]:
            raise ValueError("%d stands in for channel %d" % (found[i], i))
    if model.ratios:
        raise ValueError("a stand-in and a ratio")
    return found


def tolerate(model):
    """Let a Model decide on rows in which readings are missing."""
    model.stand_ins = read(model)
    if isinstance(model.score, array):
        model.rows.stand_in(model.stand_ins)
    else:
        model.finish = _Bytecode(model).finish


class _Bytecode:
    """What finishes the rows of a predictor.Predictor, or of a model's code.

    Attributes:
        vital: whether in the last row a reading was missing that nothing stands in for.
    """

    def __init__(self, model):
        self.model = model
        self.plain = model.finish
        raw = model.fast_path is model.score
        self.row = array("i", model.low)
        self.low = model.low if raw else array("i", [0] * len(model.low))
        self.push = None
        if model.windows:
            self.push = model.windows.push
        else:
            model.values = self.row
        push = self.push and self.stand_in_and_push
        model.check_and_score = started(
            check_and_score(model.low, model.high, self.row, model.score, raw, push, OUT_OF_RANGE)
        )
        if not raw:
            model.fast_path = model.check_and_score

    def stand_in_and_push(self, offsets):
        if min(offsets) < 0:
            self.stand_in(offsets)
        return self.push(offsets)

    def stand_in(self, row):
        """Put what stands in into a row, for windows its complement."""
        low = self.low
        stand_ins = self.model.stand_ins
        self.vital = False
        for i in range(len(row)):
            if row[i] < low[i]:
                if stand_ins[i] < 0:
                    self.vital = True
                else:
                    row[i] = ~stand_ins[i] if self.push else low[i] + stand_ins[i]

    def finish(self, found):
        if found == -1:
            found = self.model.check_and_score(self.model.row)
        if found >= 0 or found <= -NOVEL_ROW >> 1 or not ~found & SENSOR_FAULT:
            return self.plain(found)
        if not self.push:
            self.stand_in(self.row)
        if self.vital:
            return self.plain(~(~found & -256 | SENSOR_FAULT))
        return self.stood_in(~found & 255, (~found >> 8) - 1)

    def stood_in(self, flags, channel):
        model = self.model
        found = model.score(model.values)
        if found < 0:
            found += NOVEL_ROW
            flags |= NOVEL
        if found >> 8 < model.unsure_below:
            flags |= UNSURE
        model.decision.settle(found & 255, found >> 8, flags, channel)
        return model.decision
