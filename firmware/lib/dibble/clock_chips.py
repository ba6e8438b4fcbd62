"""Clocks with a battery of their own over I2C: their registers, and what date these hold. UTC, 2000 to 2099.

DS3231, data sheet 19-5170 revision 10: "Clock and Calendar" with figure 1, and under "Special-Purpose Registers"
"Control Register (0Eh)" and "Status Register (0Fh)".
PCF8563, data sheet revision 11: 8.2 with table 4 (registers), 8.3.1 (Control_status_1), 8.4 (time and date),
8.5 (in one access, within a second), 8.10 (STOP).
"""

from dibble import SensorError
from dibble.ports.shared import DAY_S, FIRST_DAY, day_number

_SATURDAY = 6  # 2000-01-01, where Sunday is 0
_STARTS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)  # of the months in a year of 365 days


def from_bcd(byte):
    """Return the number that two decimal digits in a byte say.

    Raises:
        SensorError: they aren't digits.
    """
    if byte >> 4 > 9 or byte & 15 > 9:
        raise SensorError("expected two decimal digits, got 0x%02x" % byte)
    return (byte >> 4) * 10 + (byte & 15)


def to_bcd(number):
    return (number // 10 << 4) + number % 10


def year_month_day(day):
    """Return the date so many days after 2000-01-01, before 2100: each fourth year has a leap day."""
    year, left = 4 * (day // 1461), day % 1461
    if left > 365:
        left -= 366
        year += 1 + left // 365
        left %= 365
    leap = year % 4 == 0
    if leap and left == 59:
        return 2000 + year, 2, 29
    if leap and left > 59:
        left -= 1
    month = 12
    while _STARTS[month - 1] > left:
        month -= 1
    return 2000 + year, month, left - _STARTS[month - 1] + 1


def _moment(second, minute, hour, date, month, year):
    """Return (days since 2000-01-01, seconds since midnight) of registers without their flags.

    Raises:
        SensorError: they hold no date, or one before 2024.
    """
    shown = (second, minute, hour, date, month, year)
    second, minute, hour, date, month, year = [from_bcd(byte) for byte in shown]
    day = day_number(2000 + year, max(1, month), date)
    if second > 59 or minute > 59 or hour > 23 or year_month_day(day) != (2000 + year, month, date) or day < FIRST_DAY:
        text = "20%02x-%02x-%02x %02x:%02x:%02x" % tuple(reversed(shown))
        raise SensorError("expected a time from 2024 on, got %s: set it" % text)
    return day, hour * 3600 + minute * 60 + second


class _Chip:
    """One chip; ADDRESS, SIZE: where it is, and how many registers read() asks for, from 0 on."""

    def __init__(self, bus):
        self._bus = bus

    def read(self):
        """Return (days since 2000-01-01, seconds since midnight); one access, so that nothing carries in between.

        Raises:
            SensorError: it doesn't answer, its supply failed since it was set, or it holds no date.
        """
        registers = bytearray(self.SIZE)
        self._bus.write_read_into(self.ADDRESS, b"\x00", registers)
        if self._has_failed(registers):
            raise SensorError("expected a clock that kept going, got one that stood still: set it, look at its battery")
        return self._moment_of(registers)


class Ds3231(_Chip):
    """A DS3231, which a crystal at a measured temperature keeps within 2 ppm."""

    ADDRESS = 0x68
    SIZE = 16

    def _has_failed(self, registers):
        return registers[15] & 0x80  # OSF

    def _moment_of(self, registers):
        hour = registers[2]
        if hour & 0x40:  # counts to 12, with a bit for p.m.
            hour = to_bcd(from_bcd(hour & 0x1F) % 12 + (12 if hour & 0x20 else 0))
        year, month = registers[6], registers[5] & 0x1F  # less the century's bit
        return _moment(registers[0] & 0x7F, registers[1] & 0x7F, hour, registers[4] & 0x3F, month, year)

    def write(self, day, second):
        """Set it, and say that it's valid last: a cut in between leaves it invalid if it was.

        Raises:
            SensorError: it doesn't answer.
        """
        year, month, date = year_month_day(day)
        fields = (second % 60, second // 60 % 60, second // 3600, (day + _SATURDAY) % 7 + 1, date, month, year - 2000)
        self._bus.write(self.ADDRESS, bytes([0] + [to_bcd(field) for field in fields]))
        flags = bytearray(2)
        self._bus.write_read_into(self.ADDRESS, b"\x0e", flags)
        # EOSC 0: it goes on without the supply; OSF 0; the alarms' flags stay, as they can only be cleared.
        self._bus.write(self.ADDRESS, bytes([0x0E, flags[0] & 0x7F, flags[1] & 0x7F]))


class Pcf8563(_Chip):
    """A PCF8563, as good as the crystal beside it."""

    ADDRESS = 0x51
    SIZE = 9

    def _has_failed(self, registers):
        return registers[2] & 0x80 or registers[0] & 0x20  # VL, STOP

    def _moment_of(self, registers):
        second, minute, hour, date = registers[2] & 0x7F, registers[3] & 0x7F, registers[4] & 0x3F, registers[5] & 0x3F
        return _moment(second, minute, hour, date, registers[7] & 0x1F, registers[8])

    def write(self, day, second):
        """Set it in one access: stopped before the first register and let go after, VL cleared with the seconds.

        Raises:
            SensorError: it doesn't answer.
        """
        year, month, date = year_month_day(day)
        fields = (second % 60, second // 60 % 60, second // 3600, date, (day + _SATURDAY) % 7, month, year - 2000)
        self._bus.write(self.ADDRESS, bytes([0, 0x20]))
        self._bus.write(self.ADDRESS, bytes([2] + [to_bcd(field) for field in fields]))
        self._bus.write(self.ADDRESS, bytes([0, 0]))


def chip_named(name, bus):
    return (Pcf8563 if name == "pcf8563" else Ds3231)(bus)


def apart_s(one, other):
    """Return by how many seconds two moments differ, a day at most."""
    days = one[0] - other[0]
    return min(DAY_S, abs(max(-2, min(2, days)) * DAY_S + one[1] - other[1]))
