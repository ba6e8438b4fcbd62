"""The minutes in which a gas sensor's readings mean nothing yet."""

from dibble import ConfigError, SensorError
from dibble.forgetting import start_only

MOST_POWER_UP_MS = 60000  # of config.json


class WarmUp:
    """Time since the first look at the clock, added up from look to look, so that ticks may wrap.

    Two looks further apart than half the ticks' period (six days on most boards) count as none.

    Args:
        port: for ticks_ms and ticks_diff.
        pin: its name, for the error.
        duration_s: 0..86400.
    """

    @start_only
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


def refuse_power_pin(settings, why, warm_up_ms=-1):
    """Raise ConfigError where a sensor that has to stay warm has its power switched.

    Args:
        why: begins with the sensor.
        warm_up_ms: what power_up_ms may take instead; -1: nothing helps.
    """
    if settings.get("power_pin", "") == "" or 0 <= warm_up_ms <= settings["power_up_ms"]:
        return
    other = ", or power_up_ms of at least %d" % warm_up_ms if 0 <= warm_up_ms <= MOST_POWER_UP_MS else ""
    raise ConfigError("expected no power_pin%s: %s, got power_pin %s" % (other, why, settings["power_pin"]))


def powered_warm_up_s(settings, why):
    """Return the warm-up to wait for beside the one that power_up_ms is, where the power is switched each time."""
    refuse_power_pin(settings, why, 1000 * settings["warm_up_s"])
    return settings["warm_up_s"] if settings.get("power_pin", "") == "" else 0
