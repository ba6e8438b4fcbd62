"""Inside the VM: `machine` at the level of pins, registers and pulses, answered by the simulated field."""

import time

import wire
from board_sys import ANALOG, DIGITAL, INPUTS, NO_PULL_UP, platform

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = range(1, 6)


class Pin:
    IN, OUT, OPEN_DRAIN = 0, 1, 2
    PULL_UP, PULL_DOWN = 1, 2
    IRQ_FALLING, IRQ_RISING = 1, 2

    def __init__(self, id, mode=IN, pull=None, value=None):
        if isinstance(id, str):  # as on a Pico: ports/rp2/machine_pin.c
            number = 25 if id == "LED" else int(id[2:]) if id[:2] == "GP" and id[2:].isdigit() else -1
            if number < 0 or platform != "rp2" or not DIGITAL >> number & 1:
                raise ValueError("unknown named pin %r" % id)
            id = number
        elif id < 0 or not DIGITAL >> id & 1:
            raise ValueError("invalid pin")
        if mode == Pin.OUT and INPUTS >> id & 1:
            raise ValueError("pin can only be input")
        self.id = id
        self.floats = pull == Pin.PULL_UP and id >= 34 and NO_PULL_UP
        if mode == Pin.OUT and value is not None:
            self.value(value)

    def value(self, value=None):
        if value is None:
            return 0 if self.floats else time.levels[self.id] if self.id in time.levels else wire.ask(80, self.id)  # P
        wire.ask(79, self.id, 1 if value else 0)  # O

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def irq(self, handler=None, trigger=IRQ_FALLING):
        time.handlers[self.id] = handler
        wire.ask(73, self.id, trigger if handler and not self.floats else 0)  # I


class Rp2Adc:
    def __init__(self, pin):
        self.pin = pin.id if isinstance(pin, Pin) else pin
        if not ANALOG >> self.pin & 1:
            raise ValueError("invalid pin" if platform == "esp32" else "Pin doesn't have ADC capabilities")

    def read_u16(self):
        return wire.number(65, self.pin)  # A


class Esp32Adc(Rp2Adc):
    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = range(4)

    def __init__(self, pin, atten=None):
        Rp2Adc.__init__(self, pin)
        self._atten = 1 if atten is None else 2 + atten
        self._uv = bytearray(4)

    def _ask(self):
        return wire.ask(65, self.pin, self._atten, b"", self._uv)

    def read_uv(self):
        self._ask()
        return int.from_bytes(self._uv, "little")

    def read_u16(self):
        at_end = self._ask()
        return 65535 if at_end else int.from_bytes(self._uv, "little") * 65000 // 3300000


ADC = Esp32Adc if platform == "esp32" else Rp2Adc


class I2C:
    def __init__(self, id=0, scl=None, sda=None, freq=400000, timeout=50000):
        pass

    def writeto(self, address, data, stop=True):
        if wire.ask(87, address, 1 if stop else 0, data):  # W
            raise OSError(5)
        return len(data)

    def readfrom_into(self, address, buffer, stop=True):
        if wire.ask(82, address, len(buffer), b"", buffer):  # R
            raise OSError(5)

    def scan(self):
        return [address for address in range(8, 120) if not wire.ask(87, address)]


SoftI2C = I2C


class RTC:
    def datetime(self, value=None):
        if value is None:
            year, month, day, hour, minute, second, weekday = time.gmtime()[:7]
            return year, month, day, weekday, hour, minute, second, 0
        year, month, day, _, hour, minute, second, _ = value
        wire.ask(85, 0, time.mktime((year, month, day, hour, minute, second, 0, 0)) - 946684800)  # U


class WDT:
    def __init__(self, id=0, timeout=5000):
        wire.ask(70, 0, timeout)  # F

    def feed(self):
        wire.ask(70)


class Timer:
    """A timer whose end resets the board: the one use that programs here have for one."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1):
        if id != -1:
            raise ValueError("Timer doesn't exist")

    def init(self, *, mode=PERIODIC, period=0, callback=None):
        if mode != Timer.ONE_SHOT or callback.__name__ != "reset_board":
            raise NotImplementedError
        wire.ask(72, 0, period)  # H

    def deinit(self):
        wire.ask(72)


def lightsleep(ms):
    status = wire.ask(90, 0, ms)  # Z; pins' interrupts don't come through
    if status == wire.INTERRUPTED:
        raise KeyboardInterrupt
    if status:
        raise ValueError("sleep too long")


def reset():
    wire.ask(88)  # X
    raise SystemExit


def soft_reset():
    raise SystemExit


def reset_cause():
    return wire.ask(67)  # C


def unique_id():
    buffer = bytearray(8)
    wire.ask(78, 0, 0, b"", buffer)  # N
    return bytes(buffer)


def disable_irq():
    return 0


def enable_irq(state):
    pass


def idle():
    time.sleep_ms(1)
