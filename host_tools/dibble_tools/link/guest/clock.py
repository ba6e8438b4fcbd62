"""Run on the board: its calendar, which nobody else sets."""

import sys


def calendar_set(year, month, day, weekday, hour, minute, second):
    """Set the calendar to a moment in UTC; print the year that it shows then."""
    if sys.implementation.name == "circuitpython":
        import time

        import rtc

        rtc.RTC().datetime = time.struct_time((year, month, day, hour, minute, second, weekday, -1, -1))
        print(rtc.RTC().datetime[0])
    else:
        import machine

        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
        print(machine.RTC().datetime()[0])
