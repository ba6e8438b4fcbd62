"""Readings in, decision out: what a node runs each time it wakes.

A `Predictor` knows no file: `model.Model` fills one from a model file, and a board too small for
that reader (9 KB of heap) has one filled by a generated module.
"""

from array import array

from dibble import ModelError
from dibble.inference import kernels
from dibble.inference.decision import NO_CLASS, NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE, Decision
from dibble.inference.fixed_point import MISSING, READING_LIMIT


class Predictor:
    """Integer tables and the state of one node.

    Args:
        low, high: array("i"), each channel's valid range in steps of its resolution.
        windows: features.Windows; None where each feature is the last reading of its channel.
        family: what turns feature values into scores: has score(values, scores).
        classes: number of classes.
        unsure_below: a smaller margin is flagged unsure.
        hysteresis: trusted decisions in a row that change the held class.
        novelty: how usual a row's combination of values is: has score(values, scores), where
            scores[1] below `novel_below` is flagged novel; None where nobody asks.
    Attributes:
        readings: array("i"), one a channel: fill it and call predict() for the quickest prediction.
        decision: the Decision that predict() overwrites and returns.
    """

    def __init__(self, low, high, windows, family, classes, unsure_below, hysteresis, novelty=None, novel_below=0):
        self.low = low
        self.high = high
        self.windows = windows
        self.family = family
        self.unsure_below = unsure_below
        self.decision = Decision(hysteresis)
        self.readings = array("i", [MISSING] * len(low))
        self.offsets = array("i", [0] * len(low))
        self.scores = array("H", [0] * classes)
        self.novelty = novelty
        self.novel_below = novel_below
        self.density = array("H", [0, 0])

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
        """
        own = self.readings
        if readings is not None and readings is not own:
            if len(readings) != len(own):
                raise ModelError("expected %d readings, got %d" % (len(own), len(readings)))
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
        values = self.offsets
        bad = kernels.offsets(own, self.low, self.high, values)
        windows = self.windows
        if windows:
            if elapsed_ms is not None and windows.is_gap(elapsed_ms):
                windows.restart()
                self.decision.agreed = 0
            values = windows.push(values)
        if bad & 255:
            self.decision.settle(NO_CLASS, 0, SENSOR_FAULT, (bad & 255) - 1)
            return self.decision
        self.family.score(values, self.scores)
        winner = kernels.top_two(self.scores)
        margin = winner >> 8
        flags = UNSURE if margin < self.unsure_below else 0
        if bad:
            flags |= OUT_OF_RANGE
        if self.novelty:
            self.novelty.score(values, self.density)
            if self.density[1] < self.novel_below:
                flags |= NOVEL
        self.decision.settle(winner & 255, margin, flags, (bad >> 8) - 1)
        return self.decision

    def because(self):
        """Return why the last decision: (channel, amount), the channel that moved its margin most.

        The amount is in steps of the margin, against the average training row: below 0 where the
        channel spoke for the runner-up.

        Raises:
            ModelError: the family can't tell, or there was no decision.
        """
        winner = self.decision.class_index
        if winner == NO_CLASS or not hasattr(self.family, "push"):
            raise ModelError("expected a decision of an additive model, which alone can tell why")
        other = 1 if winner == 0 else 0
        for i in range(len(self.scores)):
            if i != winner and self.scores[i] > self.scores[other]:
                other = i
        feature, amount = self.family.push(winner, other)
        return (self.windows.windows[feature].channel if self.windows else feature), amount
