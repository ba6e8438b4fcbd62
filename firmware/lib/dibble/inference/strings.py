"""Reads the strings of a model file, too."""

from dibble.inference.format import Cursor


class Strings(Cursor):
    """A Cursor that returns strings.

    Attributes:
        strings: those read so far.
        before: bytes of the text read last: the next may share its beginning.
    """

    def __init__(self, blob, at):
        Cursor.__init__(self, blob, at)
        self.strings = []
        self.before = b""

    def text(self):
        head = self.byte()
        size = head & 15
        if size == 15:
            size += self.number()
        self.before = self.before[: head >> 4] + bytes(self.take(size))
        self.strings.append(str(self.before, "utf-8"))
        return self.strings[-1]
