"""A model that sees: a frame of readings in, a decision out. Its channels aren't told one by one, its frame is.

`load` and `model_of` make one of each file of the family maps.
"""

from array import array

from dibble import ModelError
from dibble.inference import format, maps, maps_checks, pages, parts
from dibble.inference.decision import NO_CLASS, SENSOR_FAULT, UNSURE, Decision
from dibble.inference.kernels.choice import KIND
from dibble.inference.kernels.generator import started
from dibble.inference.kernels.maps_take import take
from dibble.inference.model import Model

MAPS = 5  # the family's number
try:
    BUFFERS = bytearray, array, memoryview, bytes
except NameError:  # MicroPython 1.9
    BUFFERS = ()


class ImageModel(Model):
    """A Model whose rows are frames.

    Args:
        blob: as Model's, or pages.Pages of a file that isn't in memory: weights are read from it at each frame.
        checked: as Model's.
    Attributes:
        image: (height, width, depth) of a frame.
        decision: the Decision that predict() overwrites and returns.
        arena: bytearray, where all maps lie.
        readings: a frame to fill, and to hand to predict(); made when it is asked for.
    """

    windows = None

    def __init__(self, blob, checked=False):
        self.blob = blob
        size = len(blob)
        try:
            if bytes(blob[:4]) != format.MAGIC or blob[4] != format.FORMATS[1] or blob[5] != MAPS:
                raise ValueError
            if bytes(blob[6:10]) != size.to_bytes(4, "little") or pages.crc32(blob, size) != format.WHOLE:
                raise ValueError
            self._read(format.Cursor(blob, format.HEADER_BYTES))
            if not checked:
                maps_checks.maps(self)
        except Exception as error:  # whatever bytes that aren't a model end in
            from dibble.inference import errors

            raise errors.reason(blob, error)

    def _read(self, cursor):
        self.parts = parts.read(cursor)
        self.head_at = cursor.at
        self.interval_ms, self.unsure_below, hysteresis, self._classes = format.read_head(cursor)
        if parts.IMAGE not in self.parts or cursor.number() or cursor.number():
            raise ValueError("a network without a frame")
        self.frame = frame = read_frame(format.Cursor(self.blob, self.parts[parts.IMAGE]))
        self.image = frame[:3]
        self.size = frame[0] * frame[1] * frame[2]
        found = maps.read(cursor, frame, self._classes)
        self.tables_end = cursor.at
        maps_checks.places(found, self._classes)
        self.scores_at = found[3][-1][1][maps.OUT_AT]
        self.steps = found[3]
        self.take, self.run, self.arena = maps.build(self.blob, found)
        self.decision = Decision(hysteresis)
        self._known = None
        self._slow = started(take(found[1], self.arena))
        for _ in range(cursor.number()):
            cursor.number()
            cursor.at += 1
            cursor.number()
            cursor.at += 1
        if cursor.at + format.CRC_BYTES != len(self.blob):
            raise ValueError("its parts end at %d of %d bytes" % (cursor.at + format.CRC_BYTES, len(self.blob)))

    def restart(self):
        """Forget past decisions, as after power-on."""
        self.decision.reset()

    def predict(self, frame=None, elapsed_ms=None):
        """Return the decision on a frame.

        Args:
            frame: buffer of height * width * depth bytes, row by row, depth innermost; of a model whose readings have
                16 bits an array("h"), in which -32768 is a missing one. Any other sequence of such numbers is taken,
                too, but slowly. None: there is no frame.
            elapsed_ms: not used: frames stand alone.
        Returns:
            self.decision, overwritten.
        Raises:
            ModelError: a frame of another size.
        """
        if frame is None:
            self.decision.settle(NO_CLASS, 0, SENSOR_FAULT, -1)
            return self.decision
        if frame is not self._known:
            self._look(frame)
        missing = self.take(frame) if self._known is frame else self._slow(frame)
        if missing:
            self.decision.settle(NO_CLASS, 0, SENSOR_FAULT, missing - 1)
            return self.decision
        self.run(None)
        best = second = -1
        winner = 0
        arena = self.arena
        at = self.scores_at
        for i in range(self._classes):
            score = arena[at] | arena[at + 1] << 8
            at += 2
            if score > best:
                second = best
                best = score
                winner = i
            elif score > second:
                second = score
        best -= second
        self.decision.settle(winner, best, UNSURE if best < self.unsure_below else 0, -1)
        return self.decision

    def _look(self, frame):
        """Keep `frame` as one that a kernel can take: its size and its items are as the model has them."""
        if len(frame) != self.size:
            raise ModelError(
                "expected a frame of %d x %d x %d = %d readings, got %d" % (self.image + (self.size, len(frame)))
            )
        self._known = None
        if KIND == "bytecode":
            self._known = frame
        elif isinstance(frame, BUFFERS):
            try:
                if len(bytes(memoryview(frame)[:1])) == 1 + self.frame[3]:
                    self._known = frame
            except MemoryError:  # no room to look: it is taken slowly
                pass

    def __getattr__(self, name):
        if name != "readings":
            return Model.__getattr__(self, name)
        self.readings = array("h", [0] * self.size) if self.frame[3] else bytearray(self.size)
        return self.readings

    def self_test(self):
        """Replay the golden vectors, whose frames are drawn from a seed each; as Model.self_test."""
        cursor = format.Cursor(self.blob, self.tables_end)
        vectors = cursor.number()
        frame = array("h", [0] * self.size) if self.frame[3] else bytearray(self.size)
        self.restart()
        for vector in range(vectors):
            draw(cursor.number(), frame, self.frame)
            expected = cursor.byte(), cursor.number(), cursor.byte()
            decision = self.predict(frame)
            got = decision.class_index, decision.margin, decision.flags
            if got != expected:
                raise ModelError("golden vector %d: expected class, margin, flags %r, got %r" % (vector, expected, got))
        self.restart()
        self._known = None
        return vectors


def read_frame(cursor):
    """Return what a model file says of its frames: (height, width, depth, scaled, zero_point, multiplier, shift).

    A reading's code is itself or, where `scaled`, (reading - zero_point) * multiplier >> shift, clamped to 0..255.
    """
    size = cursor.number(), cursor.number(), cursor.byte()
    scaled = cursor.byte()
    return size + ((1, cursor.signed(), cursor.byte(), cursor.byte()) if scaled else (0, 0, 1, 0))


def draw(seed, frame, spec):
    """Fill a frame with noise of a seed: a level and a spread, as bits 0..7 and 8..15 of the seed tell.

    Args:
        frame: bytearray, or array("h") where readings are scaled.
        spec: from read_frame.
    """
    level = seed & 255
    spread = seed >> 8 & 255
    value = seed % 65537
    scaled, zero_point, multiplier, shift = spec[3:]
    for i in range(len(frame)):
        value = (value * 75 + 74) % 65537
        code = level + ((value >> 8 & 255) * spread >> 8) & 255
        if scaled:
            code = max(-32767, min(32767, zero_point + (code << shift) // multiplier))
        frame[i] = code
