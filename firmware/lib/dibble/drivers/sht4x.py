"""SHT40, SHT41, SHT43 and SHT45: temperature and humidity of the air, over I2C."""

from dibble.drivers.sensirion import AirSensor, ask, tell
from dibble.forgetting import start_only
from dibble.inference.fixed_point import divide

CHANNELS = (("air_temperature_centi_c", "centi_c"), ("humidity_permille", "permille"))
STUCK_CYCLES = 36
MAX_STEP = (1000, 400)
SETTINGS = (("address", int, 0x44, 0x46, 0x44),)

# Data sheet, command overview and timings: the longest that a command takes, rounded up.
MEASURE = b"\xfd"  # high precision
SERIAL = b"\x89"
RESET = b"\x94"
MEASURE_MS = 10
SHORT_MS = 2


@start_only
def build(settings, port, bus):
    return Sht4x(bus, port, settings["address"])


def humidity_permille(raw):
    """Return the nearest to -6 % + 125 % * raw : 65535, kept within 0 and 100 %.

    Source: data sheet, conversion of signal output. 1250 : 65535 is 250 : 13107; the product stays
    below 2**24, and an odd divisor leaves no ties.
    """
    return min(max(divide(raw * 250, 13107) - 60, 0), 1000)


class Sht4x(AirSensor):
    """One sensor."""

    @start_only
    def __init__(self, bus, port, address):
        AirSensor.__init__(self, bus, port, address, MEASURE, MEASURE_MS, humidity_permille)

    def start(self):
        tell(self.bus, self.port, self.address, RESET, SHORT_MS)
        # The serial number has no fixed part: its CRCs tell that the part knows this command.
        ask(self.bus, self.port, self.address, SERIAL, SHORT_MS, 2)
