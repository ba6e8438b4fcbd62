"""What both ports say alike."""

from dibble import SensorError

FIRST_YEAR = 2024  # a clock that shows an earlier one was never set
FIRST_DAY = 8766  # since 2000
DAY_S = 86400
OFF_TRIES = 3  # to switch a radio off whose driver raises

END_STEPS = 65500  # of an analog converter's 65535: the last three of 4096 codes


def day_number(year, month, day):
    """Return the days from 2000-01-01 to a date of the Gregorian calendar, year >= 2000."""
    if month < 3:  # a year begins in March: the leap day is its last
        year -= 1
        month += 12
    year -= 2000
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day + 59


def silent(address, error):
    """Return the error of a device that doesn't answer."""
    return SensorError("expected an answer at I2C 0x%02x, got %r: check wiring and power" % (address, error))


class Clock:
    """The node's time, by the ticks from power-on on: they go on where the calendar stands still (micropython#16519).

    Ask it often enough to see each wrap of the ticks: once in three days.

    Args:
        ticks_ms, ticks_diff: the port's.
        calendar: calendar() -> year, month, day, hour, minute, second, UTC.
    """

    def __init__(self, ticks_ms, ticks_diff, calendar):
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._calendar = calendar
        self._last = ticks_ms()
        self._up_ms = 0
        self._up_s = 0  # apart: their sum in ms would leave 31 bits in 12 days
        self._start = None  # day and second of power-on; None: nobody has set the calendar yet

    def up_s(self):
        """Return the seconds since power-on."""
        now = self._ticks_ms()
        self._up_ms += max(0, self._ticks_diff(now, self._last))
        self._last = now
        self._up_s += self._up_ms // 1000
        self._up_ms %= 1000
        return self._up_s

    def date(self):
        """Return (days since 2000-01-01, seconds since midnight); before 2024: the time since power-on, as both."""
        up_s = self.up_s()
        if self._start is None:
            year, month, day, hour, minute, second = self._calendar()
            if year < FIRST_YEAR:
                return up_s // DAY_S, up_s % DAY_S
            self.set(day_number(year, month, day), hour * 3600 + minute * 60 + second)
        day, second = self._start
        second += up_s % DAY_S
        return day + up_s // DAY_S + second // DAY_S, second % DAY_S

    def set(self, day, second):
        """Take this for the time of now, UTC."""
        up_s = self.up_s()
        second -= up_s % DAY_S
        self._start = day - up_s // DAY_S + second // DAY_S, second % DAY_S

    def is_set(self):
        """Tell whether date() is one."""
        return self.date()[0] >= FIRST_DAY


class NoOutput:
    """A pin of air."""

    def set(self, value):
        pass
