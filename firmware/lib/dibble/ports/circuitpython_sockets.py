"""TCP for report/mqtt.py over CircuitPython's `socketpool`. No TLS."""

import socketpool
import wifi

from dibble.ports.stream import Stream

_pools = []  # one pool for the radio


def open_stream(host, port, timeout_ms):
    """Return a Stream to a TCP server.

    Looking a name up is outside the timeout; an IP address as host costs nothing.

    Raises:
        OSError: no such name, refused, not connected within timeout_ms, or out of sockets.
    """
    if not _pools:
        _pools.append(socketpool.SocketPool(wifi.radio))
    try:
        socket = _pools[0].socket()
    except RuntimeError as error:  # CircuitPython's for want of sockets
        raise OSError(str(error))
    try:
        socket.settimeout(timeout_ms / 1000)
        socket.connect((host, port))
        socket.setblocking(False)
    except OSError:
        socket.close()
        raise
    return Stream(socket, socket.recv_into)
