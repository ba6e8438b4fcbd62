"""The model file on the board: `load(path)`, `Model.self_test()`, `Model.predict(readings)`.

models/FORMAT.md specifies the bytes read here. Tables are used in place, through a memoryview
where the interpreter has one. What a healthy node doesn't need to predict is imported when it is asked for.
"""

from array import array

from dibble.inference import crc32, cursor, kernels, predictor

HEAD = b"DIBL\2"  # magic and format
HEADER_BYTES = 10
FOREST, ADDITIVE, MLP = 1, 2, 3
NOVELTY = 128  # flag of the family byte: tables of how usual a combination is follow the family's
CRC_BYTES = 4
WHOLE = 0x2144, 0xDF1C  # the CRC-32 of what ends in its own CRC-32


def load(path, code=None):
    """Return the model in the file at `path`; raise ModelError with the reason if it isn't whole.

    From a ROMFS it is used in place, and takes no RAM for its tables; see `contents`.

    Args:
        code: see model_of.
    """
    return model_of(contents(path), code)


def contents(path):
    """Return a file's bytes: in place from a ROMFS, from any other file system read once, into one buffer."""
    with open(path, "rb") as file:
        try:
            return memoryview(file)  # only a ROMFS's file is a buffer: a piece of the flash
        except TypeError:
            size = file.seek(0, 2)
            file.seek(0)
            return file.read(size)  # without its size, the buffer would grow


def model_of(blob, code=None):
    """Return the Model of a file's bytes.

    Args:
        code: the module that `dibble unroll` made of this file, to be run in its tables' place: fastest
            where there is no viper, for some 10 bytes of bytecode a split; None runs the tables.
    """
    if code:
        from dibble.inference import unrolled

        return unrolled.Unrolled(blob, code)
    return Model(blob)


def read_head(file):
    """Return (interval_ms, unsure_below, hysteresis, number of classes) and pass over what they are called."""
    numbers = file.number(), file.number(), file.number()
    file.text()
    classes = file.number()
    for _ in range(classes):
        file.text()
    return numbers + (classes,)


def read_channel(file, unit=None):
    """Return (name, unit, mantissa, exponent, low, high); resolution = mantissa * 10**exponent.

    Args:
        unit: of the channel before, which this one may share.
    """
    name = file.text()
    form = file.byte()
    if not form & 64:
        unit = file.text()
    mantissa = file.byte() if form & 32 else 1
    low = file.signed()
    return name, unit, mantissa, (form & 31) - 9, low, low + file.number()


class Model(predictor.Predictor):
    """A Predictor read from the bytes of a model file.

    Args:
        blob: bytes or memoryview of the whole file; kept, and read in place.
    Attributes:
        scores: each class's score of the last row, where the tables are run.
        tables_end: where in the file the last of the tables ends.
        ...: and all of about.About: read anew from the file each time.
    Raises:
        ModelError: damaged, cut short, of another format.
    """

    def __init__(self, blob):
        self.blob = blob
        size = len(blob)
        try:
            if bytes(blob[:5]) != HEAD or bytes(blob[6:10]) != size.to_bytes(4, "little"):
                raise ValueError
            if crc32.crc32(blob, size) != WHOLE:
                raise ValueError
            self._read(cursor.Cursor(blob, HEADER_BYTES))
        except (IndexError, ValueError, OverflowError) as error:
            from dibble.inference import damage

            raise damage.reason(blob, error)

    def _read(self, file):
        interval_ms, unsure_below, hysteresis, classes = read_head(file)
        low = array("i")
        high = array("i")
        limits = array("i")
        for _ in range(file.number()):
            channel = read_channel(file)
            low.append(channel[4])
            high.append(channel[5])
            limits.append(channel[5] - channel[4])
        windows = None
        least = low
        features = file.number()
        if features:
            from dibble.inference import features as kinds

            windows, limits = kinds.read(file, features, limits, interval_ms)
            least = array("i", [0] * features)
        score, raw = self._kernel(file, least, limits, classes)
        self.tables_end = file.at
        for _ in range(file.number()):
            for _ in low:
                file.number()
            file.at += 1
            file.number()
            file.at += 1
        if file.at + CRC_BYTES != len(self.blob):
            raise ValueError("its parts end at %d of %d bytes" % (file.at + CRC_BYTES, len(self.blob)))
        predictor.Predictor.__init__(self, low, high, windows, score, unsure_below, hysteresis, raw and not windows)

    def _kernel(self, file, low, limits, classes):
        """Return (score, raw) of the tables at the cursor: see Predictor; only their own modules are imported."""
        family = self.blob[5]
        if family & 127 == FOREST:
            from dibble.inference import forest as tables
        elif family & 127 == ADDITIVE:
            from dibble.inference import additive as tables
        elif family & 127 == MLP:
            from dibble.inference import mlp as tables
        else:
            raise ValueError
        score, self.scores = tables.build(file, low, limits, classes)
        if family & NOVELTY:
            from dibble.inference import novelty

            score = novelty.watch(self, file, low, limits, score)
        return score, kernels.KIND != "bytecode"

    def self_test(self):
        """Replay the golden vectors, then restart; raise ModelError where a result differs from the host's.

        Returns:
            int: how many vectors agreed.
        """
        from dibble.inference import golden

        return golden.replay(self)

    def __getattr__(self, name):
        from dibble.inference import about

        return getattr(about.About(self), name)
