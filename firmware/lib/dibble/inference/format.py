"""The bytes of a model file: what it begins and ends with, and a cursor that reads its parts in order."""

MAGIC = b"DIBL"
FORMATS = 2, 3  # 3 has optional parts: parts.py
HEADER_BYTES = 10
FOREST, ADDITIVE, MLP, STREAM = 1, 2, 3, 4
NOVELTY = 128  # flag of the family byte: tables of how usual a combination is follow the family's
CRC_BYTES = 4
PASSES = ".ok"  # of the name of the file beside a model that holds the CRCs of the last two that passed all checks
WHOLE = 0x2144, 0xDF1C  # the CRC-32 of what ends in its own CRC-32


class Cursor:
    """A place in a model file.

    Args:
        blob: bytes or memoryview of the file.
        at: where to begin.
    """

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
            if shift == 28 and byte > 7:
                raise ValueError("a number of more than 31 bits")
            if byte < 128:
                return value
            shift += 7

    def signed(self):
        value = self.number()
        return -(value >> 1) - 1 if value & 1 else value >> 1

    def text(self):
        """Pass over a text: nobody needs it to predict; strings.Strings returns it."""
        size = self.byte() & 15
        if size == 15:
            size += self.number()
        self.at += size

    def take(self, size):
        """Return the next `size` bytes, in place where the interpreter has memoryview."""
        if size < 0 or self.at + size > len(self.blob):
            raise ValueError("%d bytes at %d of %d" % (size, self.at, len(self.blob)))
        self.at += size
        blob = self.blob
        try:
            blob = memoryview(blob)
        except (NameError, TypeError):  # MicroPython 1.9, and a file that isn't in memory: slices are copies
            pass
        return blob[self.at - size : self.at]

    def align(self, width):
        self.at += -self.at % width


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
