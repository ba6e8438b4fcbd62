"""What both ports say alike."""

from dibble import SensorError
from dibble.storage.record import day_number

FIRST_YEAR = 2024  # a clock that shows an earlier one was never set

END_STEPS = 65500  # of an analog converter's 65535: the last three of 4096 codes


def silent(address, error):
    """Return the error of a device that doesn't answer."""
    return SensorError("expected an answer at I2C 0x%02x, got %r: check wiring and power" % (address, error))


def date_of(calendar, ticks_ms):
    """Return (days since 2000-01-01, seconds since midnight); day 0: the clock isn't set, seconds of the ticks.

    Args:
        calendar: year, month, day, hour, minute, second.
    """
    year, month, day, hour, minute, second = calendar
    if year < FIRST_YEAR:
        return 0, ticks_ms // 1000
    return day_number(year, month, day), hour * 3600 + minute * 60 + second


class NoOutput:
    """A pin of air."""

    def set(self, value):
        pass
