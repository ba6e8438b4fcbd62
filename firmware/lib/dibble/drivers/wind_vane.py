"""A wind vane of sixteen resistances (SparkFun SEN-15901) under a pull-up to the supply."""

import sys
from array import array

from dibble import ConfigError, SensorError
from dibble.drivers.analog_input import AnalogInput
from dibble.drivers.proportion import proportion
from dibble.forgetting import start_only

CHANNELS = (("wind_direction_deg", "deg"),)
SETTINGS = (
    ("pin", (int, str), 0, 255, None),
    ("pull_up_ohm", int, 1000, 100000, 10000),  # from the pin to the supply; 15000 on an ESP32, 22000 on a C3, S2 or S3
    ("supply_mv", int, 1000, 5500, 3300),  # over the pull-up
    ("samples", int, 3, 64, 16),
)
# Data sheet of the SEN-15901, wind vane: resistance, rising, and its sixteenth of a turn clockwise from north.
OHM = (688, 891, 1000, 1410, 2200, 3140, 3900, 6570, 8200, 14120, 16000, 21880, 33000, 42120, 64900, 120000)
# An ESP32 at 11 dB measures from 0.15 to 2.45 V (its data sheet, ADC characteristics). Its read_uv() says 142 mV for
# all that is less (Espressif's esp_adc_cal, and esp-idf#1739); above 2.45 V some parts are trimmed and some
# read less of it. 15 kohm keep all directions apart: the lowest is at 145 mV, and the two highest, at 2.68 and 2.93 V,
# stay apart either way. With 22 kohm three of them, around east, share the floor.
BENT = getattr(sys.implementation, "_machine", "").endswith(" with ESP32")
BENT_UV = 2450000
HIGHEST_UV = 2720000  # of the last but one: above that it reads like the last
FLOOR_UV = 142000
SIXTEENTHS = b"\x05\x03\x04\x07\x06\x09\x08\x01\x02\x0b\x0a\x0f\x00\x0d\x0e\x0c"


@start_only
def build(settings, port, bus):
    return WindVane(port, settings)


def direction_deg(uv, table_uv, bent=False):
    """Return the direction, 0..337 in steps of 22.5 rounded down, whose voltage is nearest.

    Args:
        uv: the reading.
        table_uv: the sixteen voltages, rising, as in OHM.
        bent: of an ESP32's converter, whose floor may hide the lowest, and which may read less of the highest.
    Returns:
        None when the reading is beyond the lowest or highest by more than half the gap to its neighbour.
    """
    too_low = 2 * (table_uv[0] - uv) > table_uv[1] - table_uv[0] and not (bent and table_uv[0] < FLOOR_UV)
    if too_low or 2 * (uv - table_uv[15]) > table_uv[15] - table_uv[14]:
        return None
    i = 0
    while i < 15 and uv >= _between(table_uv[i], table_uv[i + 1], bent):
        i += 1
    return SIXTEENTHS[i] * 45 >> 1


def table_of(settings):
    """Return the sixteen voltages at the pin, rising, as in OHM."""
    supply_uv = 1000 * settings["supply_mv"]
    return array("i", [proportion(ohm, supply_uv, ohm + settings["pull_up_ohm"]) for ohm in OHM])


def check_on_esp32(settings, table_uv):
    """Raise ConfigError where the pull-up leaves directions outside of what an ESP32 measures."""
    if table_uv[14] > HIGHEST_UV or table_uv[2] < FLOOR_UV:
        raise ConfigError(
            "expected pull_up_ohm of 14000 to 22000, best 15000, and such a resistor, at pin %s: an ESP32 measures "
            "from 0.15 to 2.45 V; got %d" % (settings["pin"], settings["pull_up_ohm"])
        )


def _between(low_uv, high_uv, bent):
    """Return from where on a reading is the higher one."""
    middle_uv = (low_uv + high_uv + 1) >> 1
    if bent and middle_uv > BENT_UV:
        middle_uv -= (middle_uv - BENT_UV) // 5
    return middle_uv


class WindVane:
    """See SETTINGS."""

    @start_only
    def __init__(self, port, settings):
        self.settings = settings
        self.raw = None
        self.input = AnalogInput(port, settings["pin"], settings["samples"])
        self.table_uv = table_of(settings)
        if BENT:
            check_on_esp32(settings, self.table_uv)

    def start(self):
        """Nothing to wake: the pull-up always conducts."""

    def read(self):
        pin = self.settings["pin"]
        uv = self.input.steady_uv()
        self.raw = self.input.raw
        deg = direction_deg(uv, self.table_uv, BENT)
        if deg is None:
            raise SensorError(
                "expected %d to %d mV of a wind vane at pin %s, got %d mV: unplugged or shorted?"
                % (self.table_uv[0] // 1000, self.table_uv[15] // 1000, pin, uv // 1000)
            )
        return (deg,)
