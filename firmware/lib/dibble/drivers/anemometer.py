"""A cup anemometer that closes a contact once a turn: mean speed and gust."""

from dibble import SensorError
from dibble.drivers.proportion import proportion
from dibble.forgetting import start_only

CHANNELS = (("wind_speed_cm_s", "cm_s"), ("wind_gust_cm_s", "cm_s"))
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("mm_s_per_hz", int, 1, 2000, 667),  # SEN-15901: 2.4 km/h at one closure a second
    ("lockout_ms", int, 1, 50, 4),  # a contact bounces for some milliseconds; 150 km/h is 16 ms a turn
    ("pull_up", bool, 0, 1, True),  # False: a resistor from the pin to the supply, for pins that have none of their own
    ("gust_ms", int, 500, 10000, 3000),  # a gust is the highest mean over 3 s (WMO-No. 8, Guide to Instruments)
    ("gusts", int, 1, 20, 2),  # windows a reading takes
)
FASTEST_CM_S = 7500


@start_only
def build(settings, port, bus):
    return Anemometer(port, settings)


def speed_cm_s(closures, mm_s_per_hz, duration_ms):
    """Return the mean speed over a duration.

    Args:
        closures: 0..200,000, ten seconds twenty times with the shortest lockout.
        mm_s_per_hz: 1..2000, so the product stays below 2**29.
        duration_ms: 500..200,000.
    """
    return proportion(closures * mm_s_per_hz, 100, duration_ms)


class Anemometer:
    """See SETTINGS."""

    @start_only
    def __init__(self, port, settings):
        self.port = port
        self.settings = settings
        self.pulses = port.pulses(settings["pin"], settings["lockout_ms"], settings["pull_up"])

    def start(self):
        """Nothing to wake: the contact counts by interrupt."""

    def read(self):
        settings = self.settings
        mm_s_per_hz = settings["mm_s_per_hz"]
        gust_ms = settings["gust_ms"]
        total = 0
        most = 0
        self.pulses.take()  # those since the last reading
        for _ in range(settings["gusts"]):
            self.port.sleep_ms(gust_ms)
            closures = self.pulses.take()
            total += closures
            most = max(most, closures)
        gust_cm_s = speed_cm_s(most, mm_s_per_hz, gust_ms)
        if gust_cm_s > FASTEST_CM_S:
            raise SensorError(
                "expected wind of at most %d cm/s at pin %s, got %d: a bouncing contact?"
                % (FASTEST_CM_S, settings["pin"], gust_cm_s)
            )
        return (speed_cm_s(total, mm_s_per_hz, gust_ms * settings["gusts"]), gust_cm_s)
