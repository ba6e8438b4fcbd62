"""BME680 and BME688 through Adafruit's library, for CircuitPython boards that have it in /lib anyway.

The bus must have `raw`, the runtime's own I2C object (`busio.I2C`). This is the one driver where floats arrive; they
become ints here. The library doesn't say whether the heater got stable, heats for an ambient of 25 C, and takes H1 from
the other half of register 0xE2: humidity is up to 3.4 % away from Bosch's. It waits for ever for a sensor that hangs,
so that nothing is asked twice. Prefer `bme680`.
"""

from dibble import SensorError
from dibble.drivers.bme680 import CHANNELS, COSTLY_FROM, SETTINGS, heating_ms  # noqa: F401
from dibble.forgetting import start_only


@start_only
def build(settings, port, bus):
    return Bme680Adafruit(bus, settings["address"], settings["heater_c"], heating_ms(settings))


class Bme680Adafruit:
    @start_only
    def __init__(self, bus, address, heater_c, heater_ms):
        self._bus = bus
        self._address = address
        self._heater_c = heater_c
        self._heater_ms = heater_ms
        self._sensor = None
        self._fresh = True

    def start(self):
        self._sensor = None
        self._fresh = True
        try:
            from adafruit_bme680 import Adafruit_BME680_I2C
        except ImportError:
            raise SensorError("expected the library adafruit_bme680 in /lib, got none")
        # Of a negative rate the library never gives the reading before: not even where monotonic() has become coarse.
        self._sensor = self._asked(lambda: Adafruit_BME680_I2C(self._bus.raw, self._address, refresh_rate=-1))

    def read_cheap(self):
        """Return air temperature in centi_c, humidity in permille and pressure in Pa, with the heater off."""
        sensor = self._heated(None, None)
        return self._asked(
            lambda: (_nearest(sensor.temperature, 100), _nearest(sensor.humidity, 10), _nearest(sensor.pressure, 100))
        )

    def read_costly(self):
        """Return the gas resistance in ohm."""
        sensor = self._heated(self._heater_c, self._heater_ms)
        if self._fresh:  # the first reading after a reset isn't stable, which the library doesn't say
            self._asked(lambda: sensor.gas)
            self._fresh = False
        return (self._asked(lambda: sensor.gas),)

    def _heated(self, heater_c, heater_ms):
        """Return the sensor with its heater set, or off."""
        if not self._sensor:
            raise self._error("none started")
        if not self._asked(lambda: self._sensor.set_gas_heater(heater_c, heater_ms)):
            raise self._error("no answer")
        return self._sensor

    def _asked(self, question):
        """Return the answer of the library, whose errors are of several kinds."""
        try:
            return question()
        except (OSError, RuntimeError, ValueError, ZeroDivisionError) as error:
            raise self._error(error)

    def _error(self, got):
        return SensorError("expected a BME680 at I2C 0x%02x, got %s" % (self._address, got))


def _nearest(value, factor):
    """Return the int nearest to a float times a factor."""
    twice = int(value * (2 * factor))
    return (twice + 1 if twice >= 0 else twice) // 2
