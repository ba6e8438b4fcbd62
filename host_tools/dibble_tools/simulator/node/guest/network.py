"""Inside the VM: `network` where the radio is always in reach; sockets are the computer's own."""

STA_IF = 0


class WLAN:
    def __init__(self, interface):
        pass

    def active(self, on=None):
        return True

    def isconnected(self):
        return True

    def connect(self, ssid, password):
        pass
