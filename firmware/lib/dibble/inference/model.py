"""The model file on the board: `load(path)`, `Model.self_test()`, `Model.predict(readings)`.

models/FORMAT.md specifies the bytes read here. Tables are used in place, through a memoryview
where the interpreter has one.
"""

from array import array

from dibble import ModelError
from dibble.inference.crc32 import crc32
from dibble.inference.cursor import Cursor
from dibble.inference.fixed_point import MISSING
from dibble.inference.kernels import KIND
from dibble.inference.predictor import Predictor
from dibble.inference.started import started

MAGIC = b"DIBL"
FORMAT = 2
FOREST, ADDITIVE, MLP = 1, 2, 3
NOVELTY = 128  # flag of the family byte: tables of how usual a combination is follow the family's
HEADER_BYTES = 10
CRC_BYTES = 4


def load(path, code=None):
    """Return the model in the file at `path`; raise ModelError with the reason if it isn't whole.

    From a ROMFS it is used in place, and takes no RAM for its tables; see `contents`.

    Args:
        code: see Model.
    """
    return Model(contents(path), code)


def contents(path):
    """Return a file's bytes: in place from a ROMFS, from any other file system read once, into one buffer."""
    with open(path, "rb") as file:
        try:
            return memoryview(file)  # only a ROMFS's file is a buffer: a piece of the flash
        except TypeError:
            size = file.seek(0, 2)
            file.seek(0)
            return file.read(size)  # without its size, the buffer would grow


def _check(blob, code):
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
    crc = crc32(blob, end)
    if (blob[end + 2] | blob[end + 3] << 8, blob[end] | blob[end + 1] << 8) != crc:
        raise ModelError("the model file's CRC-32 doesn't match its bytes: damaged, copy it again")
    if code and code.CRC != crc:
        raise ModelError("expected the code of this model file, got another's: unroll it again")


def _build(family, cursor, low, limits, classes):
    """Return (f, scores) of a family, ready to run; only its own module is imported."""
    if family == FOREST:
        from dibble.inference.forest import build
    elif family == ADDITIVE:
        from dibble.inference.additive import build
    else:
        from dibble.inference.mlp import build
    return build(cursor, low, limits, classes)


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
        code: the module that `dibble unroll` made of this file, to be run in its tables' place: fastest
            where there is no viper, for some 10 bytes of bytecode a split; None runs the tables.
    Attributes:
        name: the model's name.
        classes: tuple of class names.
        interval_ms: sampling interval of a time series; 0 where each row stands alone.
        limits: largest value of each feature.
        scores: each class's score of the last row, where the tables are run.
        novel_below: class 1's least score in the tables of novelty that isn't novel.
        family_at, novelty_at, tables_end: where in the file the family's tables begin, those of
            novelty where there are any, and where the last of them ends.
        golden_count: number of golden vectors.
    Raises:
        ModelError: damaged, cut short, of another format.
    """

    def __init__(self, blob, code=None):
        _check(blob, code)
        self.blob = blob
        try:
            self._read(Cursor(blob, HEADER_BYTES), code)
        except (IndexError, ValueError, OverflowError, UnicodeError) as error:
            raise ModelError("the model file contradicts itself: %s" % error)

    def _read(self, cursor, code):
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
        features = cursor.number()
        windows = None
        if features:
            from dibble.inference.features import read

            windows, self.limits = read(cursor, features, spans, self.interval_ms)
        else:
            self.limits = spans
        self.family_at = cursor.at
        score = novelty = None
        self.novel_below = novel_lead = 0
        if code:
            if self.blob[5] & NOVELTY:
                novelty = started(code.novel())
                novel_lead = code.NOVEL_LEAD
            if windows or novelty:
                score = started(code.judge())
            cursor.at = code.TABLES_END
        else:
            least = array("i", [0] * features) if features else low
            score, self.scores = _build(self.blob[5] & 127, cursor, least, self.limits, len(self.classes))
            if self.blob[5] & NOVELTY:
                self.novel_below = cursor.number()
                self.novelty_at = cursor.at
                novelty, scores = _build(ADDITIVE, cursor, least, self.limits, 2)
                novel_lead = self.novel_below - scores[0]
        self.tables_end = cursor.at
        self.golden_count = cursor.number()
        self._golden_at = cursor.at
        raw = not windows and (KIND != "bytecode" or bool(code))
        Predictor.__init__(self, low, high, windows, score, unsure_below, hysteresis, raw, novelty, novel_lead)
        if code and not score:
            self.code = started(code.judge(self.decision))
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

    def because(self):
        """Return why the last decision: (channel, amount), the channel that moved its margin most.

        The amount is in steps of the margin, against the average training row: below 0 where the
        channel spoke for the runner-up.

        Raises:
            ModelError: the family can't tell, or there was no decision.
        """
        from dibble.inference.because import because

        return because(self)

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
