"""Hosts' addresses within a time: DNS (RFC 1035) and, for names in .local, multicast DNS (RFC 6762).

The runtimes' own getaddrinfo() waits for as long as it likes.
"""

TRIES = 2
LONGEST_MS = 3000  # of a try: shorter than any watchdog
_DNS, _MULTICAST = 53, 5353
_GROUP = "224.0.0.251"
_HEAD = b"\x6b\x21\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"  # recursion desired, one question


def look_up(port, host, timeout_ms):
    """Return a host's IPv4 address as text.

    Args:
        port: has udp() and dns_server().
        host: a name, or an address, which costs nothing.
    Raises:
        OSError: none came in time.
    """
    if host.replace(".", "").isdigit():
        return host
    query = bytearray(_HEAD)
    for label in host.split("."):
        text = label.encode()
        query.append(len(text) & 63)
        query.extend(text[:63])
    if host.endswith(".local"):
        query.extend(b"\x00\x00\x01\x80\x01")  # address; the answer to us alone
        server, udp_port = _GROUP, _MULTICAST
    else:
        query.extend(b"\x00\x00\x01\x00\x01")
        server, udp_port = port.dns_server(), _DNS
    for _ in range(TRIES):
        reply = port.udp(server, udp_port, query, min(timeout_ms // TRIES, LONGEST_MS))
        address = address_in(reply)
        if address:
            return address
    raise OSError("expected the address of %s from %s, got none: is the name right?" % (host, server))


def address_in(reply):
    """Return the first address that answers a question, "" where there is none."""
    try:
        at = 12
        for _ in range(reply[5]):
            at = _after_name(reply, at) + 4
        for _ in range(reply[7]):
            at = _after_name(reply, at)
            size = reply[at + 8] << 8 | reply[at + 9]
            if reply[at] == 0 and reply[at + 1] == 1 and size == 4:
                return "%d.%d.%d.%d" % tuple(reply[at + 10 : at + 14])
            at += 10 + size
    except (IndexError, TypeError):  # cut short
        pass
    return ""


def _after_name(reply, at):
    while reply[at]:
        if reply[at] >= 0xC0:
            return at + 2
        at += 1 + reply[at]
    return at + 1
