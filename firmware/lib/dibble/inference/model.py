"""The model file on the board: `Model.self_test()`, `Model.predict(readings)`.

models/FORMAT.md specifies the bytes read here. Tables are used in place, through a memoryview
where the interpreter has one. What a healthy node doesn't need to predict is imported when it is asked for.
"""

from array import array

from dibble.inference import crc32, format
from dibble.inference.kernels.choice import KIND

if KIND == "bytecode":
    from dibble.inference.predictor import Predictor
else:
    from dibble.inference.machine_code import Predictor


class Model(Predictor):
    """A Predictor read from the bytes of a model file.

    Args:
        blob: bytes or memoryview of the whole file; kept, and read in place.
        checked: what this file says was checked before, all of it: see checks.py.
    Attributes:
        parts: name -> place of the content of each optional part.
        ratios: channels made of others: see ratios.py.
        stand_ins: for missing readings: see stand_ins.py.
        head_at: where in the file what comes after them begins.
        scores: each class's score of the last row, where the tables are run.
        tables: the module of its family.
        tables_end: where in the file the last of the tables ends.
        ...: and all of description.Description: read anew from the file each time.
    Raises:
        ModelError: damaged, cut short, of another format, or it says what can't be.
    """

    parts = {}
    novelty = None
    ratios = ()
    stand_ins = None

    def __init__(self, blob, checked=False):
        self.blob = blob
        size = len(blob)
        try:
            if bytes(blob[:4]) != format.MAGIC or blob[4] not in format.FORMATS:
                raise ValueError
            if bytes(blob[6:10]) != size.to_bytes(4, "little"):
                raise ValueError
            if crc32.crc32(blob, size) != format.WHOLE:
                raise ValueError
            self._read(format.Cursor(blob, format.HEADER_BYTES))
            if not checked:
                from dibble.inference.checks import check

                check(self)
        except Exception as error:  # whatever bytes that aren't a model end in
            from dibble.inference import errors

            raise errors.reason(blob, error)

    def _read(self, file):
        if self.blob[4] == format.FORMATS[1]:
            from dibble.inference import parts

            self.parts = parts.read(file)
        self.head_at = file.at
        interval_ms, unsure_below, hysteresis, classes = format.read_head(file)
        low = array("i")
        high = array("i")
        limits = array("i")
        for _ in range(file.number()):
            channel = format.read_channel(file)
            low.append(channel[4])
            high.append(channel[5])
            limits.append(channel[5] - channel[4])
        if b"cells" in self.parts:
            low, high, limits = parts.cells(self, low)
        if b"ratios" in self.parts:
            from dibble.inference import ratios

            self.ratios = ratios.read(format.Cursor(self.blob, self.parts[b"ratios"]), low)
            for ratio in self.ratios:
                limits.append(ratio[3])
        windows = None
        least = low
        features = file.number()
        if features:
            windows, limits = self._windows(file, features, limits, interval_ms, low, self.ratios)
            least = array("i", [0] * features)
        score = self._kernel(file, least, limits, classes)
        self.tables_end = file.at
        for _ in range(file.number()):
            for _ in low:
                file.number()
            file.at += 1
            file.number()
            file.at += 1
        if file.at + format.CRC_BYTES != len(self.blob):
            raise ValueError("its parts end at %d of %d bytes" % (file.at + format.CRC_BYTES, len(self.blob)))
        if self.blob[5] == format.STREAM:
            self.tables.begin(self, low, high, score, unsure_below, hysteresis)
        else:
            self._begin(low, high, windows, score, unsure_below, hysteresis)
        if self.novelty:
            self.watch(*self.novelty)
        if b"stand_ins" in self.parts:
            from dibble.inference import stand_ins

            stand_ins.tolerate(self)

    _begin = Predictor.__init__

    def _windows(self, *told):
        from dibble.inference.windows import read

        return read(*told)

    def _kernel(self, file, low, limits, classes):
        """Return what scores by the tables at the cursor: see Predictor; only their own modules are imported."""
        family = self.blob[5]
        if family & 127 == format.FOREST:
            from dibble.inference import forest as tables
        elif family & 127 == format.ADDITIVE:
            from dibble.inference import additive as tables
        elif family & 127 == format.MLP:
            from dibble.inference import mlp as tables
        elif family == format.STREAM and isinstance(limits, bytes):
            from dibble.inference import stream as tables
        else:
            raise ValueError
        self.tables = tables
        score, self.scores = tables.build(file, low, limits, classes)
        if family & format.NOVELTY:
            from dibble.inference import novelty

            score = novelty.watch(self, file, low, limits, score)
        return score

    def self_test(self):
        """Replay the golden vectors, then restart; raise ModelError where a result differs from the host's.

        Returns:
            int: how many vectors agreed.
        """
        from dibble.inference import golden

        return golden.replay(self)

    def __getattr__(self, name):
        from dibble.inference import description

        return getattr(description.Description(self), name)
