"""What a model file tells beside what it takes to predict."""

from dibble.inference.errors import reason
from dibble.inference.format import Cursor, read_channel, read_head
from dibble.inference.parts import IMAGE
from dibble.inference.strings import Strings


class Description:
    """A model's names and places, read from its file.

    Args:
        model: the Model.
    Attributes:
        name: the model's name.
        classes: tuple of class names.
        interval_ms: sampling interval of a time series; 0 where each row stands alone.
        limits: largest value of each feature.
        novel_below: class 1's least score in the tables of novelty that isn't novel; 0 where there are none.
        channels_at: where in the file the channels are listed.
        family_at: where in the file the family's tables begin.
        golden_count: number of golden vectors.
    Raises:
        ModelError: a text isn't one.
    """

    novel_below = 0

    def __init__(self, model):
        self._model = model
        cursor = Strings(model.blob, model.head_at)
        try:
            self._read(model, cursor)
        except ValueError as error:
            raise reason(model.blob, error)

    def _read(self, model, cursor):
        self.interval_ms = read_head(cursor)[0]
        self.name = cursor.strings[0]
        self.classes = tuple(cursor.strings[1:])
        told = cursor.number()
        self.channels_at = cursor.at
        if told:
            self.limits = [model.high[i] - model.low[i] for i in range(told)]
            self._channel(cursor, told - 1)
        else:
            self.limits = b"\xff" * (0 if IMAGE in model.parts else len(model.low))  # see parts.cells
        if cursor.number():
            from dibble.inference.features import FEATURE_BYTES, feature_limit

            spans = self.limits + [ratio[3] for ratio in model.ratios]
            self.limits = [feature_limit(kind, spans[of]) for of, kind, _ in model.windows.features]
            cursor.at += FEATURE_BYTES * len(self.limits)
        self.family_at = cursor.at
        self.golden_count = Cursor(model.blob, model.tables_end).number()

    def channel(self, index):
        """Return (name, unit, mantissa, exponent, low, high) of a channel; a ratio's is in 1/1024 octave."""
        if isinstance(self.limits, bytes):
            if IMAGE in self._model.parts and self._model.frame[3]:
                return str(index), "", 1, 0, -32767, 32767
            return str(index), "", 1, 0, 0, 255
        ratios = index - len(self._model.low)
        if ratios >= 0:
            own, others, low, span = self._model.ratios[ratios]
            names = [self.channel(i)[0] for i in bytes((own,)) + others]
            name = "%s/%s" % (names[0], names[1] if len(others) == 1 else "mean of %d" % len(others))
            return name, "octave/1024", 1, 0, low, low + span
        return self._channel(Strings(self._model.blob, self.channels_at), index)

    def _channel(self, cursor, index):
        cursor.before = b""
        channel = read_channel(cursor, "")
        for _ in range(index):
            channel = read_channel(cursor, channel[1])
        return channel

    def explain(self):
        """Return why the last decision: (channel, amount), the channel that moved its margin most.

        The amount is in steps of the margin, against the average training row: below 0 where the
        channel spoke for the runner-up.

        Raises:
            ModelError: the family can't tell, or there was no decision.
        """
        from dibble.inference.explanation import explain

        return explain(self._model)
