"""What a decision switches: a relay or a valve, never for longer than it may be on."""


class Action:
    """One output that is on while a class is held.

    In no stretch of max_on_ms + rest_ms is it on for longer than max_on_ms in all: its time on is counted until it has
    been off for rest_ms on end. A fault doesn't end a run: after it the output may use up what is left of its time.

    Args:
        class_index: of the model's class that switches it on; -1: it has none.
        output: the port's, made so that it is off.
        max_on_ms, rest_ms: the longest it is on, and how long it is off after having been on.
        active_low: the relay is on when the pin is low.
    Attributes:
        on_ms, off_ms: how long it has been on since its last rest, and off since then.
        resting: its run is over.
    """

    def __init__(self, class_index, output, max_on_ms, rest_ms, active_low):
        self.class_index = class_index
        self.is_on = False
        self.on_ms = 0
        self.off_ms = 0
        self.resting = False
        self.max_on_ms = max_on_ms
        self.rest_ms = rest_ms
        self._output = output
        self._active_low = active_low
        self._set(False)

    def want(self, held_index, faulty):
        """Switch by the held class; a sensor fault switches off."""
        wanted = held_index == self.class_index
        if self.is_on:
            if faulty or not wanted:
                self._set(False)
        elif wanted and not faulty and not self.resting:
            self._set(True)
        if not wanted and not faulty and self.on_ms:
            self.resting = True

    def elapse(self, ms):
        """Let time pass; return the ms until the output must go off, 0 where it is off."""
        if self.is_on:
            self.on_ms += ms
            if self.on_ms < self.max_on_ms:
                return self.max_on_ms - self.on_ms
            self.resting = True
            self._set(False)
        elif self.on_ms:
            self.off_ms += ms
            if self.off_ms >= self.rest_ms:
                self.on_ms = 0
                self.resting = False
        return 0

    def _set(self, on):
        self._output.set(on != self._active_low)
        self.off_ms = 0
        self.is_on = on
