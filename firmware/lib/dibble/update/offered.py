"""What a node is offered by radio: not there any more while its pieces come."""

from dibble.update.offer import MOST_PIECES, OFFER_BYTES, VERSION, WAITS, crc16


class Offer:
    """A stream on offer, in so many pieces, as offer_of() reads it.

    Attributes:
        data: its bytes.
        kind: place in kept.KINDS.
        waits: for "install".
        turn: 0..15, to offer a stream again that was refused or rolled back.
        size, piece_bytes, count: of the stream, of a piece's data, of the pieces.
        crc: 4 bytes, the CRC-32 of the stream, which tells it from others.
        identity: 4 bytes that tell the file from others: a model's last ones, else its CRC-32.
    """


def offer_of(data):
    """Return the Offer that these bytes are.

    Raises:
        ValueError: they are none.
    """
    offer = Offer()
    offer.data = data = bytes(data)
    if len(data) == OFFER_BYTES and not crc16(data, 0, OFFER_BYTES) and data[0] & 0xF0 == VERSION:
        offer.kind = data[0] & 3
        offer.waits = data[0] & WAITS != 0
        offer.turn = data[2] >> 4
        offer.piece_bytes = data[1] | (data[2] & 15) << 8
        offer.size = data[3] | data[4] << 8 | data[5] << 16
        offer.crc = data[6:10]
        offer.identity = data[10:14]
        if offer.piece_bytes and offer.size:
            offer.count = (offer.size + offer.piece_bytes - 1) // offer.piece_bytes
            if offer.count <= MOST_PIECES:
                return offer
    raise ValueError(
        "expected an offer of version %d, whole, of 1 to %d pieces: update the firmware" % (VERSION >> 4, MOST_PIECES)
    )
