"""TCP for report/mqtt.py over the `socket` of MicroPython; CPython's does as well. No TLS."""

import errno
import select
import socket

from dibble.ports.stream import Stream


def open_stream(host, port, timeout_ms):
    """Return a Stream to a TCP server.

    Looking a name up (getaddrinfo) blocks for as long as the runtime lets it, some seconds where no
    DNS server answers: it is outside the timeout. An IP address as host costs nothing.

    Raises:
        OSError: no such name, refused, or not connected within timeout_ms.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        try:
            sock.connect(address)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        ready = poll.poll(timeout_ms)
        if not ready:
            raise OSError("expected a TCP connection within %d ms" % timeout_ms)
        if ready[0][1] & (select.POLLERR | select.POLLHUP):
            raise OSError("expected a TCP connection, refused")
    except OSError:
        sock.close()
        raise
    # MicroPython's sockets are streams and lack recv_into(); CPython's are the other way round.
    return Stream(sock, sock.readinto if hasattr(sock, "readinto") else sock.recv_into)
