"""Readings that stand in for missing ones: the part "stand_ins" of a model file.

A row whose missing readings all have stand-ins is decided: flagged as a sensor fault, with a class. Windows of such a
channel are as if it had always read that; they stay empty, and its next reading fills them (models/FORMAT.md).
"""

from array import array

from dibble.inference.decision import NO_CLASS, NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE
from dibble.inference.format import Cursor
from dibble.inference.kernels.generator import started
from dibble.inference.parts import STAND_INS
from dibble.inference.ranges import NOVEL_ROW, check_and_score

FLAGS_BIT = 25  # as in kernels/plan.py, which imports machine code


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
    if model.windows:
        fill_in(model.windows, model.stand_ins)
    if isinstance(model.score, array):
        model.any = _Machine(model).any
    else:
        model.finish = _Bytecode(model).finish


def fill_in(windows, stand_ins):
    """Let a features.Past take the stand-ins of missing readings, and keep these channels empty."""
    plain = windows.fill
    gone = bytearray(len(stand_ins))

    def fill(offsets):
        some = False
        for i in range(len(gone)):
            gone[i] = offsets[i] < 0 <= stand_ins[i]
            if gone[i]:
                offsets[i] = stand_ins[i]
                windows.state[i] = 1
                some = True
        whole = plain(offsets)
        if not some:
            return whole
        for i in range(len(gone)):
            if gone[i]:
                windows.state[i] = 1
        windows.unfilled = True
        return False

    windows.fill = fill


class _Bytecode:
    """What finishes the rows of a predictor.Predictor, or of a model's code."""

    def __init__(self, model):
        self.model = model
        self.plain = model.finish
        raw = model.fast_path is model.score
        channels = len(model.low)
        self.row = array("i", model.low)
        self.least = model.low if raw else array("i", [0] * channels)
        windows = model.windows
        if not windows:
            model.values = self.row
        model.check_and_score = started(
            check_and_score(model.low, model.high, self.row, model.score, raw, windows and windows.push, OUT_OF_RANGE)
        )
        if not raw:
            model.fast_path = model.check_and_score

    def finish(self, found):
        if found == -1:
            found = self.model.check_and_score(self.model.row)
        if found >= 0 or found <= -NOVEL_ROW >> 1 or not ~found & SENSOR_FAULT:
            return self.plain(found)
        row = self.row
        least = self.least
        for i in range(len(row)):
            if row[i] < least[i]:  # of windows only what has no stand-in
                if self.model.stand_ins[i] < 0:
                    return self.plain(~(~found & -256 | SENSOR_FAULT))
                row[i] = least[i] + self.model.stand_ins[i]
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


class _Machine:
    """What decides on odd rows of a machine_code.Predictor."""

    def __init__(self, model):
        self.model = model
        out = model.rows.out
        model.rows.check = started(check_and_score(model.low, model.high, out, len, True, None, OUT_OF_RANGE))

    def any(self, readings):
        model = self.model
        found = model.rows.check(readings)
        if found == -1:
            from dibble.inference import errors

            raise errors.no_row(readings, len(model.low))
        flags = ~found & 255 if found < 0 else 0
        if flags & SENSOR_FAULT and not self.stand_in():
            flags = NO_CLASS
        readings = model.windows.push_any(model.rows.out) if model.windows else model.rows.out_at
        found = (~found >> 8) - 1 if found < 0 else -1
        if flags == NO_CLASS:
            return model.finish(NO_CLASS | SENSOR_FAULT << FLAGS_BIT, found)
        return model.finish(model.found(readings, flags), found)

    def stand_in(self):
        """Put stand-ins into the row, where no windows do that; tell whether all that is missing has one."""
        model = self.model
        out, low = model.rows.out, model.low
        every = True
        for i in range(len(out)):
            if out[i] < low[i]:
                if model.stand_ins[i] < 0:
                    every = False
                elif not model.windows:
                    out[i] = low[i] + model.stand_ins[i]
        return every
