"""Inside the VM: I2C by a peripheral, with its rules: a lock, pull-ups, pins of one instance."""

import wire

_ENODEV = 19


class I2C:
    def __init__(self, scl, sda, *, frequency=100000, timeout=255):
        if scl.number % 2 == 0 or sda.number % 2 or scl.number // 2 % 2 != sda.number // 2 % 2:
            raise ValueError("Invalid pins")
        if frequency > 1000000:
            raise ValueError("frequency must be <= 1000000")
        if not wire.ask(80, sda.number) or not wire.ask(80, scl.number):  # P
            raise RuntimeError("No pull up found on SDA or SCL; check your wiring")
        scl.claim()
        sda.claim()
        self._locked = False

    def try_lock(self):
        if self._locked:
            return False
        self._locked = True
        return True

    def unlock(self):
        self._locked = False

    def _check(self):
        if not self._locked:
            raise RuntimeError("Function requires lock")

    def writeto(self, address, buffer, *, start=0, end=None):
        self._check()
        if wire.ask(87, address, 1, buffer):  # W
            raise OSError(_ENODEV)

    def readfrom_into(self, address, buffer, *, start=0, end=None):
        self._check()
        if wire.ask(82, address, len(buffer), b"", buffer):  # R
            raise OSError(_ENODEV)

    def writeto_then_readfrom(
        self, address, out_buffer, in_buffer, *, out_start=0, out_end=None, in_start=0, in_end=None
    ):
        self._check()
        if wire.ask(87, address, 0, out_buffer) or wire.ask(82, address, len(in_buffer), b"", in_buffer):
            raise OSError(_ENODEV)
