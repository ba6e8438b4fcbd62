"""Inside the VM: the chip. What the host's environment names in DIBBLE_LACKS it hasn't got."""

import time

import flash_device
import wire
from uos import getenv

ANALOG_PINS = (26, 27, 28, 29)
LACKS = (getenv("DIBBLE_LACKS") or "").split(",")
_BLOCK = 4096
_USED = 256  # of it, by a node
_page = bytearray(_USED)


class Pin:
    def __init__(self, number):
        self.number = number
        self._used = False

    def claim(self):
        if self._used:
            raise ValueError(f"GP{self.number} in use")
        self._used = True
        return self.number

    def release(self):
        self._used = False


class _Processor:
    @property
    def uid(self):
        buffer = bytearray(8)
        wire.ask(78, 0, 0, b"", buffer)  # N
        return buffer


class _ByteArray:
    """nvm: the flash's last block. Each assignment erases it; the chip needs no heap for that, and this as little."""

    def __len__(self):
        return _BLOCK

    def _read(self):
        self._block = wire.number(75) - 1  # K
        flash_device.read(self._block, 0, _page)
        return _page

    def __getitem__(self, index):
        return self._read()[index]

    def __setitem__(self, index, value):
        if (index.stop if isinstance(index, slice) else index + 1) > _USED:
            raise IndexError("the stand-in keeps %d bytes" % _USED)
        page = self._read()
        if isinstance(index, slice) and len(page[index]) != len(value):
            raise ValueError("Slice and value different lengths.")
        page[index] = value
        wire.ask(69, self._block)  # E
        wire.ask(71, self._block, 0, page)  # G: the rest stays erased


class _WatchDogTimer:
    mode_ = None
    timeout_ = None

    @property
    def timeout(self):
        return self.timeout_

    @timeout.setter
    def timeout(self, value):
        if value > 8:
            raise ValueError("timeout must be <= 8")
        self.timeout_ = value

    @property
    def mode(self):
        return self.mode_

    @mode.setter
    def mode(self, value):
        self.mode_ = value
        wire.ask(70, 0, int(self.timeout_ * 1000))  # F

    def feed(self):
        wire.ask(70)


cpu = _Processor()
nvm = None if "nvm" in LACKS else _ByteArray()
watchdog = None if "watchdog" in LACKS else _WatchDogTimer()


def delay_us(delay):
    time.sleep(delay / 1000000)


def reset():
    wire.ask(88)  # X
    raise SystemExit
