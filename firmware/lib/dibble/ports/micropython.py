"""The hardware as MicroPython's boards have it. ports/circuitpython.py has the same functions."""

import sys
import time

import machine

from dibble import ConfigError
from dibble.ports.shared import END_STEPS, OFF_TRIES, Clock, NoOutput, silent

KIND = "micropython"
_SLICE_MS = 2000
_LONGEST_SLEEP_MS = 3600000  # an RP2 refuses 72 minutes
_AT_ONCE_MS = 5
_PENDING_MS = 20
ticks_ms = time.ticks_ms
ticks_diff = time.ticks_diff
print_exception = sys.print_exception
light_sleep = False  # whether the processor may stop in a driver's long waits: the node says
on_wait = None  # called with the ms of each part of a wait; returns the longest that the next may be, 0: any time
_watchdog = None


def sleep_ms(ms):
    """Wait, in parts short enough for any board's watchdog."""
    longest_ms = on_wait(0) if on_wait else 0
    while ms > 0:
        part = min(ms, _SLICE_MS, longest_ms or ms)
        time.sleep_ms(part)
        ms -= part
        if on_wait:
            longest_ms = on_wait(part)


def doze_ms(ms, light):
    """Wait between cycles, `ms` by the ticks; light: with the processor stopped, where that can be.

    lightsleep() is told the longest it may take: it may end sooner, or at once where the radio has something to do.
    """
    light = light and not (_watchdog and _hangs_beside_watchdog())
    if not light:
        sleep_ms(ms)
        return
    while ms > 0:
        started = ticks_ms()
        machine.lightsleep(min(ms, _LONGEST_SLEEP_MS))
        passed = ticks_diff(ticks_ms(), started)
        if 0 <= passed < _AT_ONCE_MS:  # what is pending wants time
            passed = min(ms, _PENDING_MS)
            time.sleep_ms(passed)
        elif not 0 <= passed <= ms + _SLICE_MS:  # these ticks can't be
            passed = ms
        ms -= passed
        if on_wait:
            on_wait(passed)


def _hangs_beside_watchdog():
    """Tell whether a light sleep in which the watchdog bites never ends (micropython#17228): an RP2040's, to 1.28.

    Mended by the 376th commit after it.
    """
    system = sys.implementation
    if sys.platform != "rp2" or "RP2350" in getattr(system, "_machine", ""):
        return False
    version = system.version
    if version[:3] < (1, 29, 0):
        return True
    if version[:3] > (1, 29, 0) or len(version) < 4 or version[3] != "preview":
        return False
    count = sys.version.split("-preview.")[-1].split(".")[0]
    return not (count.isdigit() and int(count) >= 376)


def _calendar():
    return time.gmtime()[:6]


_clock = Clock(ticks_ms, ticks_diff, _calendar)
date = _clock.date
up_s = _clock.up_s
date_is_set = _clock.is_set


def set_date(day, second):
    """Take (days since 2000-01-01, seconds since midnight) for the time of now, UTC; set the calendar, too."""
    _clock.set(day, second)
    year, month, day, hour, minute, second, weekday = _of_epoch(day, second)
    machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))


def _of_epoch(day, second):
    """Return year, month, day, hour, minute, second, weekday; a runtime counts from 2000, or from 1970."""
    if time.gmtime(0)[0] < 2000:
        day += 10957
    return time.gmtime(day * 86400 + second)[:7]


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
    except SyntaxError:
        raise ConfigError("secrets.py: expected lines like WIFI_SSID = 'name', got what isn't: look for a quote")
    return getattr(secrets, name, "")


def memory(path):
    """Return where a few bytes are kept over resets: newest() and write()."""
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
    def __init__(self, pin, lockout_ms, pull_up):
        from dibble.ports.contact import Contact

        kind = machine.Pin
        self._pin = kind(pin, kind.IN, kind.PULL_UP) if pull_up else kind(pin, kind.IN)
        self._contact = Contact(ticks_ms, ticks_diff, lockout_ms, not self._pin.value())
        self.take = self._contact.take
        self._pin.irq(self._changed, kind.IRQ_FALLING | kind.IRQ_RISING)

    def _changed(self, _):
        self._contact.changed(ticks_ms(), not self._pin.value())


def pulses(pin, lockout_ms, pull_up):
    """Return a counter of a contact's closings, whose take() returns those since the last call: contact.py.

    Args:
        pull_up: the pin's own; False: there is a resistor to the supply.
    """
    if pull_up and pin in range(34, 40) and _machine().endswith(" with ESP32"):  # whose successors have one at each pin
        raise ConfigError(
            "expected a pin with a pull-up, or a resistor from it to 3.3 V and pull_up false, got %d: an ESP32's 34 to "
            "39 have none" % pin
        )
    return _Pulses(pin, lockout_ms, pull_up)


def _machine():
    return getattr(sys.implementation, "_machine", "")


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

    def write_bit(self, bit):
        self._wire.writebit(bit)

    def read_bit(self):
        return self._wire.readbit()


def onewire(pin):
    return _OneWire(pin)


def microphones():
    """Return the module of a board's microphones, which a node asks for that listens."""
    from dibble.ports import micropython_microphones

    return micropython_microphones


def connect(timeout_ms):
    """Join the Wi-Fi of secrets.py; return whether that worked in time.

    Raises:
        OSError: the board has none.
        Exception: what its driver raised, until the end (micropython#17661, #15563, #11247).
    """
    try:
        import network
    except ImportError:
        raise OSError("Wi-Fi: expected a board that has it; this one's MicroPython has no module network")
    ssid, password = secret("WIFI_SSID"), secret("WIFI_PASSWORD")
    started = ticks_ms()
    wlan = error = None
    while 0 <= ticks_diff(ticks_ms(), started) < timeout_ms:
        try:
            if not wlan:
                wlan = network.WLAN(network.STA_IF)
                wlan.active(True)
                if not wlan.isconnected():
                    wlan.connect(ssid, password)
            if wlan.isconnected():
                return True
        except (OSError, RuntimeError, MemoryError) as caught:
            error, wlan = caught, None
        sleep_ms(100 if wlan else 1000)
    if error and not wlan:
        raise error
    return False


def open_stream(address, port, timeout_ms, tls=None):
    """Return a connection that never blocks: ports/sockets.py."""
    from dibble.ports import sockets

    return sockets.open_stream(address, port, timeout_ms, tls, on_wait)


def udp(address, port, request, timeout_ms):
    """Return the answer to a datagram, b"" where none comes in time: ports/sockets.py."""
    from dibble.ports import sockets

    feed_watchdog()
    return sockets.udp(address, port, request, timeout_ms)


def dns_server():
    """Return the address of the network's name server."""
    import network

    return network.WLAN(network.STA_IF).ifconfig()[3]


def rssi_dbm():
    """Return how strong the access point is heard, None where the board doesn't say."""
    try:
        import network

        return network.WLAN(network.STA_IF).status("rssi")
    except (ImportError, OSError, RuntimeError, ValueError, TypeError):
        return None


def disconnect():
    """Switch the radio off, where there is one."""
    try:
        import network
    except ImportError:
        return
    for _ in range(OFF_TRIES):
        try:
            network.WLAN(network.STA_IF).active(False)
            return
        except (OSError, RuntimeError, MemoryError):
            sleep_ms(100)
