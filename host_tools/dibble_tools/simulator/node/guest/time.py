"""Inside the VM: `time` in the field's virtual time. Boards count from the year 2000 and wrap their ticks at 2**30."""

import wire
from ustruct import unpack_from
from utime import gmtime as _gmtime
from utime import localtime, mktime

_PERIOD = 1 << 30
_TO_UNIX = 946684800
handlers = {}  # pin -> what an interrupt calls
filled = None  # what a stream calls when what it was asked for is there
levels = {}  # pin -> its level at its last interrupt


def sleep_ms(ms):
    status = wire.ask(83, 0, ms)  # S
    while status:
        if status == wire.INTERRUPTED:
            raise KeyboardInterrupt
        handler = handlers.get(status - 1)
        if status == wire.FILLED:
            filled()
        elif handler:
            now = wire.ticks
            for at in range(0, wire.size, 4):  # each in its own moment
                word = unpack_from("<I", wire.data, at)[0]
                wire.ticks = word >> 1
                levels[status - 1] = ~word & 1
                handler(status - 1)
            wire.ticks = now
        status = wire.ask(83, 1)  # go on


def sleep(seconds):
    sleep_ms(int(seconds * 1000))


def sleep_us(us):
    sleep_ms((us + 999) // 1000)


def ticks_ms():
    return wire.ticks


def ticks_us():
    return wire.ticks * 1000 % _PERIOD


def ticks_diff(newer, older):
    half = _PERIOD >> 1
    return (newer - older + half) % _PERIOD - half


def ticks_add(ticks, delta):
    return (ticks + delta) % _PERIOD


def time():
    return wire.number(84)  # T


def gmtime(seconds=None):
    return _gmtime((time() if seconds is None else seconds) + _TO_UNIX)
