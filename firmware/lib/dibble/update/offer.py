"""How what a node is offered by radio stands: models/UPDATES.md. A record without methods: as long as it is there, a
method would keep the code of its module.
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


class Standing:
    """How an update stands: looking.look() sets all of it.

    Attributes:
        offer: the Offer that pieces are wanted of, until there is a Parcel of them; None: none are.
        kind: place in KINDS; crc: of the stream; latest: identity of the model that is on offer, None: none is.
        state: as kept.py numbers them, -1: nothing was ever offered; why: of a refusal, or of what keeps pieces away.
        have, count: pieces that are there, and all.
        settled: nothing more comes of this offer.
    """
