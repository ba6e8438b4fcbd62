"""A configured node and its wake cycle, a list of steps."""

import gc
import sys

from dibble import ConfigError, RecordError
from dibble.classifier import install, recall
from dibble.forgetting import FIRST_LOOK, forget, start_only
from dibble.inference.decision import NO_CLASS, SENSOR_FAULT, Decision
from dibble.inference.fixed_point import MISSING
from dibble.node_parts import clock_keeper, costly_of, look_at_trial, low_battery_of, number_of, outputs_of
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
LATE_MS = 3600000  # no wait ends later than that
FAILURES = 3  # cycles in a row that end in an error: then a reset
STOPS = 3
TRIALS = 6  # reports in a row that what came by radio has to bring one of to its end
_DAY_S = 86400


def expected(fault):
    """Return the part of an error's text that stays the same as long as the error does."""
    return fault.split(", got ")[0]


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
        model_name: of the model, "" where there is none.
        classifier, gate: Classifier of the model and of the first stage, None: there is none.
        outputs: Outputs, None: no action is configured.
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
        mqtt, lorawan = config["mqtt"], config["lorawan"]
        self._radio_ms = mqtt["join_ms"] + 14 * mqtt["timeout_ms"] if mqtt["host"] else 0
        if lorawan["driver"]:
            self._radio_ms = lorawan["send_ms"]
        self._watchdog = Watchdog(port, config["watchdog_ms"], self.interval_ms + AWAKE_LIMIT_MS + self._radio_ms)
        self._slice_ms = config["watchdog_ms"] // 2 or self.interval_ms
        self.sensors = Sensors(config, port)
        config["sensors"] = ()
        forget(*[name for name in sys.modules if name.startswith("dibble.drivers.")])  # they are built
        self.notes += self.sensors.notes
        port.light_sleep = self._light = self._light and not self.sensors.count_asleep
        self.clock = clock_keeper(config["clock"]["chip"], self.sensors.bus, port)
        if self.sensors.keep_alive_ms:
            self._slice_ms = min(self._slice_ms, self.sensors.keep_alive_ms)
        self.classifier = self._recall(models, MODEL, boot, signatures)
        gates = Slots("gate")
        self.gate = self._recall(gates, GATE, None, signatures) if self.sensors.costly else None
        model = self.classifier.model if self.classifier else None
        if model and model.unsure_below < config["margin"]:
            model.unsure_below = config["margin"]
        self.decision = model.decision if model else Decision(1)
        self._begin_beside(config, signatures)
        self._costly = costly_of(self.sensors, self.gate, config["gate"], self.notes)
        self.classes = self.classifier.classes if model else ()
        self.model_name = self.classifier.name if model else ""
        self.readings = self.sensors.values  # all of them, whatever the model uses: they train the next one
        self._number = number_of(model, self.sensors)
        names = self.sensors.names
        self.channels = [(names[i], self.sensors.units[i]) for i in range(len(names))]
        forget(*FIRST_LOOK)  # it and what comes now don't have to fit at once
        # A configuration under which the node ran has written its times, if it has actions.
        self.outputs = outputs_of(config["actions"], self.classifier, port, not boot.config_on_trial, self.notes)
        self._led = port.output(config["led"]) if config["led"] != "" else None
        if self._stands_in and not self._led:
            self._led = port.status_led()
        self._battery = names.index("battery_mv") if "battery_mv" in names else -1
        self._low = low_battery_of(config["low_battery_mv"], self._battery)
        log = config["log"]
        sent = Slots("sent")
        kept = sent.newest() if mqtt["host"] else None
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
        self._reports = (mqtt, config["node"], sent, last) if mqtt["host"] else None  # what its radio is made of
        self._by_lorawan = lorawan["driver"] != ""
        if self._by_lorawan:
            self._reports = (lorawan,)
        self._radio, self._radio_error = None, ""
        self._unheard = 0  # reports that didn't arrive: of use until one has
        self.sequence = self.time_s = self.action = self.faults = 0
        self.battery_mv = None
        self._elapsed_ms = None
        self._up_ms = self._cycle_ms = 0
        self._seen = port.ticks_ms()
        self._told = {}
        if boot.awaits_report:
            look_at_trial(self)
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

    @start_only
    def begin(self):
        """Tell what runs, and what there was to tell of a start."""
        if self.classifier:
            crc = tuple(reversed(self.classifier.identity))
            self.tell("model", self.model_name + " CRC %02x%02x%02x%02x" % crc)
            self.tell("kernel", self.classifier.kernel + (", its file in ROMFS" if self.classifier.in_place else ""))
        for note in self.notes:
            self.tell("boot", note)
        forget(*FIRST_LOOK)

    def run(self):
        """Cycle for ever; raise what ended the third cycle in a row that failed."""
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
        """Read what costs much (a gas heater), unless that isn't worth it: the last readings stay."""
        due = self._costly and self._costly.are_due(self._elapsed_ms)
        if due:
            self.sensors.read(True)
        self.sensors.check_plausible(due)
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
        if self._low:
            loaded = self.outputs and self.outputs.on()
            told = self._low.update(self.sensors.values[self._battery], loaded)
            if told:
                self.tell("battery", told)
        if self.outputs:
            self._switch(faulty or self._is_flat())
            self.action = self.outputs.on()
            error = self.outputs.times.error
            if error != self._told.get("on_times", ""):
                self._told["on_times"] = error
                if error:
                    self.tell("log", error)
        if self._led:
            if self._stands_in:
                self._blink(2, 400)
            self._show(faulty)

    def _switch(self, off):
        """Switch the outputs by the held class or flag, or off."""
        self.outputs.follow(off)

    def _show(self, faulty):
        self._blink(1 if faulty else min(self.decision.class_index, 9) + 1, 400 if faulty else 40)

    def switch_off(self):
        """Switch all outputs off, as for a fault."""
        if self.outputs:
            self.outputs.switch_off()

    def _is_flat(self):
        """Tell whether the battery is too low for outputs and radio."""
        return self._low and self._low.is_flat

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
            self._reports and not self._is_flat() and not 0 < self._pass(0) < self._radio_ms
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
                if self.take_update():
                    self._radio.hurry()

    def confirm(self):
        """After a good reading and a minute: this boot, its model and its configuration are good."""
        self._pass(0)
        good = self.boot.unconfirmed and self._up_ms >= CONFIRM_MS and self.faults < max(1, len(self.sensors.all))
        if self.boot.awaits_report:
            if self._unheard >= TRIALS or good and not self._reports:
                self.tell("update", "no report arrived since: the node goes back to what it ran before")
                from dibble.update.on_trial import go_back  # it's there: _look_at_trial() had it

                go_back(self.boot)
                self.start_anew()
        elif good:
            self.boot.confirm()
            try:
                if self._kept.newest() != self.config_text:
                    self._kept.write(self.config_text)
            except RecordError as error:  # a drive that the node may not write: it runs all the same
                self.tell("log", str(error))
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
        port = self.port
        now = port.ticks_ms()
        ms = port.ticks_diff(now, self._seen)
        self._seen = now
        if not least_ms <= ms < least_ms + LATE_MS:
            ms = least_ms
        self._cycle_ms += ms
        if self._up_ms < CONFIRM_MS:
            self._up_ms += ms
        return self.outputs.elapse(ms) if self.outputs else 0

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

    def take_update(self):
        """Take what came by radio, complete: start anew with it, or return why not."""
        from dibble.update.place import take

        why = take(self)
        forget("dibble.update.place", "dibble.update.reading", "dibble.update.opening", "dibble.update.parcel")
        forget("dibble.update.kept", "dibble.update.offer", "dibble.update.offered")
        forget("dibble.update.firmware", "dibble.storage.signatures")
        return why

    def start_anew(self):
        """Begin a new life, with what is on the flash now."""
        self.switch_off()
        self.log.flush()
        self.port.reset()

    def _make_radio(self):
        if self._by_lorawan:
            from dibble.report.lorawan_radio import LorawanRadio

            return LorawanRadio(self, *self._reports)
        from dibble.report.radio import Radio

        return Radio(self, *self._reports)
