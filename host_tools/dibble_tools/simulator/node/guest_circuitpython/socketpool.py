"""Inside the VM: CircuitPython's `socketpool`, IPv4, over the computer's own sockets.

Few sockets, no recv(), time-outs in the field's virtual time: shared-bindings/socketpool/Socket.c. The host's
environment may send ports elsewhere, DIBBLE_PORTS=53:40001,123:0; 0: nobody answers there.
"""

import errno

import usocket
from select import POLLERR, POLLHUP, POLLIN, POLLOUT, poll
from time import sleep
from uos import getenv

MAX_SOCKETS = 4
_PATIENCE_MS = 20000  # of the computer's time, for somebody who is there
_MOMENT_MS = 10  # of it, that a look takes at most: the field's time passes in looks, and others need the computer's
_PORTS = dict(
    [[int(number) for number in pair.split(":")] for pair in (getenv("DIBBLE_PORTS") or "").split(",") if pair]
)
_open = []


def there(port):
    """Return where a port of the field is on this computer, 0: nowhere."""
    return _PORTS.get(port, port)


class Socket:
    def __init__(self, raw, type):
        self.raw = raw
        self.type = type
        self.silent = False
        self._timeout = None  # seconds
        _open.append(self)

    def settimeout(self, value):
        self._timeout = value

    def setblocking(self, flag):
        self._timeout = None if flag else 0

    def connect(self, address):
        host, port = address
        self._check()
        if not there(port):
            sleep(self._timeout or 75)
            raise OSError(errno.ETIMEDOUT)
        place = usocket.getaddrinfo(host, there(port))[0][-1]
        try:
            self.raw.connect(place)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        ready = self._wait(POLLOUT, _PATIENCE_MS)
        if not ready or ready[0][1] & (POLLERR | POLLHUP):
            raise OSError(errno.ECONNREFUSED)

    def sendto(self, data, address):
        host, port = address
        self._check()
        self.silent = not there(port)
        if self.silent:
            return len(data)
        return self.raw.sendto(data, usocket.getaddrinfo(host, there(port))[0][-1])

    def send(self, data):
        self._check()
        if self._timeout != 0:
            self._wait(POLLOUT, _PATIENCE_MS)
        return would_block(self.raw.write(data))

    def recv_into(self, buffer, bufsize=0):
        self._check()
        if self._timeout == 0:
            self.look()
        elif self.silent or not self._wait(POLLIN, _PATIENCE_MS):
            sleep(self._timeout)
            raise OSError(errno.ETIMEDOUT)
        return would_block(self.raw.readinto(buffer, bufsize or len(buffer)))

    def look(self):
        """Give whoever is there a moment to answer."""
        self._wait(POLLIN, _MOMENT_MS)

    def close(self):
        if self in _open:
            _open.remove(self)
            self.raw.close()

    def _check(self):
        if self not in _open:
            raise OSError(errno.EBADF)

    def _wait(self, what, ms):
        waiting = poll()
        waiting.register(self.raw, what)
        return waiting.poll(ms)


def would_block(count):
    if count is None:
        raise OSError(errno.EAGAIN)
    return count


class SocketPool:
    AF_INET = 0
    SOCK_STREAM, SOCK_DGRAM = 1, 2

    def __init__(self, radio):
        self._radio = radio

    def socket(self, family=AF_INET, type=SOCK_STREAM, proto=0):
        if len(_open) == MAX_SOCKETS:
            raise RuntimeError("Out of sockets")
        raw = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM if type == 2 else usocket.SOCK_STREAM)
        raw.setblocking(False)
        return Socket(raw, type)
