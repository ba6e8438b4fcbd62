"""BME680, BME688 and BME690 over I2C: air temperature, humidity and pressure, then gas resistance with the heater on.

The heater warms the whole sensor, so the cheap reading comes first and on its own; keep a constant cadence.
All settings are written before each measurement: a sensor that lost its power in between measures as before.
With a `profile` it is a small spectrometer: gas resistance at up to ten heater temperatures (bme680_scan.py).
Source: Bosch Sensortec BST-BME680-DS001, sections 3 and 5; bme680_compensation.py and bme690_compensation.py for the
arithmetic.
"""

from dibble import SensorError
from dibble.drivers import bme680_compensation as compensation
from dibble.drivers.second_try import twice
from dibble.forgetting import start_only

CHANNELS = (
    ("air_temperature_centi_c", "centi_c"),
    ("humidity_permille", "permille"),
    ("pressure_pa", "pa"),
    ("gas_resistance_ohm", "ohm"),
)
COSTLY_FROM = 3
STUCK_CYCLES = 36
MAX_STEP = (1000, 400, 1000, 0)
SETTINGS = (
    ("address", int, 0x76, 0x77, 0x77),
    ("heater_c", int, 200, 400, 320),  # the hot plate's, while it measures the gas
    ("heater_ms", int, 0, 4032, 0),  # 0: as the interval asks for, heating_ms()
    ("profile", str, 0, 120, ""),  # a scan: hp354, short, ... or ten steps as 320:5 100:2, C and units of 140 ms
    ("scans", int, 1, 10, 1),  # at each reading, with a profile: the first after a pause differs from the fifth
    ("each", bool, 0, 1, False),  # all of these scans are given; else the last
    ("mode", str, 0, 8, ""),  # of a scan: forced, or parallel, which a BME680 hasn't; "": parallel where there is one
)
# Bosch's answer in BME680_driver issue 4: 150 ms where readings come each 4 s, a second where they come each 5 min.
_SHORT_HEATING_MS = 150
_LONG_HEATING_MS = 1000
_OFTEN_S = 30  # between the two, by their ratio

_TRIM = ((0x8A, 23), (0xE1, 14), (0x00, 5))
_FIELD = b"\x1d"
# Pairs of register and value: gas off; humidity x2, temperature x8, pressure x4, go.
_CHEAP = b"\x70\x08\x71\x00\x75\x00\x72\x02\x74\x8d"
# As Bosch's bme68x_get_meas_dur: wake-up, 14 conversions, switching between them; rounded up.
_CHEAP_MS = 33
_COSTLY_MS = 8  # one conversion, switching, and the gas ADC, beside the heater's time
_POLLS = 20
_POLL_MS = 5


@start_only
def build(settings, port, bus):
    chip = Bme680(bus, port, settings["address"], settings["heater_c"], heating_ms(settings))
    if settings.get("profile"):
        from dibble.drivers.bme680_scan import Scanner

        return Scanner(chip, settings)
    return chip


def channels(settings):
    """Return the channels that a sensor with these settings gives."""
    if not settings.get("profile"):
        return CHANNELS
    from dibble.drivers.bme680_scan import steps_given

    return CHANNELS[:COSTLY_FROM] + steps_given(settings)


def heating_ms(settings):
    """Return how long the heater is on for a reading: what the settings say, or what the node's interval asks for."""
    often = settings.get("interval_s", 600) < _OFTEN_S
    return settings["heater_ms"] or (_SHORT_HEATING_MS if often else _LONG_HEATING_MS)


class Bme680:
    """See SETTINGS.

    Attributes:
        raw: what the converter made of pressure, temperature and humidity at the last cheap reading.
        wait: waits for so many ms; None: as the port does.
        ambient_centi_c: air temperature, as last measured.
        variant: 0 is a BME680, 1 a BME688, 2 a BME690.
        formulas, trim: its arithmetic, and what the factory measured.
        fresh: nothing was heated since the reset.
    """

    @start_only
    def __init__(self, bus, port, address, heater_c, heater_ms):
        self.bus = bus
        self.port = port
        self.address = address
        self._heater_c = heater_c
        self._heater_ms = heater_ms
        self.ambient_centi_c = 2500  # until the first reading
        self.raw = None
        self.wait = None
        self.variant = 0
        self.formulas = compensation
        self.trim = None
        self.fresh = True  # nothing was heated since the reset
        self.field = bytearray(17)

    def start(self):
        """Reset the sensor, check that it is one, read its trim."""
        twice(self._start)

    def _start(self):
        self.trim = None
        self.fresh = True
        self.bus.write(self.address, b"\xe0\xb6")
        self.port.sleep_ms(10)
        chip_id = self._registers(0xD0, 1)[0]
        if chip_id != 0x61:
            raise self.error("chip id 0x61", "0x%02x" % chip_id)
        self.variant = self._registers(0xF0, 1)[0]
        if self.variant > 2:
            raise self.error("variant 0 (BME680), 1 (BME688) or 2 (BME690)", "%d" % self.variant)
        if self.variant == 2:
            from dibble.drivers import bme690_compensation

            self.formulas = bme690_compensation
        self.trim = self.formulas.trim_of(b"".join([self._registers(*part) for part in _TRIM]))

    def read_cheap(self):
        """Return air temperature in centi_c, humidity in permille (halves up) and pressure in Pa, with the heater off.

        Raises:
            SensorError: no answer, not ready in time, or a value out of the sensor's range; twice each.
        """
        return twice(self._read_cheap)

    def _read_cheap(self):
        field = self.measure(_CHEAP, _CHEAP_MS)
        centi_c, pa, permille = self.formulas.air_of(field, self.trim)
        self._checked(centi_c, -4000, 8500, "centi_c")
        self._checked(pa, 30000, 110000, "Pa")
        self.ambient_centi_c = centi_c
        self.raw = bytes(field[2:10])
        return centi_c, permille, pa

    def read_costly(self):
        """Return the gas resistance in ohm, after heating for heater_ms; the last cheap reading is the ambient.

        Raises:
            SensorError: as read_cheap, or the heater didn't reach its temperature.
        """
        return twice(self._read_costly)

    def _read_costly(self):
        code = compensation.heater_code(self._heater_c, self.ambient_centi_c // 100, self.started()[3])
        time = compensation.heater_time_code(self._heater_ms)
        run = 0x20 if self.variant else 0x10
        # Heater's target and time, heater and gas on; temperature x1 alone, go.
        settings = bytes((0x5A, code, 0x64, time, 0x70, 0, 0x71, run, 0x75, 0, 0x72, 0, 0x74, 0x21))
        field = self.measure(settings, self._heater_ms + _COSTLY_MS)
        at = 15 if self.variant else 13
        status = field[at + 1]
        if not status & 0x20:
            raise self.error("a valid gas reading", "none (status 0x%02x)" % status)
        fresh = self.fresh
        self.fresh = False
        if not status & 0x10:
            if fresh:  # no first reading after a reset is stable: Adafruit_BME680 issue 43
                return self._read_costly()
            raise self.error("a heater stable at %d C" % self._heater_c, "an unstable one in %d ms" % self._heater_ms)
        adc = field[at] << 2 | status >> 6
        if self.variant:
            return (compensation.gas_high_ohm(adc, status & 15),)
        return (compensation.gas_low_ohm(adc, status & 15, self.trim[3]),)

    def started(self):
        if not self.trim:
            raise self.error("a started sensor", "none")
        return self.trim

    def measure(self, settings, ms):
        """Write the settings, the last of which starts a measurement, and return its field once it is there."""
        self.started()
        self.bus.write(self.address, settings)
        (self.wait or self.port.sleep_ms)(ms)
        for _ in range(_POLLS):
            self.bus.write_read_into(self.address, _FIELD, self.field)
            if self.field[0] & 0xE0 == 0x80:  # new data, neither measuring nor measuring gas
                return self.field
            self.port.sleep_ms(_POLL_MS)
        raise self.error("new data within %d ms" % (ms + _POLLS * _POLL_MS), "status 0x%02x" % self.field[0])

    def _checked(self, value, low, high, unit):
        if not low <= value <= high:
            raise self.error("%d..%d %s" % (low, high, unit), "%d" % value)

    def _registers(self, register, size):
        buffer = bytearray(size)
        self.bus.write_read_into(self.address, bytes((register,)), buffer)
        return buffer

    def error(self, expected, got):
        return SensorError("expected %s at I2C 0x%02x, got %s" % (expected, self.address, got))
