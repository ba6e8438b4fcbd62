"""What an action with the flag "novel" follows: whether readings are unlike those that the model learned from."""

from dibble.inference.decision import NO_CLASS, NOVEL, OUT_OF_RANGE, SENSOR_FAULT


class Alarm:
    """Decisions that are novel or out of range, so many in a row as it takes to change the held class.

    Args:
        decision: the model's Decision, overwritten by each prediction.
    Attributes:
        held_index: 0 while readings are unlike, NO_CLASS while they aren't: an Action follows it as a held class.
    """

    def __init__(self, decision):
        self.held_index = NO_CLASS
        self._decision = decision
        self._agreed = 0

    def update(self):
        """Take the decision of this cycle; one on missing readings tells nothing, and the count begins anew."""
        decision = self._decision
        index = 0 if decision.flags & (NOVEL | OUT_OF_RANGE) else NO_CLASS
        if index == self.held_index or decision.flags & SENSOR_FAULT:
            self._agreed = 0
            return
        self._agreed += 1
        if self._agreed >= decision.hysteresis:
            self.held_index = index
            self._agreed = 0
