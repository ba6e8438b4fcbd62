"""The minutes in which a gas sensor's readings mean nothing yet."""

from dibble import SensorError


class WarmUp:
    """Time since the first look at the clock, added up from look to look, so that ticks may wrap.

    Two looks further apart than half the ticks' period (six days on most boards) count as none.

    Args:
        port: for ticks_ms and ticks_diff.
        pin: its name, for the error.
        duration_s: 0..86400.
    """

    def __init__(self, port, pin, duration_s):
        self.port = port
        self.pin = pin
        self.left_ms = duration_s * 1000  # at most 86,400,000
        self.seen_ms = None

    def check(self):
        """Raise SensorError while time is left."""
        if self.left_ms <= 0:
            return
        now_ms = self.port.ticks_ms()
        if self.seen_ms is not None:
            self.left_ms -= max(0, self.port.ticks_diff(now_ms, self.seen_ms))
        self.seen_ms = now_ms
        if self.left_ms > 0:
            raise SensorError(
                "expected a warm gas sensor at pin %s, got one warming up: %d min left"
                % (self.pin, (self.left_ms + 59999) // 60000)
            )
