"""What a decision switches: a relay or a valve, never for longer than it may be on."""


class Action:
    """One output that is on while a class is held.

    Args:
        class_index: of the model's class that switches it on; -1: it has none.
        output: the port's, made so that it is off.
        max_on_ms, rest_ms: the longest it is on, and how long it is off after having been on.
        active_low: the relay is on when the pin is low.
    """

    def __init__(self, class_index, output, max_on_ms, rest_ms, active_low):
        self.class_index = class_index
        self.is_on = False
        self._output = output
        self._max_on_ms = max_on_ms
        self._rest_ms = rest_ms
        self._active_low = active_low
        self._left_ms = 0  # until it goes off, or may go on again
        self._set(False)

    def want(self, held_index, faulty):
        """Switch by the held class; a sensor fault switches off."""
        wanted = held_index == self.class_index and not faulty
        if self.is_on and not wanted:
            self._set(False)
        elif wanted and not self.is_on and self._left_ms <= 0:
            self._set(True)

    def elapse(self, ms):
        """Let time pass; return the ms until the output must go off, 0 where it is off."""
        self._left_ms = max(0, self._left_ms - ms)
        if not self.is_on:
            return 0
        if not self._left_ms:
            self._set(False)
            return 0
        return self._left_ms

    def _set(self, on):
        self._output.set(on != self._active_low)
        if on or self.is_on:
            self._left_ms = self._max_on_ms if on else self._rest_ms
        self.is_on = on
