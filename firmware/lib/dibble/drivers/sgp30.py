"""SGP30: total volatile organic compounds and equivalent CO2, over I2C.

The part runs by itself once it has been started, and has nothing to say for its first 15 s.
Neither start() nor a new boot of the node interrupts one that runs: what it says tells.
"""

from dibble import SensorError
from dibble.drivers.sensirion import ask

CHANNELS = (("tvoc_ppb", "ppb"), ("eco2_ppm", "ppm"))
SETTINGS = (("address", int, 0x58, 0x58, 0x58),)  # it has no other
# Commands and their longest durations: data sheet, table 10.
FEATURE_SET = b"\x20\x2f"
INIT = b"\x20\x03"
MEASURE = b"\x20\x08"
BASELINE = b"\x20\x15"
SHORT_MS = 10
MEASURE_MS = 12
# Data sheet 6.3: what it answers for its first 15 s (eCO2, TVOC); a second more for the part's own clock.
NOTHING = [400, 0]
WARM_UP_MS = 16000


def build(settings, port, bus):
    return Sgp30(bus, port, settings["address"])


class Sgp30:
    """One sensor.

    Attributes:
        begun_ms: ticks at which the driver started the part; None once it is warm, or if it ran before.
    """

    def __init__(self, bus, port, address):
        self.bus = bus
        self.port = port
        self.address = address
        self.begun_ms = None

    def start(self):
        feature_set = self._ask(FEATURE_SET, SHORT_MS, 1)[0]
        # Product type in the upper 4 bits; version 0x20 is the first sold.
        if feature_set >> 12 or feature_set & 0xFF < 0x20:
            raise SensorError(
                "expected feature set 0x0020 or up at I2C 0x%02x, got 0x%04x" % (self.address, feature_set)
            )
        if not self._measure() and self.begun_ms is None:
            self.bus.write(self.address, INIT)
            self.begun_ms = self.port.ticks_ms()
            self.port.sleep_ms(SHORT_MS)

    def read(self):
        words = self._measure()
        if not words:
            if self.begun_ms is None:
                raise SensorError("expected a started sensor at I2C 0x%02x, got one without a baseline" % self.address)
            raise SensorError("expected a reading at I2C 0x%02x, got a sensor warming up" % self.address)
        return words[1], words[0]

    def _ask(self, command, wait_ms, count):
        return ask(self.bus, self.port, self.address, command, wait_ms, count)

    def _measure(self):
        """Return [eCO2, TVOC], or None if the part has nothing to say yet."""
        words = self._ask(MEASURE, MEASURE_MS, 2)
        if words == NOTHING and self._warming_up():
            return None
        self.begun_ms = None
        # Clean air reads the same as a part that was never started, whose baseline is 0.
        if words == NOTHING and self._ask(BASELINE, SHORT_MS, 2) == [0, 0]:
            return None
        return words

    def _warming_up(self):
        if self.begun_ms is None:
            return False
        # After half a period of the ticks the difference is negative: long warm.
        return 0 <= self.port.ticks_diff(self.port.ticks_ms(), self.begun_ms) < WARM_UP_MS
