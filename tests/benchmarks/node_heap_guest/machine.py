"""Inside the VM: pins, converter and bus whose readings are always the same."""

import time


class Pin:
    IN, OUT, PULL_UP, IRQ_FALLING, IRQ_RISING = range(5)

    def __init__(self, id, mode=IN, pull=None, value=None):
        pass

    def value(self, value=None):
        return 1

    def irq(self, handler=None, trigger=0):
        pass


class ADC:
    def __init__(self, pin):
        pass

    def read_u16(self):
        return 0x8000


class SoftI2C:
    """An SHT4x that answers whatever it is asked for with 25 degrees, 44 %."""

    def __init__(self, scl, sda, freq):
        pass

    def writeto(self, address, data, stop=True):
        pass

    def readfrom_into(self, address, buffer):
        buffer[:] = b"\x66\x66\x93\x66\x66\x93"[: len(buffer)]


class RTC:
    def datetime(self, value):
        pass


class WDT:
    def __init__(self, timeout):
        pass

    def feed(self):
        pass


def lightsleep(ms):
    time.sleep_ms(ms)


def unique_id():
    return b"bench"


def reset():
    raise SystemExit
