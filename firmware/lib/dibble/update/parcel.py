"""The pieces that arrived of a stream, in the file update.part: the offer, then messages in the order of their arrival.

Each has its number and its check, so what a cut or a lost cluster leaves is told from what is whole; none that is
written is asked for again. Messages of one contact are committed by one close(). Layout: models/UPDATES.md.
"""

from dibble.update.offer import FRAME_BYTES, crc16

PART = "update.part"
NONE = 0xFFFF


class Parcel:
    """A stream of which some pieces are there, as opening.begin() finds them.

    Attributes:
        file: open behind the last message; frames: how many messages are in it.
        seed: of each message's check, by the stream's CRC-32.
        places: array of each piece's message in the file, NONE: it isn't there.
        have: how many pieces are there; first: none before it is missing.
        size, piece_bytes, count: as the Offer has them.
        buffer: for a piece's message, which take() looks at.
    """

    def missing(self):
        """Return the number of the first piece that isn't there, -1: all are."""
        while self.first < self.count:
            if self.places[self.first] == NONE:
                return self.first
            self.first += 1
        return -1

    def take(self, size, written=False):
        """Take the message of so many bytes in the buffer; return whether it is one of this stream.

        One that is there already isn't written again. `written`: it comes from the file, padded.
        """
        number = self.buffer[0] | self.buffer[1] << 8
        if number >= self.count:
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
        return min(self.piece_bytes, self.size - number * self.piece_bytes)
