"""The model file on the board: `load(path)`, `Model.self_test()`, `Model.predict(readings)`.

models/FORMAT.md specifies the bytes read here. Tables are used in place, through a memoryview
where the interpreter has one.
"""

from array import array

from dibble import ModelError
from dibble.inference import kernels
from dibble.inference.crc32 import crc32
from dibble.inference.features import Window, Windows, feature_limit
from dibble.inference.fixed_point import MISSING
from dibble.inference.predictor import Predictor

MAGIC = b"DIBL"
FORMAT = 1
FOREST = 1
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
    if blob[5] != FOREST:
        raise ModelError("expected family %d (forest), got %d: update the firmware" % (FOREST, blob[5]))
    # Halves, so that no byte of a damaged length makes a long int.
    if blob[8] | blob[9] << 8 != size >> 16 or blob[6] | blob[7] << 8 != size & 0xFFFF:
        raise ModelError("got %d bytes, but the file's header tells another length: cut short, copy it again" % size)
    end = size - CRC_BYTES
    high, low = crc32(blob, end)
    if blob[end] | blob[end + 1] << 8 != low or blob[end + 2] | blob[end + 3] << 8 != high:
        raise ModelError("the model file's CRC-32 doesn't match its bytes: damaged, copy it again")


class _Cursor:
    """Reads the variable-length part of the file in order."""

    def __init__(self, blob, at):
        self.blob = blob
        self.at = at

    def byte(self):
        value = self.blob[self.at]
        self.at += 1
        return value

    def number(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def text(self):
        size = self.number()
        self.at += size
        return str(bytes(self.blob[self.at - size : self.at]), "utf-8")

    def channel(self):
        """Return (name, unit, mantissa, exponent, low, high); resolution = mantissa * 10**exponent."""
        name = self.text()
        unit = self.text()
        mantissa = self.byte()
        exponent = self.byte() - 128
        low = self.number()
        low = -(low >> 1) - 1 if low & 1 else low >> 1
        return name, unit, mantissa, exponent, low, low + self.number()

    def align(self):
        self.at += -self.at & 3


class Model(Predictor):
    """A Predictor read from the bytes of a model file.

    Args:
        blob: bytes or memoryview of the whole file; kept, and read in place.
    Attributes:
        name: the model's name.
        classes: tuple of class names.
        interval_ms: sampling interval of a time series; 0 where each row stands alone.
        layout: (feature, width, position, count) of each coded feature's thresholds in the blob.
        golden_count: number of golden vectors.
    Raises:
        ModelError: damaged, cut short, of another format.
    """

    def __init__(self, blob):
        _check(blob)
        self.blob = blob
        try:
            self._read(_Cursor(blob, HEADER_BYTES))
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
        low = array("i")
        high = array("i")
        for _ in range(channels):
            _, _, _, _, least, most = cursor.channel()
            low.append(least)
            high.append(most)
        spans = [high[i] - low[i] for i in range(channels)]
        windows = []
        for _ in range(cursor.number()):
            channel = cursor.byte()
            kind = cursor.byte()
            windows.append(Window(channel, kind, cursor.byte(), spans[channel]))
        limits = [feature_limit(window.kind, spans[window.channel]) for window in windows] or spans
        layout = [(i, width_of(limits[i]), 0, cursor.number()) for i in range(len(limits))]
        trees, starts, children, nodes = _read_pages(cursor)
        self.golden_count = cursor.number()
        self._golden_at = cursor.at
        golden_bytes = cursor.number()  # moves the cursor, so not inside the next line's +=
        cursor.at += golden_bytes
        cursor.at += -cursor.at & 3
        self.layout = _place(layout, cursor)
        parts = _slices(self.blob, cursor, nodes)
        if cursor.at + CRC_BYTES != len(self.blob):
            raise ValueError("its parts end at %d of %d bytes" % (cursor.at + CRC_BYTES, len(self.blob)))
        Predictor.__init__(
            self,
            low,
            high,
            Windows(windows, self.interval_ms) if windows else None,
            len(limits),
            kernels.prepare_coders(self.blob, self.layout),
            parts + (starts, children, 128 + len(self.classes), trees),
            len(self.classes),
            unsure_below,
            hysteresis,
        )

    def channel(self, index):
        """Return (name, unit, mantissa, exponent, low, high) of a channel, read anew from the file."""
        cursor = _Cursor(self.blob, self._channels_at)
        for _ in range(index):
            cursor.channel()
        return cursor.channel()

    def self_test(self):
        """Replay the golden vectors, then restart; raise ModelError where a result differs from the host's.

        Returns:
            int: how many vectors agreed.
        """
        cursor = _Cursor(self.blob, self._golden_at)
        cursor.number()
        self.restart()
        for vector in range(self.golden_count):
            for i in range(len(self.readings)):
                steps = cursor.number()
                self.readings[i] = self.low[i] + steps - 1 if steps else MISSING
            expected = cursor.byte(), cursor.number(), cursor.byte()
            decision = self.predict()
            got = decision.class_index, decision.margin, decision.flags
            if got != expected:
                raise ModelError("golden vector %d: expected class, margin, flags %r, got %r" % (vector, expected, got))
        self.restart()
        return self.golden_count


def width_of(limit):
    """Return the bytes of a threshold of a feature whose largest value is `limit`."""
    return 1 if limit < 256 else 2 if limit < 65536 else 4


def _read_pages(cursor):
    """Return (trees, starts, children, nodes): each page's first node, and the first of its followers."""
    trees = cursor.number()
    pages = cursor.number()
    starts = array("i")
    nodes = 0
    for _ in range(pages):
        starts.append(nodes)
        nodes += cursor.byte() + 1
    children = array("i")
    if pages > trees:
        child = trees
        for _ in range(pages):
            children.append(child)
            child += cursor.byte()
    return trees, starts, children, nodes


def _place(layout, cursor):
    """Return the layout with positions, but without features no split asks about; one of 8 bits is its own code."""
    placed = []
    for width in (4, 2, 1):
        for feature, own, _, count in layout:
            if own == width:
                if count or width == 1:
                    placed.append((feature, width, cursor.at, count))
                cursor.at += width * count
    return placed


def _slices(blob, cursor, nodes):
    """Return the four tables of a forest's nodes."""
    try:
        blob = memoryview(blob)
    except NameError:  # MicroPython 1.9: slices are copies
        pass
    at = cursor.at
    cursor.at += 4 * nodes
    return tuple([blob[i : i + nodes] for i in range(at, cursor.at, nodes)])
