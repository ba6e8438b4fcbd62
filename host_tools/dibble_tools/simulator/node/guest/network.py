"""Inside the VM: `network` as a board has it: slow to join, and it raises; none on a board without a radio.

Sockets are the computer's own. simulator/node/wifi.py decides what happens.
"""

import wire

_RAISES = {1: OSError, 2: RuntimeError, 3: MemoryError}
STA_IF = 0
RSSI_DBM = -67


def _ask(what, value=0):
    status = wire.ask(81, what, value)  # Q
    if status == 4:
        raise ImportError("no module named 'network'")
    return status


def _do(what, value=0):
    status = _ask(what, value)
    if status:
        raise _RAISES[status](1)


class WLAN:
    IF_STA = STA_IF

    def __init__(self, interface=STA_IF):
        _do(0)

    def active(self, on=None):
        if on is not None:
            _do(1, 1 if on else 0)
        return True

    def isconnected(self):
        return bool(_ask(3))

    def connect(self, ssid=None, key=None):
        _do(2)

    def disconnect(self):
        _do(1, 0)

    def status(self, parameter=None):
        if parameter == "rssi":
            return RSSI_DBM
        return 3 if self.isconnected() else 0

    def ifconfig(self):
        return "127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.127"


_ask(3)
