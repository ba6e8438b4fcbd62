"""A model that runs as code: as the module that `dibble unroll` made of its file, in its tables' place."""

from array import array

from dibble import ModelError
from dibble.inference.decision import OUT_OF_RANGE, SENSOR_FAULT, UNSURE
from dibble.inference.features import Past
from dibble.inference.format import NOVELTY
from dibble.inference.kernels.generator import started
from dibble.inference.model import Model
from dibble.inference.novelty import watched
from dibble.inference.predictor import Predictor
from dibble.inference.windows import read


class Emptied(Past):
    """Windows that the code keeps: of their state there is only which channels are empty, and last whether any is."""

    push = None

    def begin(self, words):
        self.places_end = len(self.spans)
        self.state = array("i", [0] * (len(self.spans) + 1))
        self.missing = bytearray(len(self.spans))

    def restart(self):
        Past.restart(self)
        self.state[len(self.spans)] = 1


class Unrolled(Model):
    """A Model whose tables stay unread.

    Args:
        blob: as Model's, checked.
        code: the module; its judge() gives what scores a row or, where its DECIDES is true, what keeps the windows and
            settles the decision, too: decide(readings), of any kind of sequence, tells so, or tells that a reading
            isn't within its range, which changes nothing.
    """

    def __init__(self, blob, code):
        self.module = code
        self.decide = None
        Model.__init__(self, blob, True)
        if code.DECIDES:
            parts = (self.decision,)
            if self.windows:
                parts += (self.windows.state, self.windows.values)
            self.decide = started(code.judge(*parts))

    def restart(self):
        Predictor.restart(self)

    def finish(self, found):
        return Predictor.finish(self, found)

    def last_row(self):
        return self.row

    def _begin(self, low, high, windows, score, unsure_below, hysteresis):
        past = None if self.module.DECIDES else windows
        Predictor.__init__(self, low, high, past, score, unsure_below, hysteresis, not past)
        self.windows = windows

    def _windows(self, *told):
        if self.module.DECIDES:
            return read(*told, kind=Emptied)
        from dibble.inference.kernels.features_bytecode import Windows

        return read(*told, kind=Windows)

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
        if elapsed_ms is not None:
            self.gap(elapsed_ms)
        if readings is None:
            readings = self.readings
        elif None in readings:  # the code's TypeError would take room on the heap
            self.row = readings
            found = self.check_and_score(readings)
            if self.windows:
                self.miss(found)
            return self.finish(found)
        self.row = readings
        if self.decide(readings):
            return self.decision
        found = self.check_and_score(readings)
        if ~found & 255 == OUT_OF_RANGE:
            return self.clamped(found)
        if self.windows:
            self.miss(found)
        return self.finish(found)

    def gap(self, elapsed_ms):
        """Forget past readings where the time since the last isn't one sampling interval; decisions count anew."""
        if self.windows and self.windows.is_gap(elapsed_ms):
            self.windows.restart()
            self.decision.agreed = -1

    def clamped(self, found):
        """Return the decision on `values`, the last row clamped to the channels' ranges; the held class stays."""
        decision = self.decision
        held = decision.held_index
        self.decide(self.values)
        decision.held_index = held
        flags = OUT_OF_RANGE if decision.margin >= self.unsure_below else OUT_OF_RANGE | UNSURE
        decision.settle(decision.class_index, decision.margin, flags, (~found >> 8) - 1)
        return decision

    def miss(self, found):
        """Let the windows take `values`, and forget those channels whose reading is missing, if any is."""
        if ~found & 255 != SENSOR_FAULT or found == -1:
            return
        values, low, missing = self.values, self.low, self.windows.missing
        for i in range(len(low)):
            missing[i] = values[i] < low[i]
            if missing[i]:
                values[i] = low[i]
        held = self.decision.held_index
        self.decide(values)
        self.decision.held_index = held
        for i in range(len(low)):
            if missing[i]:
                self.windows.state[i] = self.windows.state[len(low)] = 1
