"""The model file on the board: `load(path)`, `Model.self_test()`, `Model.predict(readings)`.

models/FORMAT.md specifies the bytes read here. Tables are used in place, through a memoryview
where the interpreter has one.
"""

from array import array

from dibble import ModelError
from dibble.inference.crc32 import crc32
from dibble.inference.cursor import Cursor
from dibble.inference.features import Window, Windows, feature_limit
from dibble.inference.fixed_point import MISSING
from dibble.inference.predictor import Predictor

MAGIC = b"DIBL"
FORMAT = 2
FOREST, ADDITIVE, MLP = 1, 2, 3
NOVELTY = 128  # flag of the family byte: tables of how usual a combination is follow the family's
HEADER_BYTES = 10
CRC_BYTES = 4


def load(path):
    """Read the model file at `path` and check it; raise ModelError with the reason if it isn't whole."""
    with open(path, "rb") as file:
        blob = file.read()
    return Model(blob)


def _check(blob):
    size = len(blob)
    if size < HEADER_BYTES + CRC_BYTES:
        raise ModelError("expected a model file, got %d bytes" % size)
    if bytes(blob[:4]) != MAGIC:
        raise ModelError("expected a model file that starts with %r, got %r" % (MAGIC, bytes(blob[:4])))
    if blob[4] != FORMAT:
        raise ModelError("expected model format %d, got %d: update the firmware or export again" % (FORMAT, blob[4]))
    if not FOREST <= blob[5] & 127 <= MLP:
        raise ModelError("expected a family from %d to %d, got %d: update the firmware" % (FOREST, MLP, blob[5] & 127))
    # Halves, so that no byte of a damaged length makes a long int.
    if blob[8] | blob[9] << 8 != size >> 16 or blob[6] | blob[7] << 8 != size & 0xFFFF:
        raise ModelError("got %d bytes, but the file's header tells another length: cut short, copy it again" % size)
    end = size - CRC_BYTES
    high, low = crc32(blob, end)
    if blob[end] | blob[end + 1] << 8 != low or blob[end + 2] | blob[end + 3] << 8 != high:
        raise ModelError("the model file's CRC-32 doesn't match its bytes: damaged, copy it again")


def _build(family, cursor, limits, classes):
    """Return the family's tables ready to run; only its own module is imported."""
    if family == FOREST:
        from dibble.inference.forest import build
    elif family == ADDITIVE:
        from dibble.inference.additive import build
    else:
        from dibble.inference.mlp import build
    return build(cursor, limits, classes)


def _channel(cursor, unit):
    """Return (name, unit, mantissa, exponent, low, high); resolution = mantissa * 10**exponent.

    Args:
        unit: of the channel before, which this one may share.
    """
    name = cursor.text()
    form = cursor.byte()
    if not form & 64:
        unit = cursor.text()
    mantissa = cursor.byte() if form & 32 else 1
    low = cursor.signed()
    return name, unit, mantissa, (form & 31) - 9, low, low + cursor.number()


class Model(Predictor):
    """A Predictor read from the bytes of a model file.

    Args:
        blob: bytes or memoryview of the whole file; kept, and read in place.
    Attributes:
        name: the model's name.
        classes: tuple of class names.
        interval_ms: sampling interval of a time series; 0 where each row stands alone.
        limits: largest value of each feature.
        family_at, novelty_at, tables_end: where in the file the family's tables begin, those of
            novelty where there are any, and where the last of them ends.
        golden_count: number of golden vectors.
    Raises:
        ModelError: damaged, cut short, of another format.
    """

    def __init__(self, blob):
        _check(blob)
        self.blob = blob
        try:
            self._read(Cursor(blob, HEADER_BYTES))
        except (IndexError, ValueError, OverflowError, UnicodeError) as error:
            raise ModelError("the model file contradicts itself: %s" % error)

    def _read(self, cursor):
        self.interval_ms = cursor.number()
        unsure_below = cursor.number()
        hysteresis = cursor.number()
        self.name = cursor.text()
        self.classes = tuple([cursor.text() for _ in range(cursor.number())])
        channels = cursor.number()
        self._channels_at = cursor.at
        cursor.before = b""
        low = array("i")
        high = array("i")
        unit = ""
        for _ in range(channels):
            _, unit, _, _, least, most = _channel(cursor, unit)
            low.append(least)
            high.append(most)
        spans = [high[i] - low[i] for i in range(channels)]
        windows = []
        for _ in range(cursor.number()):
            channel = cursor.byte()
            kind = cursor.byte()
            windows.append(Window(channel, kind, cursor.byte(), spans[channel]))
        self.limits = [feature_limit(window.kind, spans[window.channel]) for window in windows] or spans
        self.family_at = cursor.at
        family = _build(self.blob[5] & 127, cursor, self.limits, len(self.classes))
        novelty = None
        novel_below = 0
        if self.blob[5] & NOVELTY:
            novel_below = cursor.number()
            self.novelty_at = cursor.at
            novelty = _build(ADDITIVE, cursor, self.limits, 2)
        self.tables_end = cursor.at
        self.golden_count = cursor.number()
        self._golden_at = cursor.at
        Predictor.__init__(
            self,
            low,
            high,
            Windows(windows, self.interval_ms) if windows else None,
            family,
            len(self.classes),
            unsure_below,
            hysteresis,
            novelty,
            novel_below,
        )
        for _ in range(self.golden_count):
            self._golden(cursor)
        for i in range(channels):
            self.readings[i] = MISSING
        if cursor.at + CRC_BYTES != len(self.blob):
            raise ValueError("its parts end at %d of %d bytes" % (cursor.at + CRC_BYTES, len(self.blob)))

    def channel(self, index):
        """Return (name, unit, mantissa, exponent, low, high) of a channel, read anew from the file."""
        cursor = Cursor(self.blob, self._channels_at)
        channel = _channel(cursor, "")
        for _ in range(index):
            channel = _channel(cursor, channel[1])
        return channel

    def _golden(self, cursor):
        """Read the next golden vector into `readings`; return its class, margin and flags."""
        for i in range(len(self.readings)):
            steps = cursor.number()
            self.readings[i] = self.low[i] + steps - 1 if steps else MISSING
        return cursor.byte(), cursor.number(), cursor.byte()

    def self_test(self):
        """Replay the golden vectors, then restart; raise ModelError where a result differs from the host's.

        Returns:
            int: how many vectors agreed.
        """
        cursor = Cursor(self.blob, self._golden_at)
        self.restart()
        for vector in range(self.golden_count):
            expected = self._golden(cursor)
            decision = self.predict()
            got = decision.class_index, decision.margin, decision.flags
            if got != expected:
                raise ModelError("golden vector %d: expected class, margin, flags %r, got %r" % (vector, expected, got))
        self.restart()
        return self.golden_count
