"""A configured node and its wake cycle, a list of steps."""

import gc
import sys

from dibble import ConfigError, RecordError
from dibble.classifier import class_of, install, recall
from dibble.forgetting import FIRST_LOOK, forget, start_only
from dibble.inference.decision import NO_CLASS, SENSOR_FAULT, Decision
from dibble.inference.fixed_point import MISSING
from dibble.on_times import TRIES, KeptAction, OnTimes
from dibble.report.serial_line import SerialLines
from dibble.sensors import Sensors
from dibble.storage.record import encode
from dibble.storage.record_log import RecordLog
from dibble.storage.segment import names_crc
from dibble.storage.slots import GATE, MODEL, Slots
from dibble.storage.words import number_at
from dibble.watchdog import Watchdog

CONFIRM_MS = 60000
AWAKE_LIMIT_MS = 60000
RECOVERED_MV = 150  # above low_battery_mv, or above what it rises to by itself without its load
LATE_MS = 3600000  # no wait ends later than that
FAILURES = 3  # cycles in a row that end in an error: then a reset
STOPS = 3
TRIALS = 6  # reports in a row that what came by radio has to bring one of to its end
_DAY_S = 86400


def expected(fault):
    """Return the part of an error's text that stays the same as long as the error does."""
    return fault.split(", got ")[0]


@start_only
def _clock_keeper(chip, bus, port):
    """Return the keeper of a configured clock chip; None: there is none, so its code takes no heap."""
    if not chip:
        return None
    from dibble.clock_keeper import ClockKeeper

    return ClockKeeper(chip, bus, port)


@start_only
def _alarm_of(classifier, actions, notes):
    """Return the Alarm that actions with a flag follow; None: there are none, so its code takes no heap."""
    if not classifier or not any([entry["flag"] for entry in actions]):
        return None
    from dibble.alarm import Alarm
    from dibble.inference.format import NOVELTY

    if not classifier.model.blob[5] & NOVELTY:
        notes.append("config.actions: expected a model that tells what is novel, got one without its tables")
    return Alarm(classifier.model.decision)


@start_only
def _number_of(model, sensors):
    """Return the Number that a model tells, which then is one reading more, the last; None where it tells a class."""
    if not model or b"number" not in model.parts:
        return None
    from dibble.inference.number import Number

    number = Number(model.blob, model.parts[b"number"])
    sensors.values.append(MISSING)
    sensors.names.append(number.reading)
    sensors.units.append(number.told_unit)
    return number


class Node:
    """A node that has its configuration, its sensors and, where there is one, its model.

    Args:
        port: a module of dibble.ports.
        boot: storage.boot.BootState of this boot.
        models: Slots of the model.
        configured: what setup.configure() returns.
        signatures: storage.signatures.Signatures where the node has a key, else None.
    Attributes:
        sequence, time_s, decision, action, faults, battery_mv, readings: of the last cycle, for its report.
        clock: ClockKeeper, None: no chip is configured.
        classes, channels: names of the model's classes; (name, unit) of each of the sensors' readings.
        boot, notes: the BootState; what there was to tell of files at power-on.
        model_name: of the model, "" until run() begins.
        classifier, gate: Classifier of the model and of the first stage, None: there is none.
        config_text: of the configuration in use.
    Raises:
        ConfigError: the sensors can't be made of it, or the model can't be used under it.
    """

    @start_only
    def __init__(self, port, boot, models, configured, signatures=None):
        self.port = port
        self.boot = boot
        config, self.config_text, self._kept, self._stands_in, self.notes = configured
        self.interval_ms = config["interval_s"] * 1000
        self._light = config["sleep"] == "light"
        self._radio_ms = config["mqtt"]["join_ms"] + 14 * config["mqtt"]["timeout_ms"] if config["mqtt"]["host"] else 0
        self._watchdog = Watchdog(port, config["watchdog_ms"], self.interval_ms + AWAKE_LIMIT_MS + self._radio_ms)
        self._slice_ms = config["watchdog_ms"] // 2 or self.interval_ms
        self.sensors = Sensors(config, port)
        self.notes += self.sensors.notes
        port.light_sleep = self._light = self._light and not self.sensors.count_asleep
        self.clock = _clock_keeper(config["clock"]["chip"], self.sensors.bus, port)
        if self.sensors.keep_alive_ms:
            self._slice_ms = min(self._slice_ms, self.sensors.keep_alive_ms)
        self.classifier = self._recall(models, MODEL, boot, signatures)
        gates = Slots("gate")
        self.gate = self._recall(gates, GATE, None, signatures) if self.sensors.costly else None
        self._skip = class_of(self.gate, config["gate"]["skip"], "gate.skip", self.notes) if self.gate else -1
        self._max_age = config["gate"]["max_age_cycles"]
        self._age = self._max_age  # cycles since the costly readings were taken
        self._saw = False
        model = self.classifier.model if self.classifier else None
        if model and model.unsure_below < config["margin"]:
            model.unsure_below = config["margin"]
        self.decision = model.decision if model else Decision(1)
        self._begin_beside(config, signatures)
        self.classes = model.classes if model else ()
        self.model_name = ""
        self.readings = self.sensors.values  # all of them, whatever the model uses: they train the next one
        self._number = _number_of(model, self.sensors)
        names = self.sensors.names
        self.channels = [(names[i], self.sensors.units[i]) for i in range(len(names))]
        self._alarm = _alarm_of(self.classifier, config["actions"], self.notes)
        self._follows = [self._alarm if entry["flag"] else self.decision for entry in config["actions"]]
        self.actions = [
            KeptAction(
                entry["pin"],
                0 if entry["flag"] else class_of(self.classifier, entry["class"], "actions", self.notes),
                port.output(entry["pin"], entry["active_low"]),  # off from its first moment
                entry["max_on_s"] * 1000,
                entry["rest_s"] * 1000,
                entry["active_low"],
            )
            for entry in config["actions"]
        ]
        forget(*FIRST_LOOK)  # it and what comes now don't have to fit at once
        # A configuration under which the node ran has written its times, if it has actions.
        kept = OnTimes(port.memory("on"), self.actions, not boot.config_on_trial) if self.actions else None
        self._on_times = kept
        for action in self.actions:
            if action.tries >= TRIES:
                self.notes.append("an output rests: the power failed %d times as it went on: enough for it?" % TRIES)
        self._led = port.output(config["led"]) if config["led"] != "" else None
        if self._stands_in and not self._led:
            self._led = port.status_led()
        self._battery = self.sensors.names.index("battery_mv") if "battery_mv" in self.sensors.names else -1
        self._low_mv = config["low_battery_mv"]
        self._flat = False
        self._sank = False
        self._enough_mv = 0
        log = config["log"]
        sent = Slots("sent")
        kept = sent.newest() if config["mqtt"]["host"] else None
        last = number_at(kept, 0) if kept else 0
        self.log = RecordLog(
            "log",
            self.classifier.identity if self.classifier else bytes(4),
            len(names),
            log["segment_bytes"],
            log["segments"],
            log["batch"],
            last,
            Slots("written") if port.KIND == "micropython" else None,  # FAT is better not written to
            names_crc(names),
        )
        self.lines = SerialLines(sys.stdout.write, config["node"], self.classes, self.channels)
        self._mqtt = (config["mqtt"], config["node"], sent, last) if config["mqtt"]["host"] else None
        self._radio, self._radio_error = None, ""
        self._unheard = 0  # reports that didn't arrive: of use until one has
        self.sequence = self.time_s = self.action = self.faults = 0
        self.battery_mv = None
        self._elapsed_ms = None
        self._up_ms = self._cycle_ms = 0
        self._seen = port.ticks_ms()
        self._told = {}
        if boot.awaits_report:
            self._look_at_trial()
        port.on_wait = self._waited

    def _begin_beside(self, config, signatures):
        """What a node of another kind begins beside this one's cycle: its readings come after the sensors'."""

    def cycle(self):
        """Wake, read, decide, act, remember, tell, sleep."""
        self.read()
        self.read_costly()
        self.decide()
        self.act()
        self.record()
        self.report()
        self.confirm()
        self.sleep()

    def run(self):
        """Cycle for ever; raise what ended the third cycle in a row that failed."""
        if self.classifier:
            crc = tuple(reversed(self.classifier.identity))
            self.model_name = self.classifier.model.name
            self.tell("model", self.model_name + " CRC %02x%02x%02x%02x" % crc)
            self.tell("kernel", self.classifier.kernel + (", its file in ROMFS" if self.classifier.in_place else ""))
        for note in self.notes:
            self.tell("boot", note)
        forget(*FIRST_LOOK)
        failed = 0
        while True:
            try:
                self.cycle()
                failed = 0
            except KeyboardInterrupt:
                for _ in range(STOPS):  # a computer asks again and again, until the REPL answers
                    try:
                        self.switch_off()  # nobody looks after it any more
                        self.log.flush()  # whoever stops the node may want its log
                        break
                    except KeyboardInterrupt:
                        pass
                raise
            except Exception as error:
                failed += 1
                self.switch_off()
                self.tell("error", repr(error))
                if failed == FAILURES:
                    raise
                self.sleep()

    def read(self):
        """Read what costs little; a sensor that fails leaves its readings missing."""
        self.sensors.read(False)

    def read_costly(self):
        """Read what costs much (a gas heater), unless the gate is sure that it isn't worth it: the last one stays.

        A failed one doesn't stay: it is read again. What an array that is watched has seen is looked at once more after
        it went: so what stays is what nobody was in.
        """
        look = self.sensors.costly
        saw = self._saw
        self._saw = look and self.sensors.sees()
        if look and self._age < self._max_age and not self.sensors.costly_is_missing():
            if self.sensors.watch:
                look = self._saw or saw
            if look and self.gate:
                decision = self.gate.decide(self._elapsed_ms)
                look = decision.flags != 0 or decision.class_index != self._skip
        if look:
            self.sensors.read(True)
            self._age = 0
        self._age += 1
        self.sensors.check_plausible(look)
        self.faults = 0
        for sensor in self.sensors.all:
            if sensor.fault:
                self.faults += 1
                if self._told.get(sensor) != expected(sensor.fault):
                    self.tell("fault", "%s: %s" % (sensor.name, sensor.fault))
            self._told[sensor] = expected(sensor.fault)

    def decide(self):
        """Features, scores, margin, hysteresis: all in the model. Without one the node only logs."""
        if self.classifier:
            self.classifier.decide(self._elapsed_ms)
            if self._number:
                self.readings[len(self.readings) - 1] = self._number.steps(self.decision)
        else:
            self.decision.settle(NO_CLASS, 0, SENSOR_FAULT if self.faults else 0, -1)

    def act(self):
        """Switch relays by the held class or the alarm, and blink.

        The class's number; once long for a fault; twice long before it while the last good configuration stands in.
        """
        faulty = self.decision.flags & SENSOR_FAULT and self.decision.class_index == NO_CLASS
        flat = self._is_flat()
        self._switch(faulty or flat)
        if self._on_times and self._on_times.error != self._told.get("on_times", ""):
            self._told["on_times"] = self._on_times.error
            if self._on_times.error:
                self.tell("log", self._on_times.error)
        if self._led:
            if self._stands_in:
                self._blink(2, 400)
            self._show(faulty)

    def _switch(self, off):
        """Switch the outputs by the held class or flag, or off."""
        self.action = 0
        if self._alarm:
            self._alarm.update()
        for i in range(len(self.actions)):
            follows = self._follows[i]
            self.actions[i].want(follows.held_index if follows else NO_CLASS, off)
            self.action |= self.actions[i].is_on << i

    def _show(self, faulty):
        self._blink(1 if faulty else min(self.decision.class_index, 9) + 1, 400 if faulty else 40)

    def switch_off(self):
        """Switch all outputs off, as for a fault."""
        for action in self.actions:
            action.want(NO_CLASS, True)

    def _is_flat(self):
        """Tell whether the battery is too low for outputs and radio: from low_battery_mv on, until well above it.

        One that sank under an output has to come well above what it rises to without: or it would sink again.
        """
        mv = self.sensors.values[self._battery] if self._low_mv else MISSING
        if mv != MISSING:
            loaded = any([action.is_on for action in self.actions])
            if self._sank and not loaded:
                self._sank = False
                self._enough_mv = max(self._low_mv, mv) + RECOVERED_MV
            flat = mv < (self._enough_mv if self._flat else self._low_mv)
            if flat and not self._flat:
                self._sank = loaded
                self._enough_mv = self._low_mv + RECOVERED_MV
            if flat != self._flat:
                self._flat = flat
                self.tell("battery", "%d mV: %s" % (mv, "outputs off, no radio" if flat else "outputs and radio again"))
        return self._flat

    def record(self):
        """Append the decision to the log."""
        if self.clock:
            self.clock.keep(self)
        day, second = self.port.date()
        self.time_s = day * _DAY_S + second
        decision = self.decision
        battery = self.sensors.values[self._battery] if self._battery >= 0 else MISSING
        self.battery_mv = None if battery == MISSING else battery
        self.sequence = self.log.append(
            encode(
                day,
                second,
                decision.class_index,
                decision.held_index,
                decision.flags,
                decision.margin,
                self.battery_mv or 0,
                self.action,
                self.readings,
            )
        )
        if self.log.error:
            self.tell("log", self.log.error)
            self.log.error = ""

    def report(self):
        """Write a line on the console; by radio when it's time, of which nothing ends a cycle: it's an event."""
        self.lines.decision(self)
        for sensor in self.sensors.arrays:
            sensor.tell_frame(self.lines, self.sequence)
        if (
            self._mqtt and not self._flat and not 0 < self._pass(0) < self._radio_ms
        ):  # a radio may wait in one piece: not beyond that
            try:
                if not self._radio:
                    self._radio = self._make_radio()
                error = self._radio.report(self)
            except Exception as caught:  # drivers raise whatever (micropython#17661, #15563, #11247)
                error = repr(caught)
            if error:
                self._unheard += 1
            if error is not None and error != self._radio_error:
                self._radio_error = error
                self.tell("radio", error or "reports arrive")
            if self._radio and self._radio.complete:
                self._radio.complete = False
                if self.take_update(True):
                    self._radio.hurry()

    def confirm(self):
        """After a good reading and a minute: this boot, its model and its configuration are good."""
        self._pass(0)
        good = self.boot.unconfirmed and self._up_ms >= CONFIRM_MS and self.faults < max(1, len(self.sensors.all))
        if self.boot.awaits_report:
            if self._unheard >= TRIALS or good and not self._mqtt:
                self.tell("update", "no report arrived since: the node goes back to what it ran before")
                from dibble.update.trial import go_back  # it's there: _look_at_trial() had it

                go_back(self.boot)
                self._start_anew()
        elif good:
            self.boot.confirm()
            try:
                if self._kept.newest() != self.config_text:
                    self._kept.write(self.config_text)
            except RecordError as error:  # a drive that the node may not write: it runs all the same
                self.tell("log", str(error))
            self._text = None  # of use once
            self.tell("confirmed", "the node runs")

    def sleep(self):
        """Sleep until the next cycle, waking to switch off what has been on for long enough."""
        until_off = self._pass(0)
        left_ms = max(self.interval_ms - self._cycle_ms, 1000)
        self._watchdog.completed()
        gc.collect()  # while nobody waits, and before the heap is in pieces
        while left_ms > 0:
            part_ms = min(left_ms, self._slice_ms, until_off or left_ms)
            before_ms = self._cycle_ms
            self.port.doze_ms(part_ms, self._light)  # which counts it, by _waited()
            until_off = self._pass(0)
            self._awake()
            left_ms -= max(1, self._cycle_ms - before_ms)
        self._elapsed_ms = self._cycle_ms
        self._cycle_ms = 0

    def _awake(self):
        """A part of the sleep is over."""
        self.sensors.keep_alive()

    def tell(self, kind, text):
        """Write an event's line on the console."""
        day, second = self.port.date()
        self.lines.event(kind, day * _DAY_S + second, text)

    def _blink(self, times, ms):
        for _ in range(times):
            self._led.set(1)
            self.port.sleep_ms(ms)
            self._led.set(0)
            self.port.sleep_ms(200)

    def _waited(self, ms):
        """The port has waited: outputs may have to go off. Return how long it may wait until the next, 0: any time."""
        self._watchdog.waited(ms)
        return self._pass(max(0, ms - 1))  # the ticks may be within one

    def _pass(self, least_ms):
        """Count the time since the last call, by the ticks; return the ms until the first output has to go off.

        Args:
            least_ms: what it can't be less than; taken where the ticks say what can't be.
        Returns:
            int; 0: none is on.
        """
        now = self.port.ticks_ms()
        ms = self.port.ticks_diff(now, self._seen)
        self._seen = now
        if not least_ms <= ms < least_ms + LATE_MS:
            ms = least_ms
        self._cycle_ms += ms
        self._up_ms = min(CONFIRM_MS, self._up_ms + ms)
        first = 0
        for action in self.actions:
            left = action.elapse(ms)
            if left and (not first or left < first):
                first = left
        return first

    @start_only
    def _recall(self, slots, path, boot, signatures):
        """Return the Classifier to use, or None; install the file at `path` before, if it's a new one."""
        rejected = boot.rejected if boot else 0
        note = install(path, slots, rejected, self.sensors, self.interval_ms, signatures)
        if note:
            self.notes.append(note)
        classifier = recall(path, slots, rejected, self.sensors, self.interval_ms, self.notes)
        if not classifier and slots.generation and boot and not rejected:
            if boot.config_on_trial and self._kept.generation:
                raise ConfigError(self.notes[-1])
            boot.reject(slots.generation)
            classifier = recall(path, slots, boot.rejected, self.sensors, self.interval_ms, self.notes)
        return classifier

    def _look_at_trial(self):
        """What is on trial may be another's by now: brought by cable."""
        try:
            from dibble.update.trial import is_on_trial

            on_trial = is_on_trial(self)
        except ImportError:  # the firmware that came since has no updates by radio
            on_trial = False
        if not on_trial:
            self.boot.report_arrived()
        forget("dibble.update.trial", "dibble.update.kept", "dibble.update.offer")

    def take_update(self, reports=False):
        """Take what came by radio, complete: start anew with it, or return why not.

        Args:
            reports: whether the radio tells that a report arrived: what comes is good only after one.
        """
        from dibble.update.place import place

        try:
            why = place(self.port, self.boot, reports)
        except (OSError, RecordError) as error:
            why = str(error)
        forget("dibble.update.place", "dibble.update.reading", "dibble.update.parcel", "dibble.update.kept")
        forget("dibble.update.offer", "dibble.update.firmware", "dibble.storage.signatures")
        if why:
            self.tell("update", "refused: " + why)
            return why
        self.tell("update", "it has come whole: the node starts anew to try it")
        self._start_anew()

    def _start_anew(self):
        self.switch_off()
        self.log.flush()
        self.port.reset()

    def _make_radio(self):
        from dibble.report.radio import Radio

        return Radio(self, *self._mqtt)
