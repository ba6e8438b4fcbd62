"""Reads the bytes of a model file in order: numbers and byte tables."""


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
            if byte < 128:
                return value
            shift += 7

    def signed(self):
        value = self.number()
        return -(value >> 1) - 1 if value & 1 else value >> 1

    def text(self):
        """Pass over a text: nobody needs it to predict; texts.Texts returns it."""
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
        except NameError:  # MicroPython 1.9: slices are copies
            pass
        return blob[self.at - size : self.at]

    def align(self, width):
        self.at += -self.at % width
