"""A battery that is too low for outputs and radio."""

from dibble.inference.fixed_point import MISSING

RECOVERED_MV = 150  # above low_mv, or above what it rises to by itself without its load


class LowBattery:
    """Tells whether the battery is too low: from low_mv on, until well above it.

    One that sank under an output has to come well above what it rises to without: or it would sink again.

    Args:
        low_mv: from config.json.
    Attributes:
        is_flat: as of the last update.
    """

    def __init__(self, low_mv):
        self.is_flat = False
        self._low_mv = low_mv
        self._sank = False
        self._enough_mv = 0

    def update(self, mv, loaded):
        """Take a reading; return what there is to tell of it, "" mostly.

        Args:
            mv: MISSING changes nothing.
            loaded: whether an output is on.
        """
        if mv == MISSING:
            return ""
        if self._sank and not loaded:
            self._sank = False
            self._enough_mv = max(self._low_mv, mv) + RECOVERED_MV
        flat = mv < (self._enough_mv if self.is_flat else self._low_mv)
        if flat == self.is_flat:
            return ""
        self.is_flat = flat
        if flat:
            self._sank = bool(loaded)
            self._enough_mv = self._low_mv + RECOVERED_MV
        return "%d mV: %s" % (mv, "outputs off, no radio" if flat else "outputs and radio again")
