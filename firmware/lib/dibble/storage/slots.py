"""Two files that take turns: a cut in the middle of writing one leaves the other as it was.

No pointer file and no rename: the newest whole generation is the one that counts. Layout: models/RECORDS.md.
"""

import os

from dibble import RecordError
from dibble.inference.crc32 import crc32
from dibble.storage.words import crc_bytes, number_at, number_bytes

MODEL = "model.dib"  # files that a node installs to its slots
GATE = "gate.dib"
MAGIC = b"DSL1"
HEADER_BYTES = 16
GENERATIONS = 0x3FFFFFFF  # the largest small int: at a write each minute, two thousand years
END_BYTES = 4  # of a payload, by which and its length it is told from others: a model's CRC-32
_PIECE_BYTES = 256
_NOTHING = (0, None)


class Slots:
    """The files PATH.a and PATH.b.

    Attributes:
        generation: of the payload that newest() or write() last had in hand, 0: of none.
    """

    def __init__(self, path):
        self.path = path
        self.generation = 0

    def generations(self):
        """Return (newest, other) as the headers have them, 0 for a slot that has none; payloads stay unread."""
        a = self._read(".a", 0)[0]
        b = self._read(".b", 0)[0]
        return (a, b) if a > b else (b, a)

    def newest(self, rejected=0, copy=b""):
        """Return the payload of the highest whole generation other than `rejected`, or None.

        Args:
            copy: returned in the place of a payload as long that ends as it does, which stays unread then.
        """
        for name in self._order():
            generation, end = self._read(name, 0)
            if generation and generation != rejected:
                if copy and end == (len(copy), bytes(copy[-END_BYTES:])):
                    self.generation = generation
                    return copy
                self.generation, payload = self._read(name, GENERATIONS)
                if self.generation:
                    return payload
        self.generation = 0
        return None

    def holds(self, size, end):
        """Tell whether the payload of the highest whole generation has so many bytes, the last of which are `end`."""
        for name in self._order():
            if self._read(name, _PIECE_BYTES)[0]:
                return self._read(name, 0)[1] == (size, end)
        return False

    def write(self, payload, rejected=0):
        """Write a new generation over the older slot, the damaged or the rejected one; return its number.

        Raises:
            RecordError: it can't be written, or reads back otherwise; the other slot is as it was.
        """
        a = self._read(".a", _PIECE_BYTES)[0]
        b = self._read(".b", _PIECE_BYTES)[0]
        generation = max(a, b, rejected) + 1
        if generation > GENERATIONS:
            raise RecordError("expected a generation below %d in %s" % (generation, self.path))
        if a == rejected:
            a = 0
        if b == rejected:
            b = 0
        path = self.path + (".a" if a <= b else ".b")
        head = MAGIC + number_bytes(generation) + number_bytes(len(payload))
        head += crc_bytes(crc32(payload, len(payload), 0, crc32(head, len(head))))
        try:
            file = open(path, "wb")
            try:
                file.write(head)
                file.write(payload)
            finally:
                file.close()
            self._compare(path, head, payload)
        except OSError as error:
            raise RecordError("expected to write generation %d to %s, got %r" % (generation, path, error))
        self.generation = generation
        return generation

    def drop(self, end):
        """Remove the newest slot if its payload has this end."""
        name = self._order()[0]
        if self._read(name, 0)[0] and self._read(name, 0)[1][1] == end:
            try:
                os.remove(self.path + name)
            except OSError:
                pass  # it can't be written either

    def _order(self):
        return (".a", ".b") if self._read(".a", 0)[0] > self._read(".b", 0)[0] else (".b", ".a")

    def _compare(self, path, head, payload):
        """Raise RecordError where the file doesn't read as it was written."""
        file = open(path, "rb")
        try:
            same = file.read(HEADER_BYTES) == head
            for at in range(0, len(payload), _PIECE_BYTES):
                same = same and file.read(_PIECE_BYTES) == payload[at : at + _PIECE_BYTES]
            if not same or file.read(1):
                raise RecordError("expected %s to read as it was written, got other bytes" % path)
        finally:
            file.close()

    def _read(self, name, piece_bytes):
        """Read a slot, its payload in pieces of at most `piece_bytes`; 0: the header and the end only.

        Returns:
            (generation, the last piece, or for 0 the payload's length and its last END_BYTES); (0, None)
            where the slot isn't whole.
        """
        try:
            file = open(self.path + name, "rb")
        except OSError:
            return _NOTHING
        try:
            head = file.read(HEADER_BYTES)
            left = file.seek(0, 2) - HEADER_BYTES
            if left < 0 or head[:4] != MAGIC or number_at(head, 8) != left:
                return _NOTHING
            generation = number_at(head, 4)
            if generation < 1:
                return _NOTHING
            if not piece_bytes:
                file.seek(HEADER_BYTES + max(left - END_BYTES, 0))
                return generation, (left, file.read(END_BYTES))
            piece = b""
            file.seek(HEADER_BYTES)
            crc = crc32(head, 12)
            while left > 0:
                piece = file.read(min(left, piece_bytes))
                if not piece:
                    return _NOTHING
                crc = crc32(piece, len(piece), 0, crc)
                left -= len(piece)
            if crc_bytes(crc) != head[12:]:
                return _NOTHING
            return generation, piece
        except OSError:
            return _NOTHING
        finally:
            file.close()
