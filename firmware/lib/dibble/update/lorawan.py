"""Updates by LoRaWAN, or any radio of 51 bytes: pieces in any order, some never; a bitmap goes up of what is missing.

What comes on PORT goes to take(), and answer() goes up on PORT with the next uplink: report/lorawan_radio.py.
Beside the pieces come sums of them (numbers from the count on), each of which stands for any one that is missing:
sums.py. models/UPDATES.md specifies the bytes.
"""

from dibble.update.kept import CONFIRMED, FIRMWARE, RECEIVING, TRIED, Kept, identity_of
from dibble.update.offer import FRAME_BYTES, crc16
from dibble.update.offered import offer_of
from dibble.update.reading import ReadParcel
from dibble.update.sums import Sums
from dibble.update.trial import settle

PORT = 22
OFFER_NUMBER = 0xFFFF
MOST_PIECES = 255
UNKNOWN, WANTED = 0, 1  # of an answer; then 1 + what became of it, as kept.py numbers it


class Downlinks:
    """Takes the downlinks of an update.

    Args:
        node: the Node.
    Attributes:
        complete: all has come: node.take_update() is next, when the radio is off.
    """

    @property
    def receives(self):
        """Whether something is offered that the node takes."""
        return self._offer is not None

    def __init__(self, node):
        self._node = node
        self._kept = kept = Kept()
        self._offer = None
        self.complete = False
        try:
            parcel = ReadParcel(None, node.port.feed_watchdog)
        except (OSError, ValueError):
            return
        self._begin(parcel.offer)
        self._note(parcel)
        parcel.close()
        if kept.is_of(self._offer) and kept.state != RECEIVING:
            self._offer = None
            self.complete = False

    def take(self, payload):
        """Take a downlink; return whether it was an offer, a piece or a sum of what is offered.

        Raises:
            OSError, RecordError: it can't be written; it may come again.
        """
        number = payload[0] | payload[1] << 8 if len(payload) > FRAME_BYTES else -1
        if number == OFFER_NUMBER:
            return self._take_offer(payload[2:])
        if number < 0 or not self._offer or self.complete:
            return False
        parcel = ReadParcel(self._offer, self._node.port.feed_watchdog)
        try:
            if number < self._offer.count:
                parcel.buffer[: len(payload)] = payload[: len(parcel.buffer)]
                taken = parcel.take(len(payload))
                if taken:
                    self._sums.solve(parcel)
            else:
                taken = self._take_sum(parcel, number, payload)
            self._note(parcel)
        finally:
            parcel.close()
        return taken

    def answer(self):
        """Return what the host is to know: 6 bytes and a bit a piece."""
        kept = self._kept
        if not self._offer:
            if kept.state <= RECEIVING:  # pieces that were wrong went: it has to be offered again
                return bytes(6)
            return bytes((1 + kept.state,)) + kept.crc + b"\0"
        missing = bytearray((self._offer.count + 7) >> 3)
        count = 0
        for number in range(self._offer.count):
            if not self._there[number >> 3] & 128 >> (number & 7):
                missing[number >> 3] |= 128 >> (number & 7)
                count += 1
        return bytes((WANTED,)) + self._offer.crc + bytes((count - self._sums.held(),)) + missing

    def follow(self):
        """After a start: see what became of what was tried."""
        if self._kept.state == TRIED and not self._offer:
            settle(self._node)
            self._kept = Kept()

    def _take_offer(self, data):
        try:
            offer = offer_of(data)
        except ValueError:
            return False
        if offer.count > MOST_PIECES:
            return False
        kept = self._kept
        if kept.is_of(offer) and kept.state != RECEIVING or self._offer and self._offer.data == offer.data:
            return True
        if identity_of(self._node, offer.kind) == offer.identity:
            kept.take(offer)
            kept.write(TRIED if offer.kind == FIRMWARE else CONFIRMED)
            return True
        self._begin(offer)
        parcel = ReadParcel(offer, self._node.port.feed_watchdog)
        self._note(parcel)
        parcel.close()
        return True

    def _begin(self, offer):
        self._offer = offer
        self._sums = Sums(offer.count, offer.piece_bytes)

    def _note(self, parcel):
        """Remember which pieces are there."""
        self._there = bytearray((parcel.offer.count + 7) >> 3)
        for number in range(parcel.offer.count):
            if parcel.has(number):
                self._there[number >> 3] |= 128 >> (number & 7)
        self.complete = parcel.missing() < 0

    def _take_sum(self, parcel, number, payload):
        """Take a sum: less what is there, and less the sums that are held, it's one of pieces that are missing."""
        offer = self._offer
        end = len(payload)
        if end != offer.piece_bytes + FRAME_BYTES or crc16(payload, 0, end, crc16(offer.crc, 0, 4)):
            return False
        self._sums.add(number, payload[2 : end - 2])
        self._sums.solve(parcel)
        return True
