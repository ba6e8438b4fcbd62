"""What a decision switches: a relay or a valve, never for longer than it may be on."""

from dibble.forgetting import start_only


class Action:
    """One output that is on while a class is held.

    In no stretch of max_on_ms + rest_ms is it on for longer than max_on_ms in all: it has that much time, and gets it
    back by being off for rest_ms on end. A fault doesn't end a run: after it the output may use up what is left.

    Args:
        class_index: of the model's class that switches it on; -1: it has none.
        output: the port's, made so that it is off.
        max_on_ms, rest_ms: the longest it is on, and how long it is off after having been on.
        active_low: the relay is on when the pin is low.
    Attributes:
        left_ms: how long it may be on before it has to rest; 0: it rests.
        rest_left_ms: until it may be on for max_on_ms again.
    """

    @start_only
    def __init__(self, class_index, output, max_on_ms, rest_ms, active_low):
        self.class_index = class_index
        self.is_on = False
        self.left_ms = max_on_ms
        self.max_on_ms = max_on_ms
        self.rest_ms = rest_ms
        self._output = output
        self._active_low = active_low
        self._set(False)

    def want(self, held_index, faulty):
        """Switch by the held class; a sensor fault switches off."""
        if faulty or held_index != self.class_index:
            if self.is_on:
                self._set(False)
            if not faulty and self.left_ms < self.max_on_ms:
                self.left_ms = 0
        elif self.left_ms and not self.is_on:
            self._set(True)

    def elapse(self, ms):
        """Let time pass; return the ms until the output must go off, 0 where it is off."""
        if self.is_on:
            self.left_ms = max(0, self.left_ms - ms)
            if not self.left_ms:
                self._set(False)
            return self.left_ms
        self.rest_left_ms = max(0, self.rest_left_ms - ms)
        if not self.rest_left_ms:
            self.left_ms = self.max_on_ms
        return 0

    def _set(self, on):
        self._output.set(on != self._active_low)
        self.rest_left_ms = self.rest_ms
        self.is_on = on
