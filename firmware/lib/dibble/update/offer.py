"""What a node is offered by radio: models/UPDATES.md."""

VERSION = 0x10
WAITS = 4  # until somebody presses "install"
OFFER_BYTES = 16
FRAME_BYTES = 4  # of a piece's message beside its data: number and check
MOST_PIECES = 10000  # numbers of four digits


def crc16(data, start, end, crc=0xFFFF):
    """Return the CRC-16 of data[start:end] as models/PACKED.md has it, in small ints, allocating nothing."""
    for i in range(start, end):
        x = crc >> 8 ^ data[i]
        x ^= x >> 4
        crc = (crc << 8 ^ x << 12 ^ x << 5 ^ x) & 0xFFFF
    return crc


class Offer:
    """A stream on offer, in so many pieces.

    Args:
        data: its bytes.
    Attributes:
        kind: place in kept.KINDS.
        waits: for "install".
        turn: 0..15, to offer a stream again that was refused or rolled back.
        size, piece_bytes, count: of the stream, of a piece's data, of the pieces.
        crc: 4 bytes, the CRC-32 of the stream, which tells it from others.
        identity: 4 bytes that tell the file from others: a model's last ones, else its CRC-32.
    Raises:
        ValueError: these bytes are no offer.
    """

    def __init__(self, data):
        self.data = data = bytes(data)
        if len(data) != OFFER_BYTES or crc16(data, 0, OFFER_BYTES):
            raise ValueError("expected an offer of %d bytes with its CRC-16, got %d" % (OFFER_BYTES, len(data)))
        if data[0] & 0xF0 != VERSION:
            raise ValueError("expected an offer of version %d: update the firmware" % (VERSION >> 4))
        self.kind = data[0] & 3
        self.waits = data[0] & WAITS != 0
        self.turn = data[2] >> 4
        self.piece_bytes = data[1] | (data[2] & 15) << 8
        self.size = data[3] | data[4] << 8 | data[5] << 16
        self.crc = data[6:10]
        self.identity = data[10:14]
        if not self.piece_bytes or not self.size:
            raise ValueError("expected an offer of some bytes, got none")
        self.count = (self.size + self.piece_bytes - 1) // self.piece_bytes
        if self.count > MOST_PIECES:
            raise ValueError("expected at most %d pieces, got %d" % (MOST_PIECES, self.count))

    def data_bytes(self, number):
        """Return the bytes of a piece's data: the last one has the rest."""
        return min(self.piece_bytes, self.size - number * self.piece_bytes)
