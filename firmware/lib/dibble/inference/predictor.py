"""Readings in, decision out: what a node runs each time it wakes.

A `Predictor` knows no file: `model.Model` fills one from a model file, and a board too small for
that reader (9 KB of heap) has one filled by a generated module.
"""

from array import array

from dibble.inference.decision import NO_CLASS, NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE, Decision
from dibble.inference.fixed_point import MISSING
from dibble.inference.kernels.generator import started
from dibble.inference.ranges import NOVEL_ROW, check_and_score


# A function whose locals and stack take more than 11 words looks for room on the heap at each call,
# which costs more than all that predict() does itself: so these are several, and lean.
class Predictor:
    """Integer tables and the state of one node.

    Args:
        low, high: array("i"), each channel's valid range in steps of its resolution.
        windows: a features.Past; None where each feature is the last reading of its channel.
        score: what turns feature values into winner | margin << 8, or that - NOVEL_ROW.
        unsure_below: a smaller margin is flagged unsure.
        hysteresis: trusted decisions in a row that change the held class.
        raw: score takes readings as they are instead, an array("i"), and returns less than 0 where one is missing
            or out of range. Without windows only.
    Attributes:
        readings: array("i"), one a channel: fill it and call predict() for the quickest prediction.
        decision: the Decision that predict() overwrites and returns.
        row: what was predicted last.
        values: feature values of the last row that `check_and_score` saw.
    """

    def __init__(self, low, high, windows, score, unsure_below, hysteresis, raw=False):
        self.low = low
        self.high = high
        self.windows = windows
        self.score = score
        self.unsure_below = unsure_below
        self.decision = Decision(hysteresis)
        self.row = self.readings = array("i", [MISSING] * len(low))
        self.values = array("i", low)
        self.check_and_score = started(check_and_score(low, high, self.values, score, raw, windows and windows.push))
        self.fast_path = score if raw else self.check_and_score
        if windows:
            self.values = windows.values

    def restart(self):
        """Forget past readings and decisions, as after power-on."""
        if self.windows:
            self.windows.restart()
        self.decision.reset()

    def last_row(self):
        """Return what was predicted last."""
        return self.row

    def predict(self, readings=None, elapsed_ms=None):
        """Return the decision on one row of readings.

        Args:
            readings: one int (or None: missing) a channel, in the model's order and resolution;
                left out: `self.readings` as it stands.
            elapsed_ms: time since the last prediction, where it wasn't one sampling interval.
        Returns:
            self.decision, overwritten.
        Raises:
            ModelError: another number of readings than the model has channels.
            TypeError: a reading is no int.
            StopIteration: an exception from outside, such as Ctrl-C, ended a kernel before: load the model anew.
        """
        if elapsed_ms is not None and self.windows and self.windows.is_gap(elapsed_ms):
            self.windows.restart()
            self.decision.agreed = -1
        if readings is None:
            readings = self.row = self.readings
            found = self.fast_path(readings)
        else:
            self.row = readings
            found = self.check_and_score(readings)
        decision = self.decision
        # The held class once more, and to be trusted: all else stays as it is.
        if found & 255 == decision.held_index and not decision.agreed and found >> 8 >= self.unsure_below:
            decision.margin = found >> 8
            return decision
        return self.finish(found)

    def finish(self, found):
        """Return the decision on a row, of which `fast_path` or `check_and_score` told `found`."""
        if found == -1:
            found = self.check_and_score(self.row)
            if found == -1:
                from dibble.inference import errors

                raise errors.no_row(self.row, len(self.low))
        flags = 0
        channel = -1
        if -NOVEL_ROW >> 1 < found < 0:
            flags = ~found & 255
            channel = (~found >> 8) - 1
            found = self.score(self.values) if flags == OUT_OF_RANGE else NO_CLASS
        if found < 0:
            found += NOVEL_ROW
            flags |= NOVEL
        if found >> 8 < self.unsure_below and flags != SENSOR_FAULT:
            flags |= UNSURE
        self.decision.settle(found & 255, found >> 8, flags, channel)
        return self.decision
