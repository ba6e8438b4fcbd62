"""Run on the board: its calendar, which nobody else sets, and the clock chip that its config.json names."""

import sys


def calendar_set(year, month, day, weekday, hour, minute, second):
    """Set the calendar to a moment in UTC; print the year that it shows then."""
    set_chip(year, month, day, 3600 * hour + 60 * minute + second)
    if sys.implementation.name == "circuitpython":
        import time

        import rtc

        rtc.RTC().datetime = time.struct_time((year, month, day, hour, minute, second, weekday, -1, -1))
        print(rtc.RTC().datetime[0])
    else:
        import machine

        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
        print(machine.RTC().datetime()[0])


def set_chip(year, month, day, second):
    """Set the node's clock chip, by which it goes from its next start on; what fails is told by the node then."""
    try:
        import json

        with open("config.json") as file:
            config = json.load(file)
        name = config.get("clock", {}).get("chip")
        if not name:
            return
        from dibble.clock_chips import chip_named
        from dibble.ports.shared import day_number

        if sys.implementation.name == "circuitpython":
            from dibble.ports import circuitpython as port
        else:
            from dibble.ports import micropython as port
        wiring = config["i2c"]
        bus = port.i2c(wiring["sda"], wiring["scl"], wiring.get("frequency_hz", 100000))
        chip_named(name, bus).write(day_number(year, month, day), second)
    except Exception:  # no configuration, no firmware yet, no chip
        pass
