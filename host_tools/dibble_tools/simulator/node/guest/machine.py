"""Inside the VM: `machine` at the level of pins, registers and pulses, answered by the simulated field."""

import time

import wire

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = range(1, 6)

PINS = 30
FIRST_ADC = 26  # of an RP2040's pins


class Pin:
    IN, OUT, OPEN_DRAIN = 0, 1, 2
    PULL_UP, PULL_DOWN = 1, 2
    IRQ_FALLING, IRQ_RISING = 1, 2

    def __init__(self, id, mode=IN, pull=None, value=None):
        if isinstance(id, str):  # as on a Pico: ports/rp2/machine_pin.c
            number = 25 if id == "LED" else int(id[2:]) if id[:2] == "GP" and id[2:].isdigit() else -1
            if not 0 <= number < PINS:
                raise ValueError("unknown named pin %r" % id)
            id = number
        elif not 0 <= id < PINS:
            raise ValueError("invalid pin")
        self.id = id
        if mode == Pin.OUT and value is not None:
            self.value(value)

    def value(self, value=None):
        if value is None:
            return wire.ask(80, self.id)  # P
        wire.ask(79, self.id, 1 if value else 0)  # O

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def irq(self, handler=None, trigger=IRQ_FALLING):
        time.handlers[self.id] = handler
        wire.ask(73, self.id, 1 if handler else 0)  # I


class ADC:
    def __init__(self, pin):
        self.pin = pin.id if isinstance(pin, Pin) else pin
        if self.pin < FIRST_ADC:
            raise ValueError("Pin doesn't have ADC capabilities")

    def read_u16(self):
        return wire.number(65, self.pin)  # A


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
