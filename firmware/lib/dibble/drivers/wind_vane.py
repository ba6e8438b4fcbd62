"""A wind vane of sixteen resistances (SparkFun SEN-15901) under a pull-up to the supply."""

import sys
from array import array

from dibble import ConfigError, SensorError
from dibble.drivers.analog_input import AnalogInput
from dibble.drivers.proportion import proportion

CHANNELS = (("wind_direction_deg", "deg"),)
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("pull_up_ohm", int, 1000, 100000, 10000),  # from the pin to the supply; an ESP32 needs 18000 to 22000
    ("supply_mv", int, 1000, 5500, 3300),  # over the pull-up
    ("samples", int, 3, 64, 16),
)
# Data sheet of the SEN-15901, wind vane: resistance, rising, and its sixteenth of a turn clockwise from north.
OHM = (688, 891, 1000, 1410, 2200, 3140, 3900, 6570, 8200, 14120, 16000, 21880, 33000, 42120, 64900, 120000)
# An ESP32's converter is true to some 2.45 V: MicroPython's ESP32 reference, class ADC. Its successors' are to 2.9 V.
BENT = getattr(sys.implementation, "_machine", "").endswith(" with ESP32")
BENT_UV = 2450000
NEAR_UV = 150000  # above that neighbours are still told from each other; below 100 mV it reads nothing
SIXTEENTHS = b"\x05\x03\x04\x07\x06\x09\x08\x01\x02\x0b\x0a\x0f\x00\x0d\x0e\x0c"


def build(settings, port, bus):
    return WindVane(port, settings)


def direction_deg(uv, table_uv):
    """Return the direction, 0..337 in steps of 22.5 rounded down, whose voltage is nearest.

    Args:
        uv: the reading.
        table_uv: the sixteen voltages, rising, as in OHM.
    Returns:
        None when the reading is beyond the lowest or highest by more than half the gap to its neighbour.
    """
    if 2 * (table_uv[0] - uv) > table_uv[1] - table_uv[0] or 2 * (uv - table_uv[15]) > table_uv[15] - table_uv[14]:
        return None
    i = 0
    while i < 15 and 2 * uv >= table_uv[i] + table_uv[i + 1]:
        i += 1
    return SIXTEENTHS[i] * 45 >> 1


class WindVane:
    """See SETTINGS."""

    def __init__(self, port, settings):
        self.settings = settings
        self.raw = None
        self.input = AnalogInput(port, settings["pin"], settings["samples"])
        supply_uv = 1000 * settings["supply_mv"]
        self.table_uv = array("i", [proportion(ohm, supply_uv, ohm + settings["pull_up_ohm"]) for ohm in OHM])
        if BENT and self.table_uv[14] > BENT_UV + NEAR_UV:
            raise ConfigError(
                "expected pull_up_ohm of 18000 to 22000, and such a resistor, at pin %s: an ESP32 bends above %d mV; "
                "got %d" % (settings["pin"], BENT_UV // 1000, settings["pull_up_ohm"])
            )

    def start(self):
        """Nothing to wake: the pull-up always conducts."""

    def read(self):
        pin = self.settings["pin"]
        uv = self.input.steady_uv()
        self.raw = self.input.raw
        deg = direction_deg(uv, self.table_uv)
        if deg is None:
            raise SensorError(
                "expected %d to %d mV of a wind vane at pin %s, got %d mV: unplugged or shorted?"
                % (self.table_uv[0] // 1000, self.table_uv[15] // 1000, pin, uv // 1000)
            )
        return (deg,)
