"""Updates by LoRaWAN, or any radio of 51 bytes: pieces in any order, some never; a bitmap goes up of what is missing.

The radio's driver is its owner's: what comes on PORT goes to take(), and answer() goes up on PORT with the next uplink.
Beside the pieces come sums of them (numbers from the count on), each of which stands for any one that is missing:
models/UPDATES.md specifies them. Sums that can't be solved yet are held in RAM, at most MOST_SUMS.
"""

from dibble.update.kept import CONFIRMED, FIRMWARE, RECEIVING, REFUSED, TRIED, Kept, identity_of
from dibble.update.offer import FRAME_BYTES, OFFER_BYTES, Offer, crc16
from dibble.update.reading import ReadParcel
from dibble.update.trial import settle

PORT = 22
OFFER_NUMBER = 0xFFFF
MOST_PIECES = 255
MOST_SUMS = 24
UNKNOWN, WANTED = 0, 1  # of an answer; then 1 + the place of what became of it in STATES


def chosen(number, count):
    """Return which of `count` pieces a sum is of: a bit each, the first piece's the highest of the first byte.

    Half as many draws as there are pieces, each of a register of 23 bits, modulo their number. Source: LoRa Alliance
    TS004-1.0.0, Fragmented Data Block Transport, its parity matrix, whose line is number - count + 1.
    """
    mask = bytearray((count + 7) >> 3)
    x = 1 + 1001 * (number - count + 1)  # < 2**26
    modulus = count + (count & count - 1 == 0)
    for _ in range(max(count >> 1, 1)):
        place = count
        while place >= count:
            x = (x >> 1) + (((x ^ x >> 5) & 1) << 22)
            place = x % modulus
        mask[place >> 3] |= 128 >> (place & 7)
    return mask


def first_of(mask):
    """Return the place of the first bit that is set, -1: none."""
    for i in range(len(mask)):
        if mask[i]:
            bit = 0
            while not mask[i] << bit & 128:
                bit += 1
            return 8 * i + bit
    return -1


class Downlinks:
    """Takes the downlinks of an update.

    Args:
        node: the Node.
    Attributes:
        complete: all has come: node.take_update() is next, when the radio is off.
    """

    def __init__(self, node):
        self._node = node
        self._sums = []  # [mask, data]: of pieces that are missing; the first bit of each is in no other's
        self._kept = kept = Kept()
        self._offer = None
        self.complete = False
        try:
            parcel = ReadParcel(None, node.port.feed_watchdog)
        except (OSError, ValueError):
            return
        self._offer = parcel.offer
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
                    self._solve(parcel)
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
            if kept.state < 0:
                return bytes(6)
            return bytes((1 + kept.state,)) + kept.crc + b"\0"
        missing = bytearray((self._offer.count + 7) >> 3)
        count = 0
        for number in range(self._offer.count):
            if not self._there[number >> 3] & 128 >> (number & 7):
                missing[number >> 3] |= 128 >> (number & 7)
                count += 1
        return bytes((WANTED,)) + self._offer.crc + bytes((count - len(self._sums),)) + missing

    def follow(self):
        """After a start: see what became of what was tried."""
        if self._kept.state >= 0 and self._kept.state < REFUSED and not self._offer:
            self._kept = Kept()
            settle(self._node, self._kept)

    def _take_offer(self, data):
        if len(data) != OFFER_BYTES:
            return False
        try:
            offer = Offer(data)
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
        self._offer = offer
        self._sums = []
        parcel = ReadParcel(offer, self._node.port.feed_watchdog)
        self._note(parcel)
        parcel.close()
        return True

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
        self._sums.append([chosen(number, offer.count), bytearray(payload[2 : end - 2])])
        self._solve(parcel)
        return True

    def _solve(self, parcel):
        """Take from the sums what is there, until nothing more comes of them."""
        again = True
        piece = bytearray(self._offer.piece_bytes)
        while again:
            again = False
            held = []
            for mask, data in self._sums:
                for number in range(self._offer.count):
                    if mask[number >> 3] & 128 >> (number & 7) and parcel.has(number):
                        _clear(piece, parcel.read(number, piece))
                        _add(data, piece)
                        mask[number >> 3] ^= 128 >> (number & 7)
                for other, what in held:
                    first = first_of(other)
                    if mask[first >> 3] & 128 >> (first & 7):
                        _add(mask, other)
                        _add(data, what)
                first = first_of(mask)
                if first >= 0:
                    for other, what in held:
                        if other[first >> 3] & 128 >> (first & 7):
                            _add(other, mask)
                            _add(what, data)
                    held.append([mask, data])
            self._sums = held[:MOST_SUMS]
            for mask, data in self._sums:
                first = first_of(mask)
                mask[first >> 3] ^= 128 >> (first & 7)
                alone = not any(mask)
                mask[first >> 3] ^= 128 >> (first & 7)
                if alone:
                    parcel.put(first, data)
                    again = True


def _add(target, other):
    for i in range(len(target)):
        target[i] ^= other[i]


def _clear(piece, start):
    """Pad the last piece's data with zeros."""
    for i in range(start, len(piece)):
        piece[i] = 0
