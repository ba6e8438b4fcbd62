"""The second part of an update's contact by MQTT: what is offered, how it stands, whether pieces are wanted."""

from dibble.storage.key import has_key
from dibble.update.kept import CONFIRMED, FIRMWARE, OFFERED, RECEIVING, REFUSED, TRIED, Kept, identity_of
from dibble.update.offer import Standing
from dibble.update.offered import offer_of


def look(node, client, topic):
    """Return the Standing of the offer in the client's inbox, or of the last one.

    Args:
        node: the Node.
        client: mqtt.Client, connected and subscribed to what is for the node.
        topic: "dibble/NODE/", which all its topics begin with.
    """
    kept = Kept()
    standing = Standing()
    standing.state = -1
    standing.why = ""
    standing.offer = None
    standing.have = standing.count = 0
    data = client.inbox.get(b"offer")
    offer = None
    try:
        offer = offer_of(data) if data else None
        if offer:
            _look_at(offer, kept, standing, node, client, topic)
    except ValueError as error:
        standing.state, standing.why = REFUSED, str(error)
    if standing.state < 0:
        standing.state, standing.why = kept.state, kept.why
    told = offer or kept
    standing.kind, standing.crc = told.kind, told.crc
    standing.latest = offer.identity if offer and offer.kind == 0 else None
    states = kept.state, standing.state
    standing.settled = not (RECEIVING in states or TRIED in states or OFFERED in states)
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
        raise ValueError("expected MicroPython and a key, without which no firmware comes by radio")
    elif offer.waits and not same and client.inbox.get(b"install") != b"install":
        standing.state = OFFERED
    else:
        if b"install" in client.inbox:
            kept.take(offer)
            kept.write(RECEIVING)
            client.publish(topic + "in/install", b"", True)
        standing.state = RECEIVING
        standing.offer = offer
