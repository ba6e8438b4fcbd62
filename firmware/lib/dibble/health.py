"""Readings that can't be: a sensor that says the same for ever, or jumps."""

from array import array

from dibble import SensorError
from dibble.forgetting import start_only
from dibble.inference.fixed_point import MISSING

AGREE = 3  # readings in a row, close to each other, that make a jump true


class Health:
    """Doubts one sensor's readings.

    Args:
        channels: how many readings it gives.
        stuck_cycles: so often the same raw values are stuck; 0: never.
        max_step: for each channel the furthest it moves between cycles; 0: any distance.
    """

    @start_only
    def __init__(self, channels, stuck_cycles, max_step):
        self.stuck_cycles = stuck_cycles
        self.max_step = max_step
        self.last = array("i", [MISSING] * channels)
        self.good = array("i", [MISSING] * channels)
        self.agreed = bytearray(channels)
        self.raw = None
        self.same = 0

    def check_plausible(self, values, first, raw):
        """Take the readings at values[first:], and put MISSING where one is doubted.

        Args:
            raw: what the readings were made of, before anything was rounded or held within limits.
        Returns:
            place among the sensor's channels of the first that is doubted, -1: none is.
        Raises:
            SensorError: the sensor is stuck.
        """
        self.same = self.same + 1 if raw == self.raw else 0
        self.raw = raw
        if self.stuck_cycles and self.same >= self.stuck_cycles:
            raise SensorError(
                "expected raw values that change by their noise, got the same %d times: stuck" % (self.stuck_cycles + 1)
            )
        doubted = -1
        for i in range(len(self.last) - 1, -1, -1):
            value = values[first + i]
            if i < len(self.max_step) and self.max_step[i] and not self._plausible(i, value, self.max_step[i]):
                values[first + i] = MISSING
                doubted = i
            self.last[i] = value
        return doubted

    def _plausible(self, i, value, step):
        """Tell whether a reading is near the last good one, or the third in a row near each other."""
        good = self.good[i]
        if value == MISSING:
            return True
        if good != MISSING and abs(value - good) > step:
            near = self.last[i] != MISSING and abs(value - self.last[i]) <= step
            self.agreed[i] = self.agreed[i] + 1 if near else 1
            if self.agreed[i] < AGREE:
                return False
        self.agreed[i] = 0
        self.good[i] = value
        return True
