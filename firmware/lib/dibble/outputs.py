"""A node's outputs: what they follow, how long they are on, and that they can all be switched off."""

from dibble.classifier import class_of
from dibble.forgetting import start_only
from dibble.inference.decision import NO_CLASS
from dibble.on_times import TRIES, KeptAction, OnTimes


class Outputs:
    """All actions of a node; each is off from its first moment.

    Args:
        actions: of the configuration.
        classifier: the node's Classifier, None: there is none, so nothing is switched on.
        port: a module of dibble.ports.
        lost: whether there have to be times of an earlier boot.
        notes: list that what there is to tell is added to.
    Attributes:
        actions: the KeptActions.
        times: their OnTimes, which tells what is wrong with it.
    """

    @start_only
    def __init__(self, actions, classifier, port, lost, notes):
        decision = classifier.model.decision if classifier else None
        self._alarm = _alarm_of(decision, actions, classifier, notes)
        self._follows = [self._alarm if entry["flag"] else decision for entry in actions]
        self.actions = [
            KeptAction(
                entry["pin"],
                0 if entry["flag"] else class_of(classifier, entry["class"], "actions", notes),
                port.output(entry["pin"], entry["active_low"]),
                entry["max_on_s"] * 1000,
                entry["rest_s"] * 1000,
                entry["active_low"],
            )
            for entry in actions
        ]
        self.times = OnTimes(port.memory("on"), self.actions, lost)
        for action in self.actions:
            if action.tries >= TRIES:
                notes.append("an output rests: the power failed %d times as it went on: enough for it?" % TRIES)

    def follow(self, off):
        """Switch by the held class or flag, or off."""
        if self._alarm:
            self._alarm.update()
        for i in range(len(self.actions)):
            follows = self._follows[i]
            self.actions[i].want(follows.held_index if follows else NO_CLASS, off)

    def follow_class(self, index, off):
        """Switch those that follow a class by this one, held or not."""
        for i in range(len(self.actions)):
            if not self._alarm or self._follows[i] is not self._alarm:  # what follows a flag follows no class
                self.actions[i].want(index, off)

    def switch_off(self):
        """Switch all off, as for a fault."""
        for action in self.actions:
            action.want(NO_CLASS, True)

    def on(self):
        """Return the bits of those that are on; the first action's is bit 0."""
        bits = 0
        for i in range(len(self.actions)):
            bits |= self.actions[i].is_on << i
        return bits

    def elapse(self, ms):
        """Let time pass; return the ms until the first has to go off, 0: none is on."""
        first = 0
        for action in self.actions:
            left = action.elapse(ms)
            if left and (not first or left < first):
                first = left
        return first


@start_only
def _alarm_of(decision, actions, classifier, notes):
    """Return the Alarm that actions with a flag follow; None: there are none, so its code takes no heap."""
    if not decision or not any([entry["flag"] for entry in actions]):
        return None
    from dibble.alarm import Alarm
    from dibble.inference.format import NOVELTY

    if not classifier.model.blob[5] & NOVELTY:
        notes.append("config.actions: expected a model that tells what is novel, got one without its tables")
    return Alarm(decision)
