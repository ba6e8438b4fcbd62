"""SHT30, SHT31 and SHT35: temperature and humidity of the air, or of the air at a leaf, over I2C."""

from dibble import SensorError
from dibble.drivers.sensirion import AirSensor, ask, tell
from dibble.forgetting import start_only
from dibble.inference.fixed_point import divide

CHANNELS = (("air_temperature_centi_c", "centi_c"), ("humidity_permille", "permille"))
STUCK_CYCLES = 36
MAX_STEP = (1000, 400)
SETTINGS = (("address", int, 0x44, 0x45, 0x44),)

# Data sheet 2, 4.3, 4.8 to 4.11: the longest that a command takes, rounded up.
MEASURE = b"\x24\x00"  # single shot, high repeatability, no clock stretching
BREAK = b"\x30\x93"  # ends periodic measurements, in which the part acknowledges nothing else
RESET = b"\x30\xa2"
HEATER_OFF = b"\x30\x66"
STATUS = b"\xf3\x2d"
MEASURE_MS = 16
SHORT_MS = 2
# Status, data sheet 4.11: heater, reset detected, last command and last checksum refused. After a reset
# only the second of them is set.
CHECKED = 0x2013
RESET_DETECTED = 0x0010


@start_only
def build(settings, port, bus):
    return Sht3x(bus, port, settings["address"])


def humidity_permille(raw):
    """Return the nearest to 100 % * raw : 65535.

    Source: data sheet 4.13. 1000 : 65535 is 200 : 13107; the product stays below 2**24, and an odd
    divisor leaves no ties.
    """
    return divide(raw * 200, 13107)


class Sht3x(AirSensor):
    """One sensor in single-shot mode."""

    @start_only
    def __init__(self, bus, port, address):
        AirSensor.__init__(self, bus, port, address, MEASURE, MEASURE_MS, humidity_permille)

    def start(self):
        # Other firmware may have left the part in periodic mode (libdriver/sht35 issue 8), and some boards come up
        # with the heater on (esphome issue 1465).
        for command in (BREAK, RESET, HEATER_OFF):
            tell(self.bus, self.port, self.address, command, SHORT_MS)
        status = ask(self.bus, self.port, self.address, STATUS, SHORT_MS, 1)[0]
        if status & CHECKED != RESET_DETECTED:
            raise SensorError(
                "expected status 0x%04x in bits 0x%04x at I2C 0x%02x, got 0x%04x"
                % (RESET_DETECTED, CHECKED, self.address, status)
            )
