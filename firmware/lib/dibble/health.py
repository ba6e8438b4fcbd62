"""Readings that can't be: a sensor that says the same for ever, or jumps."""

from array import array

from dibble import SensorError
from dibble.inference.fixed_point import MISSING

AGREE = 3  # readings in a row, close to each other, that make a jump true


class Health:
    """Judges one sensor's readings.

    Args:
        channels: how many readings it gives.
        stuck_cycles: so often the same in all channels is stuck; 0: never.
        max_step: for each channel the furthest it moves between cycles; 0: any distance.
    """

    def __init__(self, channels, stuck_cycles, max_step):
        self.stuck_cycles = stuck_cycles
        self.max_step = max_step
        self.last = array("i", [MISSING] * channels)
        self.good = array("i", [MISSING] * channels)
        self.agreed = bytearray(channels)
        self.same = 0

    def judge(self, values, first):
        """Take the readings at values[first:], and put MISSING where one is doubted.

        Raises:
            SensorError: the sensor is stuck.
        """
        last = self.last
        changed = False
        for i in range(len(last)):
            value = values[first + i]
            if value != last[i]:
                changed = True
            if i < len(self.max_step) and self.max_step[i]:
                if not self._plausible(i, value, self.max_step[i]):
                    values[first + i] = MISSING
            last[i] = value
        self.same = 0 if changed else self.same + 1
        if self.stuck_cycles and self.same >= self.stuck_cycles:
            raise SensorError("expected readings to change, got the same %d times: stuck" % (self.same + 1))

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
