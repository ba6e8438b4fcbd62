"""Inside the VM: an alarm by the monotonic clock."""

import time as clock


class TimeAlarm:
    def __init__(self, *, monotonic_time=None, epoch_time=None):
        if (monotonic_time is None) == (epoch_time is None):
            raise ValueError("Supply one of monotonic_time or epoch_time")
        monotonic_time = clock.short_float(monotonic_time)
        if monotonic_time < clock.up_ms() / 1000:
            raise ValueError("Time is in the past.")
        self.monotonic_time = monotonic_time
