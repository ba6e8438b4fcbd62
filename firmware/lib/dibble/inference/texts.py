"""Reads the texts of a model file, too."""

from dibble.inference.cursor import Cursor


class Texts(Cursor):
    """A Cursor that returns texts.

    Attributes:
        texts: those read so far.
        before: bytes of the text read last: the next may share its beginning.
    """

    def __init__(self, blob, at):
        Cursor.__init__(self, blob, at)
        self.texts = []
        self.before = b""

    def text(self):
        head = self.byte()
        size = head & 15
        if size == 15:
            size += self.number()
        self.before = self.before[: head >> 4] + bytes(self.take(size))
        self.texts.append(str(self.before, "utf-8"))
        return self.texts[-1]
