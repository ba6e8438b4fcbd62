"""TCP, TLS and UDP for report/ over the `socket` of MicroPython; CPython's does as well."""

import errno
import select
import socket

from dibble.ports.stream import Stream

_SLICE_MS = 1000


def open_stream(address, port, timeout_ms, tls=None, waited=None):
    """Return a Stream to a TCP server.

    Args:
        address: IPv4, as text: report/name_lookup.py has it.
        tls: (name that the server's certificate must be of, certificate of the authority as bytes); None: no TLS. The
            handshake comes with the first send().
        waited: called with the ms of each part of the wait.
    Raises:
        OSError: refused, or not connected within timeout_ms.
    """
    family, kind, protocol, _, place = socket.getaddrinfo(address, port, 0, socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        try:
            sock.connect(place)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        ready = None
        left_ms = timeout_ms
        while left_ms > 0 and not ready:
            part_ms = min(left_ms, _SLICE_MS)
            ready = poll.poll(part_ms)
            left_ms -= part_ms
            if waited and not ready:
                waited(part_ms)
        if not ready:
            raise OSError("expected a TCP connection within %d ms" % timeout_ms)
        if ready[0][1] & (select.POLLERR | select.POLLHUP):
            raise OSError("expected a TCP connection, refused")
        if tls:
            from dibble.ports.tls import wrapped

            sock = wrapped(sock, *tls)
            return Stream(sock, sock.readinto, sock.write)
    except (OSError, MemoryError):
        sock.close()
        raise
    # MicroPython's sockets are streams and lack recv_into(); CPython's are the other way round.
    return Stream(sock, sock.readinto if hasattr(sock, "readinto") else sock.recv_into, sock.send)


def udp(address, port, request, timeout_ms):
    """Return the answer to a datagram, b"" where none comes in time."""
    family, kind, protocol, _, place = socket.getaddrinfo(address, port, 0, socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        sock.sendto(request, place)
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return sock.recv(512) if poll.poll(timeout_ms) else b""
    finally:
        sock.close()
