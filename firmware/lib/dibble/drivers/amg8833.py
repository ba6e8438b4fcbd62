"""AMG8833 (Grid-EYE): a thermal array of 8 x 8 pixels over I2C, told in a few numbers.

It measures ten times a second by itself. What stands out of the background is what counts: a pixel is good to some
degrees, and to a quarter of one against itself. The first frame after power-on becomes the background: stand aside.
Pixels are numbers of 12 bits in two's complement, in 0.25 C; the thermistor's, in 1/16 C, has a sign and a magnitude.
Source: Panasonic, Infrared Array Sensor Grid-EYE, reference specification: registers and start-up.
"""

from dibble import SensorError
from dibble.drivers.second_try import twice
from dibble.forgetting import start_only
from dibble.inference.crc32 import crc32
from dibble.senses.heat import NONE, Heat, mend
from dibble.senses.heat import channels as channels_of_heat

STUCK_CYCLES = 6  # frames that are the same to the last bit
CHANNELS = (("array_temperature_centi_c", "centi_c"),) + channels_of_heat("centi_c", False)
SETTINGS = (
    ("address", int, 0x68, 0x69, 0x69),
    ("warm_centi_c", int, 50, 5000, 150),  # above the background, from which on a pixel stands out
    ("blocks", bool, 0, 1, False),  # also the most of each of 4 x 4 parts of the frame: for decisions by place
    ("frames", int, 0, 1000, 0),  # each so manyth frame is written to the console, as `collect --frames` wants; 0: none
)
ROWS = COLUMNS = 8
UNIT = "centi_c"
STEP_CENTI_C = 25
LEAST, MOST = -80, 500  # in steps: beyond -20..125 C a pixel is broken
MOST_BROKEN = 8

_NORMAL = b"\x00\x00"
_MODE = b"\x00"
_INITIAL_RESET = b"\x01\x3f"
_TEN_A_SECOND = b"\x02\x00"
_THERMISTOR = b"\x0e"
_PIXELS = b"\x80"
_WAKE_MS = 50  # from power until it takes commands, and from sleep until the next
_FRAMES_MS = 250  # two frames: that in which it was reset isn't whole


def channels(settings):
    """Return the channels that a sensor with these settings gives."""
    return CHANNELS[:1] + channels_of_heat(UNIT, settings["blocks"])


def build(settings, port, bus):
    return Amg8833(bus, port, settings)


class Amg8833:
    """One array.

    Attributes:
        heat: senses.heat.Heat of its frames.
        unit, step: of a pixel's reading, for people: so many of the unit are one of its steps.
        raw: what the last frame was, for who looks whether it changes.
    """

    unit = UNIT
    step = STEP_CENTI_C

    @start_only
    def __init__(self, bus, port, settings):
        self.bus = bus
        self.port = port
        self.address = settings["address"]
        self.frames = settings["frames"]
        self.heat = Heat(ROWS, COLUMNS, (settings["warm_centi_c"] + STEP_CENTI_C - 1) // STEP_CENTI_C)
        self.raw = None
        self._blocks = settings["blocks"]
        self._bytes = bytearray(2 * ROWS * COLUMNS)
        self._two = bytearray(2)

    def start(self):
        self.port.sleep_ms(_WAKE_MS)
        twice(self.bus.write, self.address, _NORMAL)
        self.port.sleep_ms(_WAKE_MS)
        twice(self.bus.write, self.address, _INITIAL_RESET)
        twice(self.bus.write, self.address, _TEN_A_SECOND)
        self.port.sleep_ms(_FRAMES_MS)

    def read(self):
        """Return the readings of channels().

        Raises:
            SensorError: no answer, a sensor that sleeps, numbers of more than 12 bits, too many broken pixels.
        """
        mode = self._word(_MODE) & 255
        if mode:
            raise self._error("normal mode 0x00", "0x%02x" % mode)
        thermistor = self._word(_THERMISTOR)
        if thermistor > 0xFFF:
            raise self._error("a thermistor of 12 bits", "0x%04x" % thermistor)
        if thermistor & 0x800:
            thermistor = -(thermistor & 0x7FF)
        twice(self.bus.write_read_into, self.address, _PIXELS, self._bytes)
        self._take()
        self.raw = crc32(self._bytes, len(self._bytes), 0)
        if not self.heat.update():
            raise self._error("pixels", "none")
        own = ((thermistor * 100 + 8) // 16,)
        readings = own + self.heat.tell(STEP_CENTI_C)
        return readings + self.heat.blocks(STEP_CENTI_C) if self._blocks else readings

    def _take(self):
        frame, data = self.heat.frame, self._bytes
        broken = []
        for i in range(ROWS * COLUMNS):
            high = data[2 * i + 1]
            if high > 15:
                raise self._error("pixels of 12 bits", "0x%02x%02x" % (high, data[2 * i]))
            value = high << 8 | data[2 * i]
            if value & 0x800:
                value -= 0x1000
            if LEAST <= value <= MOST:
                frame[i] = value
            else:
                frame[i] = NONE
                broken.append(i)
        if len(broken) > MOST_BROKEN:
            raise self._error("pixels of -20 to 125 C, but for %d at most" % MOST_BROKEN, "%d others" % len(broken))
        mend(frame, COLUMNS, broken)

    def _word(self, register):
        twice(self.bus.write_read_into, self.address, register, self._two)
        return self._two[1] << 8 | self._two[0]

    def _error(self, wanted, got):
        return SensorError("expected %s at I2C 0x%02x, got %s" % (wanted, self.address, got))
