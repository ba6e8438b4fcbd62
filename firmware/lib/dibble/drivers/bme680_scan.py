"""A heater scan: the gas resistance of a BME680, BME688 or BME690 at up to ten heater temperatures in a row.

Forced: each step is a measurement of its own, with a set point of its own; all three chips can. Parallel: a BME688 or
BME690 runs the profile by itself and leaves each step in one of three fields, which have to be fetched in time.
A step whose heater isn't stable, or that gives no gas reading, is missing; the others count.
Source: Bosch Sensortec BST-BME688-DS000, section 3; BME68x_SensorAPI v4.4.8 for the times and codes.
"""

from array import array

from dibble import ConfigError
from dibble.drivers.second_try import twice
from dibble.forgetting import start_only
from dibble.inference.fixed_point import MISSING

# Bosch's, as AI-Studio names them; the last are for nodes that have little charge, to be collected with.
PROFILES = {
    "hp354": "320:5 100:2 100:10 100:30 200:5 200:5 200:5 320:5 320:5 320:5",
    "hp301": "100:2 100:41 200:2 200:14 200:14 200:14 320:2 320:14 320:14 320:14",
    "hp411": "100:43 320:2 170:43 320:2 240:2 240:20 240:21 320:2 320:20 320:21",
    "hp501": "210:24 265:2 265:22 320:2 320:22 265:24 210:24 155:24 100:24 155:24",
    "short": "100:10 200:5 320:5",
}
UNIT_MS = 140
MOST_STEPS = 10
_LONGEST_MS = 4032  # that gas_wait can say
_FORCED_MS = 8  # beside the heater's time: waking, one conversion, switching, the gas ADC
_WARM_UP_STEP = (320, 1)
_ROUNDS = 2  # of the profile, more than asked for: what lost steps may cost
_FIELDS = b"\x1d"
_STOP = b"\x74\x00"
# Measurements of temperature x8, pressure x4, humidity x2, as a cheap reading's, take 31 ms of each unit; heater_shared
# is the rest: 57 steps of 0.477 ms, times four. Heater on; no filter; go.
_PARALLEL = b"\x6e\x79\x70\x00\x75\x00\x72\x02\x74\x8e"


def steps_of(profile):
    """Return [(C, units)] of a profile's name or text.

    Raises:
        ConfigError: it is neither.
    """
    words = PROFILES.get(profile, profile).split()
    if not 1 <= len(words) <= MOST_STEPS:
        raise _refused("1 to %d steps" % MOST_STEPS, len(words))
    steps = []
    for word in words:
        celsius, _, units = word.partition(":")
        if not (celsius.isdigit() and units.isdigit() and len(word) < 9):
            raise _refused("steps as 320:5, or one of %s" % ", ".join(sorted(PROFILES)), repr(word[:20]))
        celsius, units = int(celsius), int(units)
        if not 50 <= celsius <= 400:
            raise _refused("50 to 400 C", "%d in %s" % (celsius, word))
        if not 1 <= units <= 255:
            raise _refused("1 to 255 units of %d ms" % UNIT_MS, "%d in %s" % (units, word))
        steps.append((celsius, units))
    return steps


def _refused(expected, got):
    return ConfigError("config.sensors: profile: expected %s, got %s" % (expected, got))


def steps_given(settings):
    """Return the channels (name, unit) of each step; of each scan where all are given, numbered from 1."""
    steps = range(len(steps_of(settings["profile"])))
    if not settings["each"]:
        return tuple([("gas_%d_ohm" % i, "ohm") for i in steps])
    if len(steps) * settings["scans"] > 60:
        raise _refused("at most 60 steps in all scans that are given", len(steps) * settings["scans"])
    return tuple([("gas_s%d_%d_ohm" % (scan + 1, i), "ohm") for scan in range(settings["scans"]) for i in steps])


def time_code(ms):
    """Return the gas_wait that is nearest to a duration of 1..4032 ms, and what it means."""
    factor = 0
    while ms + (1 << 2 * factor >> 1) >> 2 * factor > 63:
        factor += 1
    count = ms + (1 << 2 * factor >> 1) >> 2 * factor
    return factor << 6 | count, count << 2 * factor


class Scanner:
    """A bme680.Bme680 that scans.

    Args:
        chip: that.
        settings: bme680.SETTINGS.
    Attributes:
        raw: of the chip.
        partial: which steps of the last reading are missing, and why; "": none.
        lost: scans that were thrown away as a step was lost, at the last reading.
    """

    @start_only
    def __init__(self, chip, settings):
        self._chip = chip
        chip.wait = self._wait
        self.raw = None
        self.start = chip.start
        self._steps = steps_of(settings["profile"])
        self._units = sum([units for _, units in self._steps])
        self._scans = settings["scans"]
        self._each = settings["each"]
        self._mode = settings["mode"]
        if self._mode not in ("", "forced", "parallel"):
            raise ConfigError("config.sensors: mode: expected forced or parallel, got %r" % self._mode)
        takes_s = self._units * UNIT_MS * self._scans // 1000 + 1
        if settings.get("interval_s", takes_s) < takes_s:
            raise ConfigError(
                "config.interval_s: expected at least %d, as long as %d scan%s, got %d"
                % (takes_s, self._scans, "s" if self._scans > 1 else "", settings["interval_s"])
            )
        self.partial = ""
        self.lost = 0
        self._fields = bytearray(51)
        self._before = bytearray(51)
        self._gas = array("i", [MISSING] * len(self._steps))
        self._status = bytearray(len(self._steps))

    def read_cheap(self):
        """Return air temperature, humidity and pressure: see bme680."""
        readings = self._chip.read_cheap()
        self.raw = self._chip.raw
        return readings

    def read_costly(self):
        """Return the gas resistance in ohm of each step, MISSING where it isn't valid and stable.

        Raises:
            SensorError: no answer, or no whole scan in time.
        """
        parallel = self._mode != "forced" and self._chip.variant > 0
        self._chip.started()
        if self._mode == "parallel" and not parallel:
            raise self._chip.error("a BME688 or BME690 for parallel scans", "a BME680: mode forced")
        self.partial = ""
        self.lost = 0
        if self._chip.fresh:  # no first reading after a reset is stable: Adafruit_BME680 issue 43
            self._step(0, *_WARM_UP_STEP)
            self._chip.fresh = False
        readings = self._in_parallel() if parallel else self._forced()
        if not any([reading != MISSING for reading in readings]):
            raise self._chip.error("a step that is valid and stable", "none, status %s" % self._status_text())
        return readings

    def _wait(self, ms):
        if ms >= UNIT_MS:
            self._chip.port.doze_ms(ms, self._chip.port.light_sleep)
        else:
            self._chip.port.sleep_ms(ms)

    def _forced(self):
        readings = ()
        for scan in range(self._scans):
            for i in range(len(self._steps)):
                celsius, units = self._steps[i]
                left_ms = units * UNIT_MS
                pieces = (left_ms + _LONGEST_MS - 1) // _LONGEST_MS
                while pieces:
                    left_ms -= self._step(i, celsius, 0, left_ms // pieces)
                    pieces -= 1
                self._take(i, self._chip.field)
            readings = self._scanned(readings)
        return readings

    def _step(self, i, celsius, units, ms=0):
        """Heat once, with the set point `i`; return for how long, by the profile's clock."""
        code, ms = time_code((ms or units * UNIT_MS) - _FORCED_MS)
        heat = self._heat(celsius)
        # The set point's temperature and time, heater on, gas on with that set point; temperature x1 alone, go.
        chosen = (0x20 if self._chip.variant else 0x10) | i
        twice(
            self._chip.measure,
            bytes((0x5A + i, heat, 0x64 + i, code, 0x70, 0, 0x71, chosen, 0x75, 0, 0x72, 0, 0x74, 0x21)),
            ms + _FORCED_MS,
        )
        if self._chip.field[0] & 15 != i:
            raise self._chip.error("the gas reading of step %d" % i, "that of step %d" % (self._chip.field[0] & 15))
        self._chip.ambient_centi_c = self._chip.formulas.ambient_centi_c(self._chip.field, self._chip.trim)
        return ms + _FORCED_MS

    def _heat(self, celsius):
        return self._chip.formulas.heater_code(celsius, self._chip.ambient_centi_c // 100, self._chip.trim[3])

    def _in_parallel(self):
        count = len(self._steps)
        settings = bytearray(_STOP)
        for i in range(count):
            celsius, units = self._steps[i]
            settings += bytes((0x5A + i, self._heat(celsius), 0x64 + i, units))
        settings += bytes((0x71, 0x20 | count)) + _PARALLEL
        twice(self._chip.bus.write_read_into, self._chip.address, _FIELDS, self._fields)  # what is old, to know it by
        twice(self._chip.bus.write, self._chip.address, settings)
        try:
            return self._collected(count)
        finally:
            twice(self._chip.bus.write, self._chip.address, _STOP)

    def _collected(self, count):
        """Return the readings of all scans, the sensor running by itself; a scan with a gap is thrown away."""
        readings = ()
        scan = awaited = 0
        last = -1  # measurement index of the newest field so far
        for _ in range((self._scans + _ROUNDS) * self._units * 17 // 16 + 10):
            self._wait(UNIT_MS)
            self._before, self._fields = self._fields, self._before
            fields = self._fields
            twice(self._chip.bus.write_read_into, self._chip.address, _FIELDS, fields)
            for at in self._in_order(last):
                last = fields[at + 1]
                index = fields[at] & 15
                if not fields[at + 16] & 0x20:
                    continue  # of a unit before the step's last
                if index != awaited:
                    self.lost += awaited > 0
                    awaited = 0
                    if index:
                        continue
                self._take(index, memoryview(fields)[at : at + 17])
                awaited = index + 1
                if awaited == count:
                    awaited = 0
                    readings = self._scanned(readings)
                    scan += 1
                    if scan == self._scans:
                        self._chip.ambient_centi_c = self._chip.formulas.ambient_centi_c(
                            memoryview(fields)[at : at + 17], self._chip.trim
                        )
                        return readings
        raise self._chip.error(
            "%d whole scan%s of %d steps" % (self._scans, "s" if self._scans > 1 else "", count),
            "%d, and %d with a lost step" % (scan, self.lost),
        )

    def _in_order(self, last):
        """Return where in the three fields new data lies, in the order of its measurement index, which wraps.

        Whether the bit for new data stays until the field is written again isn't known: what was read before isn't new.
        """
        fields = self._fields
        found = [at for at in (0, 17, 34) if fields[at] & 0x80 and fields[at : at + 17] != self._before[at : at + 17]]
        start = last + 1 if last >= 0 else fields[found[0] + 1] - 3 if found else 0  # three follow each other
        order = [((fields[at + 1] - start & 255), at) for at in found]
        order.sort()
        return [at for _, at in order]

    def _take(self, i, field):
        """Keep what a field says of a step."""
        at = 15 if self._chip.variant else 13
        status = field[at + 1]
        adc = field[at] << 2 | status >> 6
        self._status[i] = status & 0x30
        self._gas[i] = MISSING
        if status & 0x30 == 0x30:
            if self._chip.variant:
                self._gas[i] = gas_high_ohm(adc, status & 15)
            else:
                self._gas[i] = self._chip.formulas.gas_low_ohm(adc, status & 15, self._chip.trim[3])

    def _scanned(self, readings):
        """Return the readings so far and those of the scan that has just ended."""
        missing = self._status_text()
        if missing:
            self.partial = str(self._chip.error("each step valid and stable", missing))
        return readings + tuple(self._gas) if self._each else tuple(self._gas)

    def _status_text(self):
        words = []
        for i in range(len(self._steps)):
            status = self._status[i]
            if status != 0x30:
                words.append("step %d not %s" % (i, "valid" if not status & 0x20 else "stable"))
        return ", ".join(words)


def gas_high_ohm(adc, gas_range):
    """Return a BME688's or BME690's gas resistance to the ohm, where Bosch's integers give hundreds.

    Args:
        adc: 10 bits.
        gas_range: 0..15.
    """
    divisor = 4096 + 3 * (adc - 512)  # 2560..5629
    ohm = rest = 0
    for digit in (262144 >> gas_range, 0, 0, 0):  # times 10**6, by two digits at a time: rest * 100 < 562900
        rest = rest * 100 + digit
        ohm = ohm * 100 + rest // divisor
        rest %= divisor
    return ohm + (2 * rest >= divisor)
