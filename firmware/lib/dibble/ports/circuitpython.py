"""The hardware as CircuitPython's boards have it, 9 and later: the same functions as ports/micropython.py.

Checked: names, arguments and attributes against circuitpython-stubs by mypy; behaviour on a real MicroPython VM
with stand-ins for CircuitPython's modules (the host's simulator/node/guest_circuitpython), which keep to the
exceptions, limits and 30-bit floats of CircuitPython's source. It was never run on CircuitPython itself.

Pins are the names of `board`: "GP26", "A0", "D5". CircuitPython's times are seconds in floats: seconds() is where
the node's ints become such.
"""

import os
import time

import microcontroller
import rtc

from dibble import ConfigError
from dibble.ports.circuitpython_pins import analog, i2c, named, onewire, output, status_led  # noqa: F401
from dibble.ports.circuitpython_time import seconds, ticks_diff, ticks_ms
from dibble.ports.shared import OFF_TRIES, Clock

KIND = "circuitpython"
_SLICE_MS = 2000
_JOINING_MS = 8000  # that a join may go on for after a connect() that a watchdog cut short
_PAUSE_MS = 100
_PAUSE_AFTER_ERROR_MS = 1000
_COUNTING_SLICE_MS = 250  # with contacts to count: keypad keeps so many events, and no more
light_sleep = False  # whether the processor may stop in a driver's long waits: the node says
on_wait = None  # called with the ms of each part of a wait; returns the longest that the next may be, 0: any time
_PLACES = {"boot": 0, "on": 40, "rain": 144, "sgp30": 192, "signed": 208}  # in nvm; safemode.py's is from 16 on
_watchdog = None
_counters = []


def sleep_ms(ms):
    """Wait, in parts short enough for any board's watchdog."""
    longest_ms = on_wait(0) if on_wait else 0
    while ms > 0:
        part = min(ms, _COUNTING_SLICE_MS if _counters else _SLICE_MS, longest_ms or ms)
        time.sleep(seconds(part))
        for counter in _counters:
            counter.drain()
        ms -= part
        if on_wait:
            longest_ms = on_wait(part)


def doze_ms(ms, light):
    """Wait between cycles; light: with the processor stopped, where the board can (the RP2350 can't).

    No contact is counted in light sleep.
    """
    if light:
        slept_ms = _light_sleep(ms)
        ms -= slept_ms
        if on_wait:
            on_wait(slept_ms)
    sleep_ms(ms)


def _light_sleep(ms):
    """Return how long it was, at most `ms`; 0 where the board can't.

    An alarm is set for a moment since power-on, a float whose steps grow with it: of less than 2**-20 of it, so much
    sooner than wanted is never too late. Ordinary waits, by the ticks, are the rest.
    """
    coarse_ms = int(time.monotonic()) >> 10
    if ms <= coarse_ms:
        return 0
    try:
        import alarm
    except ImportError:
        return 0
    for counter in _counters:
        counter.stop()
    started = ticks_ms()
    try:
        until = time.monotonic() + seconds(ms - coarse_ms)
        alarm.light_sleep_until_alarms(alarm.time.TimeAlarm(monotonic_time=until))
    except ValueError:  # it is in the past by now
        pass
    for counter in _counters:
        counter.start()
    return max(0, min(ms, ticks_diff(ticks_ms(), started)))


def _calendar():
    return rtc.RTC().datetime[:6]  # not time.localtime(), which boards without long ints refuse


_clock = Clock(ticks_ms, ticks_diff, _calendar)
date = _clock.date
up_s = _clock.up_s
date_is_set = _clock.is_set


def set_date(day, second):
    """Take (days since 2000-01-01, seconds since midnight) for the time of now, UTC; set the calendar, too."""
    _clock.set(day, second)
    rtc.RTC().datetime = time.localtime((day + 10957) * 86400 + second)


def start_watchdog(timeout_ms):
    """Start the board's watchdog; say so where it has none."""
    global _watchdog
    timer = microcontroller.watchdog
    if timer is None:
        print("this board has no watchdog: a node that hangs does so until it's switched off")
        return
    from watchdog import WatchDogMode

    try:
        timer.timeout = seconds(timeout_ms)
    except ValueError:
        raise ConfigError(
            "config.watchdog_ms: expected what this board's watchdog can do (8000 on an RP2), got %d" % timeout_ms
        )
    timer.mode = WatchDogMode.RESET
    _watchdog = timer


def feed_watchdog():
    if _watchdog:
        _watchdog.feed()


def reset():
    microcontroller.reset()


def print_exception(error):
    import traceback

    traceback.print_exception(error)


def node_id():
    """Return the chip's number as hexadecimal digits."""
    return "".join(["%02x" % byte for byte in microcontroller.cpu.uid])


def secret(name):
    """Return what settings.toml has under a name, "" where there is none."""
    try:
        value = os.getenv(name)
    except ValueError:
        print("settings.toml: expected a text in quotes or an int as %s" % name)
        value = None
    return "" if value is None else str(value)


def memory(path):
    """Return where a few bytes are kept over resets: newest() and write(). nvm can be written whoever has the drive."""
    if microcontroller.nvm is None:
        from dibble.storage.slots import Slots

        return Slots(path)
    from dibble.storage.nvm import NvmCell

    return NvmCell(microcontroller.nvm, _PLACES[path])


def pulses(pin, lockout_ms, pull_up):
    """Return a counter of a contact's closings: contact.py."""
    from dibble.ports.circuitpython_pulses import Pulses

    counter = Pulses(named(pin), lockout_ms, pull_up)
    _counters.append(counter)
    return counter


def microphones():
    """Return the module of a board's microphones, which a node asks for that listens."""
    from dibble.ports import circuitpython_microphones

    return circuitpython_microphones


def cameras():
    """Return the module of a board's cameras, which a driver asks for that sees."""
    from dibble.ports import circuitpython_cameras

    return circuitpython_cameras


def connect(timeout_ms):
    """Join the Wi-Fi of settings.toml (WIFI_SSID, WIFI_PASSWORD); return whether that worked in time.

    Raises:
        OSError: the board has none.
        Exception: what its driver raised, until the end.
    """
    try:
        import wifi
    except ImportError:
        raise OSError("Wi-Fi: expected a board that has it; this one's CircuitPython has no module wifi")
    radio = wifi.radio
    error = None
    longest_ms = int(_watchdog.timeout) * 1000 - 1000 if _watchdog else timeout_ms
    while timeout_ms > 0:
        feed_watchdog()  # the radio waits in one piece
        started = ticks_ms()
        part_ms = min(timeout_ms, longest_ms)
        try:
            radio.enabled = True
            if radio.connected:
                return True
            radio.connect(secret("WIFI_SSID"), secret("WIFI_PASSWORD"), timeout=seconds(part_ms))
            error = None
        except ValueError as caught:  # a name or a password too short, or too long, for any
            raise OSError("Wi-Fi: expected WIFI_SSID and WIFI_PASSWORD that a network can have, got: %s" % caught)
        except OSError:  # no such network, refused, or not yet
            error = None
        except (RuntimeError, MemoryError) as caught:
            error = caught
        took_ms = max(0, ticks_diff(ticks_ms(), started))
        if on_wait:
            on_wait(took_ms)
        timeout_ms -= took_ms
        left_ms = _PAUSE_MS
        if error:
            left_ms = _PAUSE_AFTER_ERROR_MS
        elif took_ms >= part_ms:  # it goes on joining, and another connect() would begin anew
            left_ms = min(max(timeout_ms, 0), _JOINING_MS)
        while left_ms > 0 and not radio.connected:
            sleep_ms(_PAUSE_MS)
            left_ms -= _PAUSE_MS
            timeout_ms -= _PAUSE_MS
    if error:
        raise error
    return radio.connected


def rssi_dbm():
    """Return how strong the access point is heard, None where the board doesn't say."""
    try:
        import wifi

        network = wifi.radio.ap_info
        return network.rssi if network else None
    except (ImportError, AttributeError):
        return None


def disconnect():
    """Switch the radio off, where there is one."""
    try:
        import wifi
    except ImportError:
        return
    for _ in range(OFF_TRIES):
        try:
            wifi.radio.enabled = False
            return
        except (OSError, RuntimeError, MemoryError):
            sleep_ms(100)


def open_stream(address, port, timeout_ms, tls=None):
    """Return a connection as report/mqtt.py needs it; see ports/circuitpython_sockets.py."""
    from dibble.ports import circuitpython_sockets

    feed_watchdog()
    return circuitpython_sockets.open_stream(address, port, timeout_ms, tls)


def udp(address, port, request, timeout_ms):
    """Return the answer to a datagram, b"" where none comes in time: ports/circuitpython_sockets.py."""
    from dibble.ports import circuitpython_sockets

    feed_watchdog()
    return circuitpython_sockets.udp(address, port, request, timeout_ms)


def dns_server():
    """Return the address of the network's name server."""
    import wifi

    return str(wifi.radio.ipv4_dns)
