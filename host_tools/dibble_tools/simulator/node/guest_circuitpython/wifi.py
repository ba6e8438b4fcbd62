"""Inside the VM: CircuitPython's `wifi` as a Pico W has it: slow to join, and it raises; none without a radio.

Names, checks and exceptions: shared-bindings/wifi/Radio.c and ports/raspberrypi/common-hal/wifi/Radio.c.
simulator/node/wifi.py decides what happens.
"""

import wire
from time import sleep

_UP_MS = 8000  # a connect() without a timeout
_LEAVE_S = 0.5  # that switching off may wait for the access point
_SCAN_MS = 2500  # until it's clear that a network isn't there


class ConnectionError(OSError):
    """A builtin of CircuitPython's, and none of this VM's."""


def _ask(what, value=0):
    status = wire.ask(81, what, value)  # Q
    if status == 4:
        raise ImportError("no module named 'wifi'")
    return status


def _do(what, value=0):
    status = _ask(what, value)
    if status == 1:
        raise ConnectionError("Unknown failure 205")
    if status == 2:
        raise RuntimeError("Failed to init wifi")
    if status:
        raise MemoryError("Failed to allocate wifi memory")


class _Address:
    def __init__(self, text):
        self._text = text

    def __str__(self):
        return self._text


class _AccessPoint:
    rssi = -67


class _Radio:
    _enabled = True

    @property
    def enabled(self):
        return self._enabled

    @enabled.setter
    def enabled(self, on):
        if on and not self._enabled:
            _do(1, 1)
        if self._enabled and not on:
            if self.connected:
                sleep(_LEAVE_S)
            _do(1, 0)
        self._enabled = bool(on)

    @property
    def connected(self):
        return bool(_ask(3))

    @property
    def ap_info(self):
        return _AccessPoint() if self.connected else None

    @property
    def ipv4_dns(self):
        return _Address("127.0.0.1") if self.connected else None

    def connect(self, ssid, password=b"", *, channel=0, bssid=None, timeout=None):
        if not 1 <= len(ssid) <= 32:
            raise ValueError("ssid length must be 1-32")
        if len(password) and not 8 <= len(password) <= 64:
            raise ValueError("password length must be 8-64")
        if not self._enabled:
            raise RuntimeError("WiFi is not enabled")
        if self.connected:
            return
        ms = _UP_MS if not timeout or timeout <= 0 else int(timeout * 1000)
        _do(2)  # which gives up a join that was under way
        if not _ask(5):  # is the access point there
            _ask(4, min(ms, _SCAN_MS))
            raise ConnectionError("No network with that ssid")
        if not _ask(4, ms):  # wait; the join goes on after that
            raise ConnectionError("Unknown failure 1")


_ask(3)
radio = _Radio()
