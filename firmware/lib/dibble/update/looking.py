"""The first part of an update's contact by MQTT: what is offered, how it stands, whether pieces are wanted."""

from dibble.report.state import quoted
from dibble.storage.key import has_key
from dibble.update.kept import CONFIRMED, FIRMWARE, NAMES, RECEIVING, REFUSED, STATES, TRIED, Kept, identity_of
from dibble.update.offer import Offer

OFFERED = "offered"


class Standing:
    """How an update stands.

    Attributes:
        kind: place in KINDS; crc: of the stream; latest: identity of the model that is on offer, None: none is.
        state: text, "": nothing was ever offered.
        have, count: pieces that are there, and all.
        wanted: pieces are.
        settled: nothing more comes of this offer.
    """

    def __init__(self):
        self.kind = self.have = self.count = 0
        self.crc = self.latest = None
        self.state = self.why = ""
        self.wanted = self.settled = False


def look(node, client, topic):
    """Return the Standing of the offer in the client's inbox, or of the last one.

    Args:
        node: the Node.
        client: mqtt.Client, connected and subscribed to what is for the node.
        topic: "dibble/NODE/", which all its topics begin with.
    """
    kept = Kept()
    if kept.state == TRIED:
        from dibble.update.trial import settle

        settle(node, kept)
    standing = Standing()
    data = client.inbox.get(b"offer")
    offer = None
    try:
        offer = Offer(data) if data else None
        if offer:
            _look_at(offer, kept, standing, node, client, topic)
    except ValueError as error:
        standing.state, standing.why = STATES[REFUSED], str(error)
    if not standing.state and kept.state >= 0:
        standing.state, standing.why = STATES[kept.state], kept.why
    told = offer or kept
    standing.kind, standing.crc = told.kind, told.crc
    standing.latest = offer.identity if offer and offer.kind == 0 else None
    standing.settled = kept.state not in (RECEIVING, TRIED) and standing.state not in (OFFERED, STATES[RECEIVING])
    return standing


def _look_at(offer, kept, standing, node, client, topic):
    standing.count = offer.count
    same = kept.is_of(offer)
    if same and kept.state != RECEIVING:
        standing.have = offer.count
    elif identity_of(node, offer.kind) == offer.identity:
        kept.take(offer)
        # What was before firmware goes only when its trial is settled.
        kept.write(TRIED if node.boot.unconfirmed or offer.kind == FIRMWARE else CONFIRMED)
        standing.have = offer.count
    elif offer.kind == FIRMWARE and not (has_key() and node.port.KIND == "micropython"):
        raise ValueError("expected MicroPython and a key on this node, without which no firmware comes by radio")
    elif offer.waits and not same and client.inbox.get(b"install") != b"install":
        standing.state = OFFERED
    else:
        if b"install" in client.inbox:
            kept.take(offer)
            kept.write(RECEIVING)
            client.publish(topic + "in/install", b"", True)
        standing.state = STATES[RECEIVING]
        standing.wanted = True


def text_of(standing, installed):
    """Return a Standing as JSON for the topic `update`; installed: identity of the model that runs, or None."""
    known = standing.state != ""
    return '{"kind":%s,"crc":%s,"state":%s,"have":%d,"of":%d,"why":%s,"installed":%s,"latest":%s}' % (
        quoted(NAMES[standing.kind]) if known else "null",
        _hex(standing.crc) if known else "null",
        quoted(standing.state) if known else "null",
        standing.have,
        standing.count,
        quoted(standing.why),
        _hex(installed),
        _hex(standing.latest or installed),
    )


def _hex(crc):
    """Return 4 bytes, least first, as a JSON string of 8 hexadecimal digits."""
    return '"%02x%02x%02x%02x"' % tuple(reversed(crc)) if crc else "null"
