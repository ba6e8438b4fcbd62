"""Inside the VM: light sleep. Contacts and their counters don't get through."""

import wire
from alarm import time

import time as clock


def light_sleep_until_alarms(*alarms):
    ms = int(min([alarm.monotonic_time for alarm in alarms]) * 1000) - clock.up_ms()
    if ms > 0:
        wire.ask(90, 0, ms)  # Z
    clock.up_ms()
    return alarms[0]
