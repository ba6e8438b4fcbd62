"""Readings in, decision out: what a node runs each time it wakes.

A `Predictor` knows no file: `model.Model` fills one from a model file, and a board too small for
that reader (9 KB of heap) has one filled by a generated module.
"""

from array import array

from dibble import ModelError
from dibble.inference import kernels
from dibble.inference.decision import NO_CLASS, OUT_OF_RANGE, SENSOR_FAULT, UNSURE, Decision
from dibble.inference.fixed_point import MISSING, READING_LIMIT


class Predictor:
    """Integer tables and the state of one node.

    Args:
        low, high: array("i"), each channel's valid range in steps of its resolution.
        windows: features.Windows; None where each feature is the last reading of its channel.
        features: number of features.
        coders: from kernels.prepare_coders.
        forest: see kernels_bytecode.forest_votes.
        classes: number of classes.
        unsure_below: a smaller margin is flagged unsure.
        hysteresis: trusted decisions in a row that change the held class.
    Attributes:
        readings: array("i"), one a channel: fill it and call predict() for the quickest prediction.
        decision: the Decision that predict() overwrites and returns.
    """

    def __init__(self, low, high, windows, features, coders, forest, classes, unsure_below, hysteresis):
        self.low = low
        self.high = high
        self.windows = windows
        self.coders = coders
        self.forest = forest
        self.unsure_below = unsure_below
        self.decision = Decision(hysteresis)
        self.readings = array("i", [MISSING] * len(low))
        self.offsets = array("i", [0] * len(low))
        self.codes = bytearray(features)
        self.scores = array("H", [0] * classes)

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
        kernels.encode(values, self.coders, self.codes)
        kernels.forest_votes(self.codes, self.forest, self.scores)
        winner = kernels.top_two(self.scores)
        margin = winner >> 8
        flags = UNSURE if margin < self.unsure_below else 0
        self.decision.settle(winner & 255, margin, flags | OUT_OF_RANGE if bad else flags, (bad >> 8) - 1)
        return self.decision
