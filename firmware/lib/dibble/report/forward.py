"""Store and forward: what the record log holds goes to the broker in order, and again until it was acknowledged."""


def forward(client, log, sent, topic, payload, limit, budget_ms, port):
    """Publish the log's records after number `sent`; return the number of the last one acknowledged.

    A record whose acknowledgement got lost is published again: each arrives at least once, in order
    but for such repeats. Its sequence number tells them apart.

    Args:
        client: mqtt.Client; connected here if it isn't.
        log: has read_from(number), which yields (number, record) ascending, and acknowledged, the last number there is.
        sent: number of the last record known to have arrived; 0: none.
        topic: str.
        payload: payload(number, record) -> str or bytes; None skips a record that tells nothing.
        limit: the most records of one call.
        budget_ms: nothing is begun that could end later; at least two timeouts of the client, or nothing ever is.
        port: has ticks_ms(), ticks_diff(newer, older).
    """
    started_ms = port.ticks_ms()
    latest_ms = budget_ms - client.timeout_ms
    if log.acknowledged <= sent or not (client.connected or client.connect()):
        return sent
    for number, record in log.read_from(sent + 1):
        if limit <= 0 or port.ticks_diff(port.ticks_ms(), started_ms) > latest_ms:
            break
        message = payload(number, record)
        if message is not None and not client.publish(topic, message):
            break
        sent = number
        limit -= 1
    return sent
