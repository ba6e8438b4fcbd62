"""LIS3DH: acceleration of three axes over I2C, by its FIFO of 32 samples; told as what moved since the last reading.

Between two readings the node asks it twice a second, so that no sample is missed while it sleeps; with `samples` it
takes so many when it is read, and the node waits for them: a vibration at up to 400 a second.
A FIFO that was full has lost samples, as nobody knows how many: it is told how often that was, never hidden.
Source: ST, LIS3DH data sheet, DocID17530: registers (8), FIFO (5), sensitivity (table 4), start-up 5 ms (6).
"""

from array import array

from dibble import ConfigError, SensorError
from dibble.drivers.second_try import twice
from dibble.forgetting import start_only
from dibble.senses.motion import LEAST, Motion
from dibble.senses.motion import channels as channels_of_motion

CHANNELS = channels_of_motion("xyz", "mg") + (("samples_count", "count"), ("overruns_count", "count"))
SETTINGS = (
    ("address", int, 0x18, 0x19, 0x18),
    ("rate_hz", int, 10, 400, 25),  # 10, 25, 50, 100, 200 or 400
    ("range_g", int, 2, 16, 4),  # 2, 4, 8 or 16
    ("samples", int, 0, 4096, 0),  # taken when it is read; 0: all that come between two readings
)
KEEP_ALIVE_MS = 500
STUCK_CYCLES = 6
RATES = {10: 2, 25: 3, 50: 4, 100: 5, 200: 6, 400: 7}  # ODR of CTRL_REG1
RANGES = {2: (0, 1), 4: (1, 2), 8: (2, 4), 16: (3, 12)}  # FS of CTRL_REG4, and mg of a digit of 12 bits
ASLEEP_HZ = 50  # at most, where the FIFO has to last from one question to the next

_WHO_AM_I, _ID = 0x0F, 0x33
_AUTO = 0x80  # of a register's number: the next one follows
_CTRL_REG1, _AXES = 0x20, 7
_CTRL_REG4, _BLOCK_UPDATE, _HIGH_RESOLUTION = 0x23, 0x80, 8
_CTRL_REG5, _FIFO_ENABLE = 0x24, 0x40
_FIFO_CTRL, _BYPASS, _STREAM = 0x2E, 0, 0x80
_FIFO_SRC, _OVERRUN, _EMPTY, _LEVEL = 0x2F, 0x40, 0x20, 31
_OUT = 0x28
FIFO = 32
_START_MS = 5


@start_only
def build(settings, port, bus):
    for name, known in (("rate_hz", RATES), ("range_g", RANGES)):
        if settings[name] not in known:
            raise ConfigError(
                "lis3dh.%s: expected one of %s, got %d" % (name, ", ".join(map(str, sorted(known))), settings[name])
            )
    rate_hz, samples = settings["rate_hz"], settings["samples"]
    if not samples and rate_hz > ASLEEP_HZ:
        raise ConfigError("lis3dh.rate_hz: expected at most %d, or `samples`, got %d" % (ASLEEP_HZ, rate_hz))
    if samples and samples < LEAST:
        raise ConfigError("lis3dh.samples: expected 0, or at least %d, got %d" % (LEAST, samples))
    return Lis3dh(bus, port, settings)


class Lis3dh:
    """One accelerometer.

    Attributes:
        keep_alive_ms: how often it is asked between two readings.
        raw: what the last reading was made of, for who looks whether it changes.
    """

    def __init__(self, bus, port, settings):
        self.bus = bus
        self.port = port
        self.address = settings["address"]
        self.raw = None
        self._rate_hz = settings["rate_hz"]
        self._rate = bytes((_CTRL_REG1, RATES[self._rate_hz] << 4 | _AXES))
        full, self._mg = RANGES[settings["range_g"]]
        self._mode = bytes((_CTRL_REG4, _BLOCK_UPDATE | full << 4 | _HIGH_RESOLUTION))
        self._wanted = settings["samples"]
        self.keep_alive_ms = 0 if self._wanted else KEEP_ALIVE_MS
        self._motion = Motion(3)
        self._samples = array("h", [0] * (3 * FIFO))
        self._bytes = bytearray(6)
        self._one = bytearray(1)
        self._overruns = 0
        self._values = [0] * len(CHANNELS)

    def start(self):
        self.port.sleep_ms(_START_MS)
        found = self._register(_WHO_AM_I)
        if found != _ID:
            raise SensorError("expected chip id 0x%02x at I2C 0x%02x, got 0x%02x" % (_ID, self.address, found))
        for command in (self._mode, self._rate, bytes((_CTRL_REG5, _FIFO_ENABLE))):
            self._write(command)
        self._begin()

    def keep_alive(self):
        """Take what waits in the FIFO; nobody needs to know whether that worked: an overrun is told."""
        if not self._wanted:
            try:
                self._drain()
            except SensorError:
                pass

    def read(self):
        """Return the readings of CHANNELS."""
        if self._wanted:
            self._begin()
            left = 2 * (self._wanted * 1000 // self._rate_hz) + 200
            while self._motion.count < self._wanted and left > 0:
                wait = (FIFO // 2) * 1000 // self._rate_hz + 1
                self.port.sleep_ms(wait)
                left -= wait
                self._drain()
        else:
            self._drain()
        count = self._motion.count
        if count < LEAST:
            raise SensorError(
                "expected at least %d samples at I2C 0x%02x since the last reading, got %d: a longer interval, or a "
                "higher rate" % (LEAST, self.address, count)
            )
        values = self._values
        self._motion.tell(values)
        for i in range(len(values) - 2):
            values[i] *= self._mg
        values[-2] = count
        values[-1] = self._overruns
        self._overruns = 0
        self.raw = tuple(values[:-2])
        return self.raw + (count, values[-1])

    def _begin(self):
        """Empty the FIFO, and let it run."""
        self._write(bytes((_FIFO_CTRL, _BYPASS)))
        self._write(bytes((_FIFO_CTRL, _STREAM)))
        self._motion.restart()
        self._overruns = 0

    def _drain(self):
        """Take what the FIFO holds."""
        source = self._register(_FIFO_SRC)
        count = source & _LEVEL
        if source & _OVERRUN:
            count = FIFO
            self._overruns += 1
        elif source & _EMPTY:
            return
        data = self._bytes
        samples = self._samples
        at = 0
        while at < 3 * count:
            twice(self.bus.write_read_into, self.address, _OUT_BYTES, data)
            for i in (0, 2, 4):  # 12 bits, at the upper end of 16
                word = data[i] | data[i + 1] << 8
                samples[at] = (word - 65536 if word > 32767 else word) >> 4
                at += 1
        self._motion.take(samples, count)

    def _register(self, number):
        twice(self.bus.write_read_into, self.address, bytes((number,)), self._one)
        return self._one[0]

    def _write(self, command):
        twice(self.bus.write, self.address, command)


_OUT_BYTES = bytes((_OUT | _AUTO,))
