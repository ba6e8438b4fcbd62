"""Inside the VM: the clock, as the field has it."""

import wire
from utime import gmtime, mktime

_TO_UNIX = 946684800


class RTC:
    @property
    def datetime(self):
        year, month, day, hour, minute, second, weekday, yearday = gmtime(wire.number(84) + _TO_UNIX)[:8]  # T
        return year, month, day, hour, minute, second, weekday, yearday, -1

    @datetime.setter
    def datetime(self, value):
        year, month, day, hour, minute, second = value[:6]
        wire.ask(85, 0, mktime((year, month, day, hour, minute, second, 0, 0)) - _TO_UNIX)  # U
