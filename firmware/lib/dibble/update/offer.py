"""What a node is offered by radio, and how that stands: models/UPDATES.md. Records without methods: as long as one is
there, a method would keep the code of its module.
"""

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
    """A stream on offer, in so many pieces, as offered.offer_of() reads it.

    Attributes:
        data: its bytes.
        kind: place in kept.KINDS.
        waits: for "install".
        turn: 0..15, to offer a stream again that was refused or rolled back.
        size, piece_bytes, count: of the stream, of a piece's data, of the pieces.
        crc: 4 bytes, the CRC-32 of the stream, which tells it from others.
        identity: 4 bytes that tell the file from others: a model's last ones, else its CRC-32.
    """


class Standing:
    """How an update stands.

    Attributes:
        offer: the Offer that pieces are wanted of, None: none are.
        kind: place in KINDS; crc: of the stream; latest: identity of the model that is on offer, None: none is.
        state: text, "": nothing was ever offered.
        have, count: pieces that are there, and all.
        settled: nothing more comes of this offer.
    """

    kind = have = count = 0
    offer = crc = latest = None
    state = why = ""
    settled = False
