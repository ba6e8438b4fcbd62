"""A model that runs as code: as the module that `dibble unroll` made of its file, in its tables' place."""

from dibble import ModelError
from dibble.inference.decision import OUT_OF_RANGE, UNSURE
from dibble.inference.features import read
from dibble.inference.format import NOVELTY
from dibble.inference.kernels.features_bytecode import Windows
from dibble.inference.kernels.generator import started
from dibble.inference.model import Model
from dibble.inference.novelty import watched
from dibble.inference.predictor import Predictor


class Unrolled(Model):
    """A Model whose tables stay unread.

    Args:
        blob: as Model's, checked.
        code: the module; its judge() gives what scores a row or, where its DECIDES is true, what settles the
            decision, too: decide(readings), of any kind of sequence, tells so, or tells that a reading isn't
            within its range.
    """

    def __init__(self, blob, code):
        self.module = code
        self.decide = None
        Model.__init__(self, blob, True)
        if code.DECIDES:
            self.decide = started(code.judge(self.decision))

    def restart(self):
        Predictor.restart(self)

    def finish(self, found):
        return Predictor.finish(self, found)

    def _begin(self, low, high, windows, score, unsure_below, hysteresis):
        Predictor.__init__(self, low, high, windows, score, unsure_below, hysteresis, not windows)

    def _windows(self, file, count, spans, interval_ms, low):
        return Windows(read(file, count), spans, interval_ms)

    def _kernel(self, cursor, low, limits, classes):
        code = self.module
        crc = self.blob[-2] | self.blob[-1] << 8, self.blob[-4] | self.blob[-3] << 8
        if code.CRC != crc:
            raise ModelError("expected the code of this model file, got another's: unroll it again")
        cursor.at = code.TABLES_END
        if code.DECIDES:
            return None
        score = started(code.judge())
        if self.blob[5] & NOVELTY:
            score = watched(score, started(code.novel()), code.NOVEL_LEAD)
        return score

    def predict(self, readings=None, elapsed_ms=None):
        if not self.decide:
            return Predictor.predict(self, readings, elapsed_ms)
        if readings is None:
            readings = self.readings
        elif None in readings:  # the code's TypeError would take room on the heap
            self.row = readings
            return self.finish(self.check_and_score(readings))
        self.row = readings
        if self.decide(readings):
            return self.decision
        found = self.check_and_score(readings)
        if ~found & 255 == OUT_OF_RANGE:
            return self.clamped(found)
        return self.finish(found)

    def clamped(self, found):
        """Return the decision on `values`, the last row clamped to the channels' ranges; the held class stays."""
        decision = self.decision
        held = decision.held_index
        self.decide(self.values)
        decision.held_index = held
        flags = OUT_OF_RANGE if decision.margin >= self.unsure_below else OUT_OF_RANGE | UNSURE
        decision.settle(decision.class_index, decision.margin, flags, (~found >> 8) - 1)
        return decision
