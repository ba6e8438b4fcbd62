"""The pieces that arrived of a stream, in the file update.part: the offer, then messages in the order of their arrival.

Each has its number and its check, so what a cut or a lost cluster leaves is told from what is whole; none that is
written is asked for again. Messages of one contact are committed by one close(). Layout: models/UPDATES.md.
"""

from array import array

from dibble.update.offer import FRAME_BYTES, OFFER_BYTES, Offer, crc16

PART = "update.part"
NONE = 0xFFFF


class Parcel:
    """A stream of which some pieces are there.

    Args:
        offer: the Offer; None: of the file as it is.
        feed: called often.
    Attributes:
        have: how many pieces are there.
        buffer: for a piece's message, which take() looks at.
    Raises:
        OSError: the file system fails; or there is no such file.
    """

    def __init__(self, offer=None, feed=None):
        try:
            file = open(PART, "r+b")
        except OSError:
            if not offer:
                raise
            file = None
        head = file.read(OFFER_BYTES) if file else b""
        if offer and head != offer.data:
            if file:
                file.close()
            file = open(PART, "wb")
            file.write(offer.data)
            file.close()
            file = open(PART, "r+b")
            file.seek(OFFER_BYTES)
        self.offer = offer = offer or Offer(head)
        self.file = file
        self.seed = crc16(offer.crc, 0, 4)
        self.places = array("H", b"\xff" * (2 * offer.count))
        self.have = self.frames = self._first = 0
        self.frame_bytes = offer.piece_bytes + FRAME_BYTES
        self.buffer = bytearray(self.frame_bytes)
        while file.readinto(self.buffer) == self.frame_bytes and self._note():
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

    def take(self, size):
        """Take the message of so many bytes in the buffer; return whether it is one of this stream.

        One that is there already isn't written again.
        """
        number = self.buffer[0] | self.buffer[1] << 8
        if number >= self.offer.count or size != self.offer.data_bytes(number) + FRAME_BYTES or not self._whole(number):
            return False
        if self.places[number] == NONE:
            self.file.write(self.buffer)
            self._note()
        return True

    def close(self):
        self.file.close()

    def _note(self):
        """Count the message in the buffer as written; return whether it's whole."""
        number = self.buffer[0] | self.buffer[1] << 8
        if number >= self.offer.count or not self._whole(number):
            return False
        if self.places[number] == NONE:
            self.have += 1
        self.places[number] = self.frames
        self.frames += 1
        return True

    def _whole(self, number):
        """Tell whether the buffer holds a piece's message, by its check."""
        return crc16(self.buffer, 0, FRAME_BYTES + self.offer.data_bytes(number), self.seed) == 0
