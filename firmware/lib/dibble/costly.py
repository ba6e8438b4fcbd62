"""Whether readings that cost much (a gas heater's) are worth it in a cycle."""


class Costly:
    """Asks what costs little: the first stage's model, the gate, and arrays that see something stand out or move.

    Args:
        sensors: the node's Sensors.
        gate: Classifier of the first stage, None: there is none.
        skip: the class at which nothing is read that costs much.
        max_age_cycles: how old the last readings may get.
    """

    def __init__(self, sensors, gate, skip, max_age_cycles):
        self._sensors = sensors
        self._gate = gate
        self._skip = skip
        self._max_age = max_age_cycles
        self._age = max_age_cycles  # cycles since they were taken
        self._saw = False

    def are_due(self, elapsed_ms):
        """Tell whether they are to be taken now; call once a cycle, after what costs little was read.

        A failed one is read again. What an array that is watched has seen is looked at once more after it went: so what
        stays is what nobody was in.

        Args:
            elapsed_ms: since the last cycle, None: unknown.
        """
        sensors = self._sensors
        saw = self._saw
        self._saw = sensors.sees()
        due = True
        if self._age < self._max_age and not sensors.costly_is_missing():
            if sensors.watch:
                due = self._saw or saw
            if due and self._gate:
                decision = self._gate.decide(elapsed_ms)
                due = decision.flags != 0 or decision.class_index != self._skip
        if due:
            self._age = 0
        self._age += 1
        return due
