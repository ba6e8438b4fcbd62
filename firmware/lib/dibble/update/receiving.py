"""The fourth part of an update's contact by MQTT: pieces are asked for, one by one.

The broker keeps all of them: a piece is asked for by subscribing to it, so no more comes than the node can take.
"""

from dibble.report.mqtt import subscription

DIGITS = 4  # of a piece's number in its topic


def receive(standing, parcel, port, client, topic, budget_ms):
    """Ask for what is missing as long as there is time; return whether all is there. The Standing has the rest."""
    try:
        standing.why = fetch(parcel, port, client, topic, budget_ms)
    finally:
        parcel.file.close()
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
