"""SGP30: total volatile organic compounds and equivalent CO2, over I2C.

The part runs by itself once it has been started, and has nothing to say for its first 15 s. It learns what clean air is
from a measurement each second, in 12 hours: the node asks it that often, asleep or awake, and keeps what it learnt over
power cuts. Neither start() nor a new boot of the node interrupts one that runs: what it says tells.
"""

from dibble import RecordError, SensorError
from dibble.drivers.absolute_humidity import absolute_humidity_g_m3
from dibble.drivers.second_try import twice
from dibble.drivers.sensirion import ask, crc8, tell
from dibble.drivers.warm_up import refuse_power_pin
from dibble.forgetting import start_only
from dibble.storage.words import number_at, number_bytes

CHANNELS = (("tvoc_ppb", "ppb"), ("eco2_ppm", "ppm"))
SETTINGS = (("address", int, 0x58, 0x58, 0x58),)  # it has no other
KEEP_ALIVE_MS = 1000  # data sheet 6.3: "measure in regular intervals of 1 s"
# Commands and their longest durations: data sheet, table 10.
FEATURE_SET = b"\x20\x2f"
INIT = b"\x20\x03"
MEASURE = b"\x20\x08"
BASELINE = b"\x20\x15"
SET_BASELINE = b"\x20\x1e"
SET_HUMIDITY = b"\x20\x61"
SHORT_MS = 10
MEASURE_MS = 12
# Data sheet 6.3: what it answers for its first 15 s (eCO2, TVOC); a second more for the part's own clock.
NOTHING = [400, 0]
WARM_UP_MS = 16000
LEARNT_MS = 43200000  # after 12 h a baseline is worth keeping
KEPT_EACH_MS = 3600000
KEPT_DAYS = 7  # so long it holds without power
LATE_MS = 3000  # since the last measurement: then it doesn't learn
_STATE_BYTES = 8


@start_only
def build(settings, port, bus):
    refuse_power_pin(settings, "an SGP30 learns for 12 hours")
    return Sgp30(bus, port, settings["address"])


class Sgp30:
    """One sensor.

    Attributes:
        begun_ms: ticks at which the driver started the part; None once it is warm, or if it ran before.
        learnt_ms: how long it has learnt what clean air is, as far as the driver knows.
    """

    @start_only
    def __init__(self, bus, port, address):
        self.bus = bus
        self.port = port
        self.address = address
        self.begun_ms = None
        self.learnt_ms = 0
        self._asked_ms = None
        self._kept_ms = LEARNT_MS - KEPT_EACH_MS
        self._humidity = b""
        self._memory = port.memory("sgp30")

    def start(self):
        feature_set = self._ask(FEATURE_SET, SHORT_MS, 1)[0]
        # Product type in the upper 4 bits; version 0x20 is the first sold.
        if feature_set >> 12 or feature_set & 0xFF < 0x20:
            raise SensorError(
                "expected feature set 0x0020 or up at I2C 0x%02x, got 0x%04x" % (self.address, feature_set)
            )
        if not self._measure() and self.begun_ms is None:
            tell(self.bus, self.port, self.address, INIT, SHORT_MS)
            self.begun_ms = self.port.ticks_ms()
            self.learnt_ms = 0
            self._kept_ms = LEARNT_MS - KEPT_EACH_MS
            self._humidity = b""
            self._restore()

    def compensate(self, centi_c, permille):
        """Tell the part the air's humidity, of another sensor."""
        word = absolute_humidity_g_m3(centi_c, permille)
        data = bytes((word >> 8, word & 255))
        if data != self._humidity:
            tell(self.bus, self.port, self.address, SET_HUMIDITY + _checked(data), SHORT_MS)
            self._humidity = data

    def keep_alive(self):
        """Measure, as it has to each second; nobody needs to know whether that worked."""
        try:
            self._measure()
        except SensorError:
            pass

    def read(self):
        words = self._measure()
        if not words:
            if self.begun_ms is None:
                raise SensorError("expected a started sensor at I2C 0x%02x, got one without a baseline" % self.address)
            raise SensorError("expected a reading at I2C 0x%02x, got a sensor warming up" % self.address)
        if self.learnt_ms - self._kept_ms >= KEPT_EACH_MS:
            self._keep()
        return words[1], words[0]

    def _ask(self, command, wait_ms, count):
        return ask(self.bus, self.port, self.address, command, wait_ms, count)

    def _measure(self):
        """Return [eCO2, TVOC], or None if the part has nothing to say yet."""
        words = self._ask(MEASURE, MEASURE_MS, 2)
        now = self.port.ticks_ms()
        if self._asked_ms is not None and 0 <= self.port.ticks_diff(now, self._asked_ms) <= LATE_MS:
            self.learnt_ms = min(self.learnt_ms + self.port.ticks_diff(now, self._asked_ms), 1 << 29)
        self._asked_ms = now
        if words == NOTHING and self._warming_up():
            return None
        self.begun_ms = None
        # Clean air reads the same as a part that was never started, whose baseline is 0.
        if words == NOTHING and self._ask(BASELINE, SHORT_MS, 2) == [0, 0]:
            return None
        return words

    def _warming_up(self):
        if self.begun_ms is None:
            return False
        # After half a period of the ticks the difference is negative: long warm.
        return 0 <= self.port.ticks_diff(self.port.ticks_ms(), self.begun_ms) < WARM_UP_MS

    def _keep(self):
        """Write down what it learnt, and on which day."""
        eco2, tvoc = self._ask(BASELINE, SHORT_MS, 2)
        if eco2 and tvoc:
            data = bytes((tvoc >> 8, tvoc & 255, eco2 >> 8, eco2 & 255))
            try:
                self._memory.write(data + number_bytes(self.port.date()[0]))
            except (OSError, RecordError):
                pass  # then it learns anew after a power cut
            self._kept_ms = self.learnt_ms

    def _restore(self):
        """Give the part what it learnt before its power failed, unless that was too long ago."""
        state = self._memory.newest()
        if state is None or len(state) != _STATE_BYTES:
            return
        day = self.port.date()[0]
        if number_at(state, 4) and day and not 0 <= day - number_at(state, 4) <= KEPT_DAYS:
            return
        # TVOC first, which BASELINE answers last: data sheet, table 10.
        twice(self.bus.write, self.address, SET_BASELINE + _checked(state[:2]) + _checked(state[2:4]))
        self.port.sleep_ms(SHORT_MS)
        self.learnt_ms = self._kept_ms = LEARNT_MS


def _checked(word):
    return word + bytes((crc8(word, 0, 2),))
