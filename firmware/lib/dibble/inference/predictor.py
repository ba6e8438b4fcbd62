"""Readings in, decision out: what a node runs each time it wakes.

A `Predictor` knows no file: `model.Model` fills one from a model file, and a board too small for
that reader (9 KB of heap) has one filled by a generated module.
"""

from array import array

from dibble import ModelError
from dibble.inference.decision import NO_CLASS, NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE, Decision
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.inference.offsets import offsets

# A function whose locals and stack take more than 11 words looks for room on the heap at each call,
# which costs more than all that predict() does itself: so these are several, and lean.


def _expected(own, readings):
    if len(readings) != len(own):
        raise ModelError("expected %d readings, got %d" % (len(own), len(readings)))
    return readings


def _take(own, readings):
    """Copy a row into `own`, an array("i"), and return that."""
    _expected(own, readings)
    i = 0
    for reading in readings:
        if reading is None:
            reading = MISSING
        elif reading > READING_LIMIT:
            reading = READING_LIMIT
        elif reading < -READING_LIMIT and reading != MISSING:
            reading = -READING_LIMIT
        own[i] = reading
        i += 1
    return own


def _add(low, values):
    i = 0
    for least in low:
        values[i] += least
        i += 1


def _lead(found):
    """Return by how much class 1 of two leads."""
    return found >> 8 if found & 255 else -(found >> 8)


class Predictor:
    """Integer tables and the state of one node.

    Args:
        low, high: array("i"), each channel's valid range in steps of its resolution.
        windows: features.Windows; None where each feature is the last reading of its channel.
        score: what turns feature values into winner | margin << 8.
        unsure_below: a smaller margin is flagged unsure.
        hysteresis: trusted decisions in a row that change the held class.
        raw: score takes readings as they are instead, an array("i"), and returns -1 where one is missing or
            out of range. Without windows only.
        novelty: how usual a row's combination of values is: as score, of two classes; None where nobody asks.
        novel_lead: a row where class 1 leads by less is flagged novel.
    Attributes:
        readings: array("i"), one a channel: fill it and call predict() for the quickest prediction.
        decision: the Decision that predict() overwrites and returns.
        code: decides in score's place, where there is one: code(readings), of any kind of sequence, settles the
            decision and tells so, or tells that a reading isn't within its range.
    """

    def __init__(
        self,
        low,
        high,
        windows,
        score,
        unsure_below,
        hysteresis,
        raw=False,
        novelty=None,
        novel_lead=0,
    ):
        self.low = low
        self.high = high
        self.windows = windows
        self.score = score
        self.raw = raw
        self.unsure_below = unsure_below
        self.decision = Decision(hysteresis)
        self.readings = array("i", [MISSING] * len(low))
        self.row = self.readings  # what was predicted last
        self.values = array("i", self.readings)
        self.offsets = offsets(low, high, self.values)
        self.novelty = novelty
        self.novel_lead = novel_lead
        self.code = None

    def restart(self):
        """Forget past readings and decisions, as after power-on."""
        if self.windows:
            self.windows.restart()
        self.decision.reset()

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
        if readings is None:
            readings = self.readings
        self.row = readings
        code = self.code
        if code and code(readings):
            return self.decision
        if readings is not self.readings:
            self.row = _take(self.readings, readings) if self.raw else _expected(self.readings, readings)
        if self.raw and not self.novelty and not code and self._settle(self.score(self.row)):
            return self.decision
        if self.windows and elapsed_ms is not None and self.windows.is_gap(elapsed_ms):
            self.windows.restart()
            self.decision.agreed = 0
        bad = self.offsets(self.row) if self.row is self.readings else self._above()
        if code:
            return self._look_by_code(bad)
        return self._look(bad)

    def _above(self):
        """Return what `offsets` tells of a row that may hold anything; what it can't take ends no kernel."""
        try:
            return self.offsets(self.row)
        except BaseException:
            self.offsets = offsets(self.low, self.high, self.values)
            raise

    def _settle(self, found):
        """Settle the decision on a row of which all is well; tell whether it was one."""
        if found < 0:
            return False
        self.decision.settle(found & 255, found >> 8, 0 if found >> 8 >= self.unsure_below else UNSURE, -1)
        return True

    def _look_by_code(self, bad):
        """As _look, where the code that decides for itself found that not all is well."""
        decision = self.decision
        values = self.values
        if bad & 255:
            decision.settle(NO_CLASS, 0, SENSOR_FAULT, (bad & 255) - 1)
            return decision
        _add(self.low, values)
        held = decision.held_index
        self.code(values)
        decision.held_index = held
        values = OUT_OF_RANGE if decision.margin >= self.unsure_below else OUT_OF_RANGE | UNSURE
        decision.settle(decision.class_index, decision.margin, values, (bad >> 8) - 1)
        return decision

    def _look(self, bad):
        """Return the decision on `self.values`, where `bad` tells what is wrong with the readings."""
        values = self.values
        if self.windows:
            values = self.windows.push(values)
        if bad & 255:
            self.decision.settle(NO_CLASS, 0, SENSOR_FAULT, (bad & 255) - 1)
            return self.decision
        if self.raw:
            _add(self.low, values)
        flags = OUT_OF_RANGE if bad else 0
        if self.novelty and _lead(self.novelty(values)) < self.novel_lead:
            flags |= NOVEL
        values = self.score(values)
        if values >> 8 < self.unsure_below:
            flags |= UNSURE
        self.decision.settle(values & 255, values >> 8, flags, (bad >> 8) - 1)
        return self.decision
