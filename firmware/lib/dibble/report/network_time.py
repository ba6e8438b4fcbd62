"""The time from the network: one question of SNTP (RFC 4330), bounded."""

from dibble.report.name_lookup import LONGEST_MS, look_up

_PORT = 123
_CLIENT = 0x23  # version 4, mode 3
_SERVER = 4
_TO_2000_S = 3155673600  # from 1900
_ERA_S = 1 << 32
FIRST_DAY = 8766  # 2024-01-01


def network_date(port, host, timeout_ms):
    """Return (days since 2000-01-01, seconds since midnight), UTC.

    Args:
        port: has udp() and dns_server().
        host: of a time server.
    Raises:
        OSError: nobody said it in time.
    """
    question = bytearray(48)
    question[0] = _CLIENT
    reply = port.udp(look_up(port, host, timeout_ms), _PORT, question, min(timeout_ms, LONGEST_MS))
    if len(reply) >= 48 and reply[0] & 7 == _SERVER and 0 < reply[1] < 16:
        since_1900 = int.from_bytes(reply[40:44], "big")  # once a day it may take from the heap
        if since_1900 < _TO_2000_S:  # it wraps in 2036
            since_1900 += _ERA_S
        day = (since_1900 - _TO_2000_S) // 86400
        if day >= FIRST_DAY:
            return day, (since_1900 - _TO_2000_S) % 86400
    raise OSError("expected the time from %s, got %d bytes that don't tell it" % (host, len(reply)))
