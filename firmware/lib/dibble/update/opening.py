"""Finds the pieces that are there of a stream: not there any more while others come."""

from array import array

from dibble.update.offer import FRAME_BYTES, OFFER_BYTES, crc16
from dibble.update.parcel import PART


def begin(parcel, offer, feed):
    """Open a Parcel of an Offer; what is there of another is overwritten.

    Args:
        feed: called often.
    Raises:
        OSError: the file system fails.
    """
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
    parcel.file = file
    parcel.seed = crc16(offer.crc, 0, 4)
    parcel.size = offer.size
    parcel.piece_bytes = offer.piece_bytes
    parcel.count = offer.count
    parcel.places = array("H", b"\xff" * (2 * offer.count))
    parcel.have = parcel.frames = parcel.first = 0
    frame_bytes = offer.piece_bytes + FRAME_BYTES
    parcel.buffer = bytearray(frame_bytes)
    while file.readinto(parcel.buffer) == frame_bytes and parcel.take(0, True):
        feed()
    file.seek(OFFER_BYTES + parcel.frames * frame_bytes)
