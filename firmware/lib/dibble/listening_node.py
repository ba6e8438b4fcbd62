"""A node that listens to a stream beside its wake cycle: whenever it would wait, it hears."""

from dibble import ModelError
from dibble.classifier import class_of
from dibble.inference.decision import NO_CLASS, SENSOR_FAULT, Decision
from dibble.listening import Listening
from dibble.node import Node
from dibble.senses.counts import CHANNELS
from dibble.storage.slots import Slots

VOICE = "voice.dib"


class ListeningNode(Node):
    """A Node whose model hears. Where it doesn't, or there is none, a note says so, and it is a plain Node.

    A sound that is acted on switches outputs at once, and is a record of its own; those of the wake cycle have no
    class, and tell what came of all sounds. What an output does goes on
    until its time is over, or another class is acted on.
    """

    _listening = None

    def __init__(self, port, boot, models, configured, signatures=None):
        configured[0]["sleep"] = "idle"  # a processor that stops hears nothing
        super().__init__(port, boot, models, configured, signatures)
        if self._listening:
            self.decision = Decision(1)
            self._slice_ms = max(1, self._listening.hop_ms >> 2)  # so often it writes down what it heard

    def _begin_beside(self, config, signatures):
        settings = config["listen"]
        if self.gate and self.gate.hears:
            self.notes.append("gate.dib isn't used: expected a model of readings, got one that hears")
            self.gate = None
        if not self.classifier or not self.classifier.hears:
            self.notes.append("config.listen: expected a model that hears, got none: nobody listens")
            return
        before = self._recall(Slots("voice"), VOICE, None, signatures)
        skip = class_of(before, settings["skip"], "listen.skip", self.notes) if before else -1
        sensors = self.sensors
        model = self.classifier.model
        try:
            try:
                self._listening = Listening(self, settings, model, before and before.model, skip)
            except ModelError as error:
                if not before:
                    raise
                self.notes.append("voice.dib isn't used: %s" % error)
                self._listening = Listening(self, settings, model, None, -1)
        except ModelError as error:
            self.notes.append("config.listen: %s" % error)
            return
        self.notes.append("listens: " + self._listening.description())
        self._counts_at = len(sensors.values)
        for name, unit in CHANNELS:
            sensors.values.append(0)
            sensors.names.append(name)
            sensors.units.append(unit)

    def decide(self):
        """Of the sensors' readings there is nothing to decide."""
        if self._listening:
            self.decision.settle(NO_CLASS, 0, SENSOR_FAULT if self.faults else 0, -1)
        elif not self.classifier or not self.classifier.hears:
            super().decide()

    def record(self):
        """Append a record; what came of all sounds since the last one is in it."""
        if self._listening:
            self._listening.counts(self.readings, self._counts_at)
        super().record()

    def worked(self):
        """A hop has been heard: outputs may have to go off, and the watchdog is fed."""
        self._watchdog.waited(max(0, self.port.ticks_diff(self.port.ticks_ms(), self._seen)))
        self._pass(0)

    def heard(self, index):
        """A sound of a class is acted on: at once."""
        if self.outputs:
            self.outputs.follow_class(index, self._is_flat())

    def _switch(self, off):
        if not self._listening:
            super()._switch(off)
            return
        if self._is_flat():
            self.switch_off()  # else what a sound has switched on goes on

    def _show(self, faulty):
        if faulty or not self._listening:
            super()._show(faulty)

    def _waited(self, ms):
        until_off = super()._waited(ms)
        if not self._listening:
            return until_off
        more_ms = self._listening.pump()
        return min(until_off or more_ms, more_ms)

    def _awake(self):
        super()._awake()
        listening = self._listening
        if not listening:
            return
        while listening.kept:
            sound = listening.kept.pop(0)
            self.tell("sound", listening.text(*sound))
            if listening.acted(*sound):
                self.decision.settle(sound[0], sound[1], 0, -1)
                if self.outputs:
                    self.action = self.outputs.on()
                self.record()
                self.report()
                self.decision.reset()
                if self._led:
                    self._blink(min(sound[0], 9) + 1, 40)
        lost = listening.lost()
        if lost:
            self.tell("lost", lost)
