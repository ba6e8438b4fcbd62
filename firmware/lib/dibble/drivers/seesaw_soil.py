"""Adafruit's STEMMA soil sensor (4026), a seesaw over I2C: moisture by touch capacitance, and temperature.

The facts are those of adafruit/seesaw's firmware: it acknowledges nothing while it works on a command,
and sends 0xFF for bytes that it doesn't have.
"""

from dibble import ConfigError, SensorError
from dibble.forgetting import start_only
from dibble.inference.fixed_point import divide

CHANNELS = (("soil_moisture_permille", "permille"), ("soil_temperature_centi_c", "centi_c"))
# probe_curve: touch in dry and in saturated soil.
STUCK_CYCLES = 36
MAX_STEP = (150, 1000)
SETTINGS = (
    ("address", int, 0x36, 0x39, 0x36),
    ("probe_curve", [int], 2, 2, [320, 1015]),  # [its count in dry soil, in saturated soil]
)

HARDWARE_ID = b"\x00\x01"
TEMPERATURE = b"\x00\x04"
RESET = b"\x00\x7f\xff"
TOUCH = b"\x0f\x10"
RESET_MS = 500
WAITS_MS = (5, 10, 20, 40)  # of the tries, one after the other
# SAMD09 and SAMD10; ATtiny806, 807, 816, 817, 1616, 1617.
HARDWARE_IDS = b"\x55\x84\x85\x86\x87\x88\x89"
TOUCH_LIMIT = 4095


@start_only
def build(settings, port, bus):
    dry, wet = settings["probe_curve"]
    if type(dry) is not int or type(wet) is not int or not 0 <= dry < wet <= TOUCH_LIMIT:
        raise ConfigError("expected probe_curve [dry, wet] rising in 0..%d, got [%s, %s]" % (TOUCH_LIMIT, dry, wet))
    return SeesawSoil(bus, port, settings["address"], (dry, wet))


def soil_moisture_permille(touch, dry, wet):
    """Return the place of `touch` between dry (0) and wet (1000), halves toward +infinity.

    A touch of at most 12 bits keeps the product below 2**22.
    Raises:
        SensorError: touch is more than a quarter of the span outside; up to that it is clamped.
    """
    span = wet - dry
    if max(dry - touch, touch - wet) * 4 > span:
        raise SensorError("expected touch %d..%d, give or take 1:4, got %d" % (dry, wet, touch))
    return min(max(divide((touch - dry) * 1000, span), 0), 1000)


def soil_temperature_centi_c(data):
    """Return a signed 16.16 fixed-point temperature, most significant byte first, in hundredths of a degree.

    Halves round toward +infinity. Whole degrees and their fraction are converted apart: no more than
    23 bits each.
    """
    whole = data[0] << 8 | data[1]
    if whole & 0x8000:
        whole -= 0x10000
    return whole * 100 + divide((data[2] << 8 | data[3]) * 100, 65536)


class SeesawSoil:
    """One sensor with its own probe curve.

    Attributes:
        raw: the bytes of the last reading.
    """

    @start_only
    def __init__(self, bus, port, address, probe_curve):
        self.bus = bus
        self.port = port
        self.address = address
        self.probe_curve = probe_curve
        self.raw = None

    def start(self):
        self.bus.write(self.address, RESET)
        self.port.sleep_ms(RESET_MS)
        hardware_id = self._ask(HARDWARE_ID, 1, 0xFF)[0]
        if hardware_id not in HARDWARE_IDS:
            raise self._error("id 0x55 or 0x84..0x89", "0x%02x" % hardware_id)

    def read(self):
        touch = self._ask(TOUCH, 2, TOUCH_LIMIT >> 8)
        moisture = soil_moisture_permille(touch[0] << 8 | touch[1], *self.probe_curve)
        celsius = self._ask(TEMPERATURE, 4, 0xFF)
        temperature = soil_temperature_centi_c(celsius)
        self.raw = touch + celsius
        if not -4000 <= temperature <= 10500:  # what the chip stands
            raise self._error("-4000 to 10500 centi_c", temperature)
        return moisture, temperature

    def _ask(self, command, size, limit):
        """Return `size` bytes of answer; the first may be `limit` at most, and not all of them 0xFF."""
        answer = bytearray(size)
        for wait_ms in WAITS_MS:
            try:
                self.bus.write(self.address, command)
                self.port.sleep_ms(wait_ms)
                self.bus.read_into(self.address, answer)
            except SensorError:
                if wait_ms == WAITS_MS[-1]:
                    raise
                self.port.sleep_ms(wait_ms)
                continue
            # Readings with a wrong upper byte come up now and then: adafruit/Adafruit_Blinka issue 84.
            if answer[0] <= limit and min(answer) < 0xFF:
                return answer
        raise self._error("an answer to 0x%02x%02x" % (command[0], command[1]), bytes(answer))

    def _error(self, expected, got):
        return SensorError("expected %s at I2C 0x%02x, got %s" % (expected, self.address, got))
