"""TCP for report/mqtt.py over CircuitPython's `socketpool`. No TLS."""

import errno

import socketpool
import wifi

_pools = []  # one pool for the radio


class Stream:
    """A connected socket that never blocks."""

    def __init__(self, socket):
        self._socket = socket

    def send(self, data):
        """Return how many bytes were taken; None: none yet."""
        try:
            return self._socket.send(data)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            return None

    def receive_into(self, buffer, size):
        """Return how many bytes came, at most `size`; 0: closed by the other side; None: none yet."""
        try:
            return self._socket.recv_into(buffer, size)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            return None

    def close(self):
        self._socket.close()


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
    return Stream(socket)
