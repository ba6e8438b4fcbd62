"""A parcel whose pieces are read and made, too: what receiving by MQTT does without."""

from dibble.update.offer import OFFER_BYTES, crc16
from dibble.update.offered import offer_of
from dibble.update.opening import begin
from dibble.update.parcel import NONE, PART, Parcel


class ReadParcel(Parcel):
    """A parcel as Parcel has it.

    Args:
        offer: None: of the file as it is.
        feed: called often.
    Attributes:
        offer: the Offer.
    Raises:
        OSError: there is no such file. ValueError: it holds none.
    """

    def __init__(self, offer=None, feed=lambda: None):
        if not offer:
            with open(PART, "rb") as file:
                offer = offer_of(file.read(OFFER_BYTES))
        self.offer = offer
        begin(self, offer, feed)

    def has(self, number):
        return self.places[number] != NONE

    def put(self, number, data):
        """Take a piece that was found otherwise: its data, at least as many bytes as it has."""
        end = 2 + self.data_bytes(number)
        self.buffer[0] = number & 255
        self.buffer[1] = number >> 8
        self.buffer[2:end] = data[: end - 2]
        check = crc16(self.buffer, 0, end, self.seed)
        self.buffer[end] = check >> 8
        self.buffer[end + 1] = check & 255
        self.take(end + 2)

    def read(self, number, target):
        """Copy a piece's data to target; return its size."""
        self.file.seek(OFFER_BYTES + self.places[number] * len(self.buffer) + 2)
        self.file.readinto(target)
        self.file.seek(OFFER_BYTES + self.frames * len(self.buffer))
        return self.data_bytes(number)

    def close(self):
        self.file.close()


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
