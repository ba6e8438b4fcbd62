"""TCP, TLS and UDP for report/ over CircuitPython's `socketpool` and `ssl`."""

import socketpool
import wifi

from dibble.ports.stream import Stream

_pools = []  # one pool for the radio


def _socket(*kind):
    if not _pools:
        _pools.append(socketpool.SocketPool(wifi.radio))
    try:
        return _pools[0].socket(*kind)
    except RuntimeError as error:  # CircuitPython's for want of sockets
        raise OSError(str(error))


def open_stream(address, port, timeout_ms, tls=None):
    """Return a Stream to a TCP server.

    Args:
        address: IPv4, as text: report/name_lookup.py has it.
        tls: (name that the server's certificate must be of, certificate of the authority as bytes); None: no TLS.
    Raises:
        OSError: refused, not connected within timeout_ms, out of sockets, or no room for TLS.
    """
    socket = _socket()
    try:
        if tls:
            socket = _wrapped(socket, *tls)
        socket.settimeout(timeout_ms / 1000)
        socket.connect((address, port))
        socket.setblocking(False)
        return Stream(socket, socket.recv_into, socket.send)
    except MemoryError:
        socket.close()
        raise OSError(
            "MQTT over TLS: expected some 40000 bytes of heap, this board has less: leave mqtt.ca empty, or take a "
            "larger board"
        )
    except ValueError as error:
        socket.close()
        raise OSError("mqtt.ca: expected the certificate of an authority in PEM, got: %s" % error)
    except (OSError, RuntimeError):
        socket.close()
        raise


def _wrapped(socket, name, authority):
    """Return the socket with TLS on it; the handshake comes with connect().

    Raises:
        ValueError: this isn't a certificate.
        MemoryError: there is no room.
    """
    import ssl

    context = ssl.create_default_context()
    context.load_verify_locations(cadata=authority)
    return context.wrap_socket(socket, server_hostname=name)


def udp(address, port, request, timeout_ms):
    """Return the answer to a datagram, b"" where none comes in time."""
    socket = _socket(socketpool.SocketPool.AF_INET, socketpool.SocketPool.SOCK_DGRAM)
    reply = bytearray(512)
    try:
        socket.settimeout(timeout_ms / 1000)
        socket.sendto(request, (address, port))
        return bytes(reply[: socket.recv_into(reply)])
    except OSError:  # none came
        return b""
    finally:
        socket.close()
