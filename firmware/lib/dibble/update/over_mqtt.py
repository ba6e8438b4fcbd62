"""Updates by MQTT: a contact looks at the offer, asks for missing pieces, one by one, and tells how it stands.

The broker keeps all of it: a piece is asked for by subscribing to it, so that no more comes than the node can take.
"""

import os

from dibble.report.mqtt import subscription
from dibble.report.state import quoted
from dibble.update.offer import CONFIRMED, NAMES, RECEIVING, REFUSED, STATES, TRIED, Kept, Offer
from dibble.update.trial import identity_of, settle

DIGITS = 4  # of a piece's number in its topic
SHARE = 4  # of the flash that a stream takes by the time it is installed, unpacked twice
SPARE_BLOCKS = 8


class Contact:
    """One contact with the broker.

    Args:
        node: the Node.
        client: mqtt.Client, connected and subscribed to what is for the node.
        topic: "dibble/NODE/", which all its topics begin with.
    Attributes:
        complete: all has come.
        settled: nothing will come of this offer at the next contact either.
    """

    def __init__(self, node, client, topic):
        self._node = node
        self._client = client
        self._topic = topic
        self._have = self._count = 0
        self._state = self._why = ""
        self._offer = None
        self.complete = self.settled = False

    def follow(self, budget_ms):
        """Look at the offer and receive what there is time for; return how it stands, as JSON for `update`."""
        kept = Kept()
        if kept.state == TRIED:
            settle(self._node, kept)
        data = self._client.inbox.get(b"offer")
        try:
            self._offer = offer = Offer(data) if data else None
            if offer:
                self._look_at(offer, kept, budget_ms)
        except ValueError as error:
            self._state, self._why = STATES[REFUSED], str(error)
        if not self._state and kept.state >= 0:
            self._state, self._why = STATES[kept.state], kept.why
        self.settled = kept.state not in (RECEIVING, TRIED) and self._state not in ("offered", STATES[RECEIVING])
        return self._text(self._offer or kept)

    def _look_at(self, offer, kept, budget_ms):
        self._count = offer.count
        same = kept.is_of(offer)
        if same and kept.state != RECEIVING:
            self._have = offer.count
        elif identity_of(self._node, offer.kind) == offer.identity:
            kept.take(offer)
            kept.write(TRIED if self._node.boot.unconfirmed else CONFIRMED)
            self._have = offer.count
        elif offer.waits and not same and self._client.inbox.get(b"install") != b"install":
            self._state = "offered"
        else:
            if b"install" in self._client.inbox:
                kept.take(offer)
                kept.write(RECEIVING)
                self._client.publish(self._topic + "in/install", b"", True)
            self._state = STATES[RECEIVING]
            self._receive(offer, budget_ms)

    def _receive(self, offer, budget_ms):
        """Ask for what is missing as long as there is time."""
        from dibble.update.parcel import Parcel

        try:
            if not _has_room(offer):
                self._why = "expected room for %d bytes: make some" % (SHARE * offer.size)
                return
            parcel = Parcel(offer, self._node.port.feed_watchdog)
        except OSError as error:
            self._why = "expected to write pieces, got %r" % error
            return
        try:
            self._why = self._fetch(parcel, budget_ms)
        finally:
            parcel.close()
            self._have = parcel.have
        self.complete = parcel.missing() < 0

    def _fetch(self, parcel, budget_ms):
        """Ask for pieces; return why it ended early, "" if it didn't. Nothing is allocated between two of them."""
        port = self._node.port
        client = self._client
        packet = subscription(self._topic + "piece/" + "0" * DIGITS)
        end = len(packet) - 1
        started = port.ticks_ms()
        number = parcel.missing()
        while number >= 0 and port.ticks_diff(port.ticks_ms(), started) < budget_ms:
            rest = number
            for i in range(1, DIGITS + 1):
                packet[end - i] = 48 + rest % 10
                rest //= 10
            size = client.fetch(packet, parcel.buffer)
            if size < 0:
                return "piece %d: %s" % (number, client.error)
            if not parcel.take(size):
                return "piece %d: expected one of this offer, got another" % number
            number = parcel.missing()
        return ""

    def _text(self, told):
        """Return how it stands as JSON; `told` is the offer, or what is kept of the last one."""
        installed = _hex(identity_of(self._node, 0))
        model = self._offer and self._offer.kind == 0 and self._offer.identity
        return ('{"kind":%s,"crc":%s,"state":%s,"have":%d,"of":%d,"why":%s,"installed":%s,"latest":%s}') % (
            quoted(NAMES[told.kind]) if self._state else "null",
            _hex(told.crc) if self._state else "null",
            quoted(self._state) if self._state else "null",
            self._have,
            self._count,
            quoted(self._why),
            installed,
            _hex(model) if model else installed,
        )


def _hex(crc):
    """Return 4 bytes, least first, as a JSON string of 8 hexadecimal digits."""
    return '"%02x%02x%02x%02x"' % tuple(reversed(crc)) if crc else "null"


def _has_room(offer):
    """Tell whether the file system has room for all that becomes of a stream, the log's next segment besides."""
    try:
        block, _, _, free = os.statvfs("/")[:4]
    except AttributeError:
        return True
    return free - SPARE_BLOCKS > SHARE * offer.size // block
