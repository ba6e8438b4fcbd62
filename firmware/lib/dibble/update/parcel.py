"""The pieces that arrived of a stream, in the file update.part: the offer, then messages in the order of their arrival.

Each has its number and its check, so what a cut or a lost cluster leaves is told from what is whole; none that is
written is asked for again. Messages of one contact are committed by one close(). Layout: models/UPDATES.md.
"""

from array import array

from dibble.update.offer import FRAME_BYTES, OFFER_BYTES, crc16

PART = "update.part"
NONE = 0xFFFF


class Parcel:
    """A stream of which some pieces are there.

    Args:
        offer: the Offer; what is there of another is overwritten.
        feed: called often.
    Attributes:
        have: how many pieces are there.
        buffer: for a piece's message, which take() looks at.
    Raises:
        OSError: the file system fails.
    """

    def __init__(self, offer, feed=None):
        head = b""
        try:
            file = open(PART, "r+b")
            head = file.read(OFFER_BYTES)
        except OSError:
            file = None
        if head != offer.data:
            if file:
                file.close()
            file = open(PART, "wb")
            file.write(offer.data)
            file.close()
            file = open(PART, "r+b")
            file.seek(OFFER_BYTES)
        self.offer = offer
        self.file = file
        self.seed = crc16(offer.crc, 0, 4)
        self.places = array("H", b"\xff" * (2 * offer.count))
        self.have = self.frames = self._first = 0
        self.frame_bytes = offer.piece_bytes + FRAME_BYTES
        self.buffer = bytearray(self.frame_bytes)
        while file.readinto(self.buffer) == self.frame_bytes and self.take(0, True):
            if feed:
                feed()
        file.seek(OFFER_BYTES + self.frames * self.frame_bytes)

    def missing(self):
        """Return the number of the first piece that isn't there, -1: all are."""
        while self._first < self.offer.count:
            if self.places[self._first] == NONE:
                return self._first
            self._first += 1
        return -1

    def take(self, size, written=False):
        """Take the message of so many bytes in the buffer; return whether it is one of this stream.

        One that is there already isn't written again. `written`: it comes from the file, padded.
        """
        number = self.buffer[0] | self.buffer[1] << 8
        if number >= self.offer.count:
            return False
        end = FRAME_BYTES + self.data_bytes(number)
        if size != end and not written or crc16(self.buffer, 0, end, self.seed):
            return False
        missing = self.places[number] == NONE
        if missing and not written:
            self.file.write(self.buffer)
        if missing or written:
            self.have += missing
            self.places[number] = self.frames
            self.frames += 1
        return True

    def data_bytes(self, number):
        """Return the bytes of a piece's data: the last one has the rest."""
        offer = self.offer
        return min(offer.piece_bytes, offer.size - number * offer.piece_bytes)

    def close(self):
        self.file.close()
