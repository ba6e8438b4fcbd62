"""The second part of an update's contact by MQTT: pieces are asked for, one by one.

The broker keeps all of them: a piece is asked for by subscribing to it, so no more comes than the node can take.
"""

import os

from dibble.report.mqtt import subscription
from dibble.update.parcel import Parcel

DIGITS = 4  # of a piece's number in its topic
SHARE = (4, 4, 4, 2)  # of a kind: the flash that a stream may take by the time it is installed; firmware is asked again
SPARE_BLOCKS = 8


def receive(standing, port, client, topic, budget_ms):
    """Ask for what is missing as long as there is time; return whether all is there. The Standing has the rest."""
    offer = standing.offer
    share = SHARE[offer.kind] * offer.size
    try:
        if hasattr(os, "statvfs"):  # room for all that becomes of a stream, the log's next segment besides
            block, _, _, free = os.statvfs("/")[:4]
            if free - SPARE_BLOCKS <= share // block:
                standing.why = "expected room for %d bytes: make some" % share
                return False
        parcel = Parcel(offer, port.feed_watchdog)
    except OSError as error:
        standing.why = "expected to write pieces, got %r" % error
        return False
    try:
        standing.why = fetch(parcel, port, client, topic, budget_ms)
    finally:
        parcel.close()
        standing.have = parcel.have
    return parcel.missing() < 0


def fetch(parcel, port, client, topic, budget_ms):
    """Ask for pieces; return why it ended early, "" if it didn't. Nothing is allocated between two of them."""
    packet = subscription(topic + "piece/" + "0" * DIGITS)
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
