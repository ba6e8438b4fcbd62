"""The pieces that arrived of a stream, in the file update.part: the offer, then messages in the order of their arrival.

Each has its number and its check, so what a cut or a lost cluster leaves is told from what is whole; none that is
written is asked for again. Messages of one contact are committed by one close(). Layout: models/UPDATES.md.
"""

from array import array

from dibble.update.offer import FRAME_BYTES, OFFER_BYTES, Offer, crc16

PART = "update.part"
_NONE = 0xFFFF


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
        self._file = file
        self._seed = crc16(offer.crc, 0, 4)
        self._places = array("H", b"\xff" * (2 * offer.count))
        self.have = self._frames = self._first = 0
        self._frame_bytes = offer.piece_bytes + FRAME_BYTES
        self.buffer = bytearray(self._frame_bytes)
        while file.readinto(self.buffer) == self._frame_bytes and self._note():
            if feed:
                feed()
        file.seek(OFFER_BYTES + self._frames * self._frame_bytes)

    def missing(self):
        """Return the number of the first piece that isn't there, -1: all are."""
        while self._first < self.offer.count:
            if self._places[self._first] == _NONE:
                return self._first
            self._first += 1
        return -1

    def has(self, number):
        return self._places[number] != _NONE

    def put(self, number, data):
        """Take a piece that was found otherwise: its data, at least as many bytes as it has."""
        end = 2 + self.offer.data_bytes(number)
        self.buffer[0] = number & 255
        self.buffer[1] = number >> 8
        self.buffer[2:end] = data[: end - 2]
        check = crc16(self.buffer, 0, end, self._seed)
        self.buffer[end] = check >> 8
        self.buffer[end + 1] = check & 255
        self.take(end + 2)

    def take(self, size):
        """Take the message of so many bytes in the buffer; return whether it is one of this stream.

        One that is there already isn't written again.
        """
        number = self.buffer[0] | self.buffer[1] << 8
        if number >= self.offer.count or size != self.offer.data_bytes(number) + FRAME_BYTES or not self._whole(number):
            return False
        if self._places[number] == _NONE:
            self._file.write(self.buffer)
            self._note()
        return True

    def close(self):
        self._file.close()

    def read(self, number, target):
        """Copy a piece's data to target; return its size."""
        self._file.seek(OFFER_BYTES + self._places[number] * self._frame_bytes + 2)
        self._file.readinto(target)
        self._file.seek(OFFER_BYTES + self._frames * self._frame_bytes)
        return self.offer.data_bytes(number)

    def _note(self):
        """Count the message in the buffer as written; return whether it's whole."""
        number = self.buffer[0] | self.buffer[1] << 8
        if number >= self.offer.count or not self._whole(number):
            return False
        if self._places[number] == _NONE:
            self.have += 1
        self._places[number] = self._frames
        self._frames += 1
        return True

    def _whole(self, number):
        """Tell whether the buffer holds a piece's message, by its check."""
        return crc16(self.buffer, 0, FRAME_BYTES + self.offer.data_bytes(number), self._seed) == 0


class Stream:
    """A parcel's data in order, as a file to be read."""

    def __init__(self, parcel, feed):
        self._parcel = parcel
        self._feed = feed
        self._piece = bytearray(parcel.offer.piece_bytes)
        self._number = self._at = self._end = 0

    def read(self, size):
        """Return the next bytes, at most so many; b"" at the end."""
        if self._at == self._end:
            if self._number == self._parcel.offer.count:
                return b""
            self._feed()
            self._end = self._parcel.read(self._number, self._piece)
            self._at = 0
            self._number += 1
        end = min(self._end, self._at + size)
        data = bytes(self._piece[self._at : end])
        self._at = end
        return data
