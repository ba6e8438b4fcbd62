"""Inside the VM: CircuitPython's `time` in the field's virtual time.

monotonic() is a float of 30 bits, as on boards: 22 of precision. DIBBLE_UPTIME_S in the host's
environment is what it begins at.
"""

import wire
from uos import getenv
from utime import gmtime
from ustruct import pack, unpack, unpack_from

_PERIOD = 1 << 30
handlers = {}  # pin number -> what a contact calls as it changes, with whether it is closed
streams = []  # what is called as time has passed: memory that the hardware writes to
_up_ms = int(getenv("DIBBLE_UPTIME_S") or 0) * 1000
_seen = None


def up_ms():
    """Return the exact ms since power-on."""
    global _up_ms, _seen
    if _seen is not None:
        _up_ms += (wire.ticks - _seen) % _PERIOD
    _seen = wire.ticks
    return _up_ms


def short_float(value):
    """Return a float as CircuitPython's objects hold it: a read fills its two missing bits with those before them."""
    bits = unpack("<I", pack("<f", value))[0]
    return unpack("<f", pack("<I", bits & 0xFFFFFFFC | bits >> 2 & 3))[0]


def localtime(seconds):
    """Return a struct_time; this clock knows no time zones."""
    year, month, day, hour, minute, second, weekday, yearday = gmtime(seconds)[:8]
    return year, month, day, hour, minute, second, weekday, yearday, -1


def monotonic():
    return short_float(up_ms() / 1000)


def sleep(seconds):
    ms = int(1000 * short_float(seconds) + 0.5)
    if ms < 0:
        raise ValueError("seconds must be >= 0")
    up_ms()
    status = wire.ask(83, 0, ms)  # S
    while status:
        handler = handlers.get(status - 1)
        if handler:
            now = wire.ticks
            for at in range(0, wire.size, 4):  # each change in its own moment
                word = unpack_from("<I", wire.data, at)[0]
                wire.ticks = word >> 1
                handler(word & 1)
            wire.ticks = now
        status = wire.ask(83, 1)  # go on
    up_ms()
    for stream in streams:
        stream()
