"""MLX90640: a thermal array of 24 rows of 32 pixels over I2C, told in a few numbers, without calibration in floats.

Temperatures take some 40 products and 6 roots of floats a pixel. What stands out of a background doesn't: a pixel is
its raw count times the frame's gain, less its offset, less what it was lately. A degree is some 10 to 20 counts.
A frame comes in two halves, as the fields of a chess board: subpage 0 and 1 in turn, each with its own new-data bit.
Source: Melexis, MLX90640 data sheet, rev. 12: registers, measurement modes, restoring offset and gain; Melexis'
mlx90640-library for the layout of the memory.
"""

from array import array

from dibble import SensorError
from dibble.drivers.second_try import twice
from dibble.forgetting import start_only
from dibble.inference.crc32 import crc32
from dibble.senses.heat import MOST, NONE, Heat, mend
from dibble.senses.heat import channels as channels_of_heat

STUCK_CYCLES = 6  # frames that are the same to the last bit
CHANNELS = channels_of_heat("counts", False)
SETTINGS = (
    ("address", int, 0x08, 0x77, 0x33),
    ("warm_counts", int, 5, 2000, 30),  # above the background, from which on a pixel stands out: some 2 or 3 C
    ("blocks", bool, 0, 1, False),  # also the most of each of 4 x 4 parts of the frame: for decisions by place
    ("frames", int, 0, 1000, 0),  # each so manyth frame is written to the console, as `collect --frames` wants; 0: none
)
ROWS = 24
COLUMNS = 32
UNIT = "counts"
MOST_BROKEN = 4  # the data sheet promises so many at most

_STATUS = b"\x80\x00"
_CONTROL = b"\x80\x0d"
_CLEAR = b"\x80\x00\x00\x10"  # no new data; what comes overwrites what is there
CHESS_4_A_SECOND = 0x1981  # 18 bits, chess pattern, subpages in turn, 4 halves a second
_HALF_MS = 250
_RAM = 0x0400
_GAIN = b"\x07\x0a"
_EEPROM = 0x2400
_SCALES, _ROWS_AT, _COLUMNS_AT, _GAIN_AT, _PIXELS_AT = 0x10, 0x12, 0x18, 0x30, 0x40
_POWER_MS = 80  # from power until it answers
_START_MS = 2 * _HALF_MS  # the first of each half after power-on isn't to be used
_POLL_MS = 10
_POLLS = 4 * _HALF_MS // _POLL_MS
_HALVES = 8  # looked at for two that follow each other
_GAIN_BITS = 12
_NEVER_MEASURED = 0x7FFF


def channels(settings):
    """Return the channels that a sensor with these settings gives."""
    return channels_of_heat(UNIT, settings["blocks"])


def build(settings, port, bus):
    return Mlx90640(bus, port, settings)


class Mlx90640:
    """One array.

    Attributes:
        heat: senses.heat.Heat of its frames.
        unit, step: of a pixel's reading, for people.
        raw: what the last frame was, for who looks whether it changes.
    """

    unit = UNIT
    step = 1

    @start_only
    def __init__(self, bus, port, settings):
        self.bus = bus
        self.port = port
        self.address = settings["address"]
        self.frames = settings["frames"]
        self.heat = Heat(ROWS, COLUMNS, settings["warm_counts"])
        self.raw = None
        self._blocks = settings["blocks"]
        self._row = bytearray(2 * COLUMNS)
        self._two = bytearray(2)
        self._offsets = array("h", [0] * (ROWS * COLUMNS))
        self._broken = []
        self._gain = 0  # 0: its memory hasn't been read

    def start(self):
        """Read what the factory wrote, if that isn't known, and let it measure."""
        self.port.sleep_ms(_POWER_MS)
        if not self._gain:
            self._read_factory()
        self._control()
        self.port.sleep_ms(_START_MS)

    def read(self):
        """Return the readings of channels().

        Raises:
            SensorError: no answer, halves that don't come in turn, a gain or counts that can't be.
        """
        if self._word(_CONTROL) != CHESS_4_A_SECOND:  # it lost its power
            self._control()
            self.port.sleep_ms(_START_MS)
        crc = (0, 0)
        before = -1
        for _ in range(_HALVES):
            half = self._await_half()
            found = self._take(half, crc)
            if found is None or half == before:  # torn, as the next half came meanwhile; or one was missed
                before = -1
                continue
            crc = found
            if before >= 0:
                break
            before = half
        else:
            raise self._error("halves of a frame in turn", "none in %d" % _HALVES)
        mend(self.heat.frame, COLUMNS, self._broken)
        self.raw = crc
        if not self.heat.update():
            raise self._error("pixels", "none")
        readings = self.heat.tell(1)
        return readings + self.heat.blocks(1) if self._blocks else readings

    def _await_half(self):
        """Return the number of a half that is new, and clear its bit."""
        for _ in range(_POLLS):
            status = self._word(_STATUS)
            if status & 8:
                if status & 7 > 1:
                    raise self._error("half 0 or 1 of a frame", "%d" % (status & 7))
                twice(self.bus.write, self.address, _CLEAR)
                return status & 7
            self.port.sleep_ms(_POLL_MS)
        raise self._error("new data within %d ms" % (_POLLS * _POLL_MS), "status 0x%04x" % status)

    def _take(self, half, crc):
        """Put a half's pixels into the frame; return the CRC of what came, None where the next half came meanwhile."""
        gain = self._word(_GAIN)
        gain = self._gain * 4096 // gain if 0 < gain < 0x8000 else 0
        if not 2048 <= gain < 8192:
            raise self._error("a gain of half to twice the factory's", "%d/4096" % gain)
        frame, offsets, row, most = self.heat.frame, self._offsets, self._row, MOST
        place = 0
        for i in range(ROWS):
            at = _RAM + place
            twice(self.bus.write_read_into, self.address, bytes((at >> 8, at & 255)), row)
            first = i + half & 1
            for k in range(2 * first, 2 * COLUMNS, 4):
                value = row[k] << 8 | row[k + 1]
                if value == _NEVER_MEASURED:
                    raise self._error("pixels that were measured", "0x7fff in row %d" % i)
                if value & 0x8000:
                    value -= 0x10000
                value = (value * gain + 2048 >> 12) - offsets[place + (k >> 1)]  # below 2**28
                frame[place + (k >> 1)] = -most if value < -most else most if value > most else value
            place += COLUMNS
            crc = crc32(row, len(row), 0, crc)
        return None if self._word(_STATUS) & 8 else crc

    def _read_factory(self):
        """Read gain, offsets and broken pixels from its memory."""
        gain = self._eeprom(_GAIN_AT)
        scales = self._eeprom(_SCALES)
        middle = _signed(self._eeprom(_SCALES + 1), 16)
        if not 1000 <= gain < 0x8000:
            raise self._error("a gain of the factory's", "0x%04x in its memory" % gain)
        of_rows = [_nibble(self._eeprom(_ROWS_AT + i // 4), i & 3) << (scales >> 8 & 15) for i in range(ROWS)]
        of_columns = [_nibble(self._eeprom(_COLUMNS_AT + i // 4), i & 3) << (scales >> 4 & 15) for i in range(COLUMNS)]
        broken = []
        row = self._row
        place = 0
        for i in range(ROWS):
            at = _EEPROM + _PIXELS_AT + place
            twice(self.bus.write_read_into, self.address, bytes((at >> 8, at & 255)), row)
            for k in range(COLUMNS):
                word = row[2 * k] << 8 | row[2 * k + 1]
                if not word or word & 1:
                    broken.append(place + k)
                offset = middle + of_rows[i] + of_columns[k] + (_signed(word >> 10, 6) << (scales & 15))
                if not -0x8000 <= offset < 0x8000:
                    raise self._error("offsets of 16 bits", "%d" % offset)
                self._offsets[place + k] = offset
            place += COLUMNS
        if len(broken) > MOST_BROKEN:
            raise self._error("at most %d broken pixels" % MOST_BROKEN, "%d" % len(broken))
        for place in broken:
            self.heat.frame[place] = NONE
        self._broken = broken
        self._gain = gain

    def _control(self):
        twice(self.bus.write, self.address, _CONTROL + bytes((CHESS_4_A_SECOND >> 8, CHESS_4_A_SECOND & 255)))
        twice(self.bus.write, self.address, _CLEAR)

    def _eeprom(self, place):
        place += _EEPROM
        return self._word(bytes((place >> 8, place & 255)))

    def _word(self, register):
        twice(self.bus.write_read_into, self.address, register, self._two)
        return self._two[0] << 8 | self._two[1]

    def _error(self, wanted, got):
        return SensorError("expected %s at I2C 0x%02x, got %s" % (wanted, self.address, got))


def _signed(word, bits):
    return word - (1 << bits) if word >> bits - 1 & 1 else word


def _nibble(word, place):
    return _signed(word >> 4 * place & 15, 4)
