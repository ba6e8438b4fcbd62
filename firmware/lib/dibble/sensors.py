"""The node's sensors: built from the configuration, read in two stages, a failing one never stops the others."""

from array import array

from dibble import ConfigError, SensorError
from dibble.drivers import channels_given, channels_of, driver
from dibble.forgetting import start_only
from dibble.health import AGREE, Health
from dibble.inference.fixed_point import MISSING, READING_LIMIT

AIR = ("air_temperature_centi_c", "humidity_permille")  # what gas sensors want to know, if somebody measures it


class Sensor:
    """One sensor and its place among all readings.

    Attributes:
        fault: why its last reading failed, "" if it didn't.
        keep_alive_ms: how often it has to be asked between its readings; 0: never.
        counts_asleep: it counts what happens between its readings, which a light sleep would miss.
        looked: whether it was read in this cycle, be it in vain.
        driver: what its module built.
        air: places of the air's temperature and humidity among the readings, None: nobody measures them, or it
            doesn't want to know.
    """

    @start_only
    def __init__(self, settings, port, bus, first):
        module = driver(settings["driver"])
        self.name = settings["driver"]
        self.first = first
        self.count = len(channels_given(settings))
        self.fault = ""
        self.looked = False
        self.driver = module.build(settings, port, bus)
        self._port = port
        self._started = False
        self._power = port.output(settings["power_pin"]) if settings["power_pin"] != "" else None
        self._power_up_ms = settings["power_up_ms"]
        # The costly channels come last: none, some, or all.
        self.costly_from = 0 if settings["costly"] else getattr(module, "COSTLY_FROM", self.count)
        self.keep_alive_ms = getattr(self.driver, "keep_alive_ms", getattr(module, "KEEP_ALIVE_MS", 0))
        self.counts_asleep = getattr(module, "COUNTS_ASLEEP", False)
        self.air = None
        self._in_stages = hasattr(self.driver, "read_cheap")
        stuck = settings["stuck_cycles"]
        steps = settings["max_step"] or getattr(module, "MAX_STEP", ())
        self._health = Health(self.count, getattr(module, "STUCK_CYCLES", 0) if stuck < 0 else stuck, steps)

    def read(self, values, costly):
        """Put its readings of one stage into `values`; MISSING and `fault` where that fails."""
        start, end = (self.costly_from, self.count) if costly else (0, self.costly_from)
        if not costly:
            self.looked = False
        if start == end:
            return
        self.looked = True
        if costly and start and self.fault:
            self._miss(values, start, end)  # its first stage failed already
            return
        self.fault = ""
        try:
            self._power_on()
            if self.air and values[self.air[0]] != MISSING and values[self.air[1]] != MISSING:
                self.driver.compensate(values[self.air[0]], values[self.air[1]])
            if not self._in_stages:
                readings = self.driver.read()
            elif not costly:
                readings = self.driver.read_cheap()
            elif start:
                readings = self.driver.read_costly()
            else:
                readings = self.driver.read_cheap() + self.driver.read_costly()
            for i in range(start, end):
                reading = readings[i - start]
                values[self.first + i] = (
                    reading if reading == MISSING else min(READING_LIMIT, max(-READING_LIMIT, reading))
                )
            self.fault = getattr(self.driver, "partial", "")
        except SensorError as error:
            self.fail(values, start, end, error)
        finally:
            if self._power and (costly or end == self.count):
                self._power.set(0)
                self._started = False

    def tell_frame(self, lines, sequence):
        """Write the frame of an array that was read in this cycle, each so manyth that its configuration wants."""
        array = self.driver
        if self.looked and not self.fault and sequence % array.frames == 0:
            from dibble.report.frame_lines import write_frame

            write_frame(lines, self.name, sequence, array)

    def keep_alive(self):
        """Ask it in between, if it was started."""
        if self._started:
            self.driver.keep_alive()

    @start_only
    def know_air(self, names):
        """Find the readings that the driver wants to know of the air."""
        if hasattr(self.driver, "compensate") and AIR[0] in names and AIR[1] in names:
            self.air = (names.index(AIR[0]), names.index(AIR[1]))

    def check_plausible(self, values, names):
        """Doubt what can't be; call once a cycle in which all was read."""
        if self.fault:
            return
        raw = getattr(self.driver, "raw", None)
        if raw is None:
            raw = [values[self.first + i] for i in range(self.count)]
        health = self._health
        try:
            at = health.check_plausible(values, self.first, raw)
        except SensorError as error:
            self.fail(values, 0, self.count, error)
            return
        if at >= 0:  # the sensor works: it isn't started anew
            self.fault = "expected %s within %d of %d, got %d: a jump, believed when %d in a row agree" % (
                names[self.first + at],
                health.max_step[at],
                health.good[at],
                health.last[at],
                AGREE,
            )

    def fail(self, values, start, end, error):
        self.fault = str(error)
        self._started = False
        self._miss(values, start, end)

    def _power_on(self):
        if self._started:
            return
        if self._power:
            self._power.set(1)
            self._port.sleep_ms(self._power_up_ms)
        self.driver.start()
        self._started = True

    def _miss(self, values, start, end):
        for i in range(start, end):
            values[self.first + i] = MISSING


class Sensors:
    """All sensors of the node.

    Attributes:
        names, units: of every reading, in the order of the configuration.
        values: array("i") of the last readings, MISSING where one failed.
        costly: whether any reading has to be asked for.
        bus: I2C, None: there is none.
        notes: what there is to tell of the channels' names.
        keep_alive_ms: how often keep_alive() has to be called; 0: never.
        arrays: sensors whose frames are told.
        watch: arrays that tell whether costly readings are worth it.
        count_asleep: whether one counts what a light sleep would miss.
        hears: whether the node listens to a stream beside them.
    """

    @start_only
    def __init__(self, config, port):
        wiring = config["i2c"]
        bus = port.i2c(wiring["sda"], wiring["scl"], wiring["frequency_hz"]) if wiring["sda"] != "" else None
        self.bus = bus
        self.names = []
        self.units = []
        self.all = []
        self.count_asleep = False
        self.hears = config["listen"]["driver"] != ""
        channels, self.notes = channels_of(config["sensors"])
        for i in range(len(channels)):
            settings = config["sensors"][i]
            settings["interval_s"] = config["interval_s"]
            try:
                self.all.append(Sensor(settings, port, bus, len(self.names)))
            except (ValueError, TypeError, OSError, AttributeError) as error:  # what a port raises at a pin's name
                raise ConfigError("config.sensors[%d]: expected pins that this board has, got %r" % (i, error))
            for name, unit in channels[i]:
                self.names.append(name)
                self.units.append(unit)
        self.values = array("i", [MISSING] * len(self.names))
        self.arrays = [sensor for sensor in self.all if getattr(sensor.driver, "frames", 0)]
        self.kept_alive = [sensor for sensor in self.all if sensor.keep_alive_ms]
        self.keep_alive_ms = min([sensor.keep_alive_ms for sensor in self.kept_alive]) if self.kept_alive else 0
        for sensor in self.all:
            sensor.know_air(self.names)
            if sensor.counts_asleep:
                self.notes.append("%s counts while the node sleeps: its sleep is idle" % sensor.name)
                self.count_asleep = True
        self.costly = any([sensor.costly_from < sensor.count for sensor in self.all])
        self.watch = []
        if config["gate"]["motion"]:
            self.watch = [s for s in self.all if hasattr(s.driver, "heat") and s.costly_from == s.count]
            if not self.watch or not self.costly:
                raise ConfigError("config.gate.motion: expected a thermal array, and a sensor that is costly beside it")

    def read(self, costly):
        """Read one stage of every sensor."""
        for sensor in self.all:
            sensor.read(self.values, costly)

    def keep_alive(self):
        """Ask those that want it between their readings."""
        for sensor in self.kept_alive:
            sensor.keep_alive()

    def check_plausible(self, everything):
        """Doubt what can't be, in sensors that were read whole."""
        for sensor in self.all:
            if everything or sensor.costly_from == sensor.count:
                sensor.check_plausible(self.values, self.names)

    def sees(self):
        """Tell whether an array that is watched sees something stand out of its background, or move, or can't tell."""
        for sensor in self.watch:
            if sensor.fault or sensor.driver.heat.warm_pixels or sensor.driver.heat.moved_pixels:
                return True
        return False

    def costly_is_missing(self):
        """Tell whether a sensor that is read on demand failed at its last reading."""
        for sensor in self.all:
            if sensor.fault and sensor.costly_from < sensor.count:
                return True
        return False
