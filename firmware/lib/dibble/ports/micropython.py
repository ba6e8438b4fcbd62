"""The hardware as MicroPython's boards have it. ports/circuitpython.py has the same functions."""

import sys
import time

import machine

from dibble.ports.shared import END_STEPS, NoOutput, date_of, silent

KIND = "micropython"
_SLICE_MS = 2000
ticks_ms = time.ticks_ms
ticks_diff = time.ticks_diff
print_exception = sys.print_exception
on_wait = None  # called with the ms of each part of a wait: the app's watchdog
_watchdog = None


def sleep_ms(ms):
    """Wait, in parts short enough for any board's watchdog."""
    while ms > 0:
        part = min(ms, _SLICE_MS)
        time.sleep_ms(part)
        ms -= part
        if on_wait:
            on_wait(part)


def doze_ms(ms, light):
    """Wait between cycles; light: with the processor stopped, where that can be together with the watchdog."""
    if light and not (_watchdog and sys.platform == "rp2"):  # micropython#17228: both hang an RP2040
        machine.lightsleep(ms)
    else:
        time.sleep_ms(ms)
    if on_wait:
        on_wait(ms)


def date():
    """Return (days since 2000-01-01, seconds since midnight) in UTC; day 0: the clock isn't set."""
    return date_of(time.gmtime()[:6], ticks_ms())


def start_watchdog(timeout_ms):
    global _watchdog
    _watchdog = machine.WDT(timeout=timeout_ms)


def feed_watchdog():
    if _watchdog:
        _watchdog.feed()


def reset():
    machine.reset()


def node_id():
    """Return the chip's number as hexadecimal digits."""
    return "".join(["%02x" % byte for byte in machine.unique_id()])


def secret(name):
    """Return what secrets.py on the board has under a name, "" where there is none."""
    try:
        import secrets
    except ImportError:
        return ""
    return getattr(secrets, name, "")


def boot_memory(path):
    """Return where the boot state is kept: newest() and write()."""
    from dibble.storage.slots import Slots

    return Slots(path)


class _Bus:
    """I2C whose silence is a SensorError; raw is the runtime's own object."""

    def __init__(self, raw):
        self.raw = raw

    def write(self, address, data):
        try:
            self.raw.writeto(address, data)
        except OSError as error:
            raise silent(address, error)

    def read_into(self, address, buffer):
        try:
            self.raw.readfrom_into(address, buffer)
        except OSError as error:
            raise silent(address, error)

    def write_read_into(self, address, data, buffer):
        try:
            self.raw.writeto(address, data, False)
            self.raw.readfrom_into(address, buffer)
        except OSError as error:
            raise silent(address, error)


def i2c(sda, scl, frequency_hz):
    """Return the bus on two pins, any two: bits by software, as fast as sensors need."""
    return _Bus(machine.SoftI2C(scl=machine.Pin(scl), sda=machine.Pin(sda), freq=frequency_hz))


class _Analog:
    def __init__(self, pin):
        adc = machine.ADC
        if hasattr(adc, "ATTN_11DB"):  # up to MicroPython 1.25 an ESP32's default is 0 dB, which ends at 1.1 V (#8276)
            self._adc = adc(machine.Pin(pin), atten=adc.ATTN_11DB)
        else:
            self._adc = adc(machine.Pin(pin))
        self.at_end = False

    def read_uv(self):
        """Return microvolts; by the chip's own trim where it has one. at_end: it can't read any more than that."""
        steps = self._adc.read_u16()
        self.at_end = steps >= END_STEPS
        if hasattr(self._adc, "read_uv"):
            return self._adc.read_uv()
        return steps * 50 + steps * 1550 // 4369  # 3,300,000 : 65,535, each product below 2**27


def analog(pin):
    return _Analog(pin)


class _Output:
    def __init__(self, pin, value):
        self._pin = machine.Pin(pin, machine.Pin.OUT, value=value)

    def set(self, value):
        self._pin.value(value)


def output(pin, value=0):
    """Return a pin that drives `value`, from its first moment, until set."""
    return _Output(pin, value)


def status_led():
    """Return the board's own LED, or a pin of air where it has none."""
    try:
        return _Output("LED", 0)
    except (ValueError, TypeError):
        return NoOutput()


class _Pulses:
    def __init__(self, pin, lockout_ms):
        self._lockout_ms = lockout_ms
        self._count = 0
        self._last = ticks_ms()
        self._pin = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
        self._pin.irq(self._closed, machine.Pin.IRQ_FALLING)

    def _closed(self, _):
        now = ticks_ms()
        if not 0 <= ticks_diff(now, self._last) < self._lockout_ms:
            self._count += 1
            self._last = now

    def take(self):
        """Return the closures since the last call."""
        count = self._count
        self._count -= count
        return count


def pulses(pin, lockout_ms):
    """Return a counter of a contact's closures, of which those sooner than lockout_ms after one are bounces."""
    return _Pulses(pin, lockout_ms)


class _OneWire:
    def __init__(self, pin):
        import onewire

        self._wire = onewire.OneWire(machine.Pin(pin))

    def reset(self):
        return bool(self._wire.reset())

    def write(self, byte):
        self._wire.writebyte(byte)

    def read(self):
        return self._wire.readbyte()


def onewire(pin):
    return _OneWire(pin)


def connect(timeout_ms):
    """Join the Wi-Fi of secrets.py; return whether that worked in time."""
    import network

    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    if not wlan.isconnected():
        wlan.connect(secret("WIFI_SSID"), secret("WIFI_PASSWORD"))
    while not wlan.isconnected() and timeout_ms > 0:
        sleep_ms(100)
        timeout_ms -= 100
    return wlan.isconnected()


def open_stream(host, port, timeout_ms):
    """Return a TCP connection that never blocks: ports/sockets.py."""
    from dibble.ports import sockets

    return sockets.open_stream(host, port, timeout_ms)


def disconnect():
    """Switch the radio off."""
    import network

    network.WLAN(network.STA_IF).active(False)
