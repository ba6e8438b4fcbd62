"""Who sets whom: a clock chip sets the board's calendar, and whoever knows better, the chip."""

from dibble import SensorError
from dibble.clock_chips import apart_s, chip_named
from dibble.drivers.second_try import twice

WITHIN_S = 2


class ClockKeeper:
    """Keeps the board's time by a chip's: at the start, and once a day, as the chip's crystal is the better one.

    Args:
        name: of the chip, as config.json's clock has it.
        bus: the I2C bus.
        port: of the node.
    """

    def __init__(self, name, bus, port):
        self._name = name
        self._chip = chip_named(name, bus)
        self._port = port
        self._day = -1  # on which both were the same
        self._error = ""
        self._was_set = False  # the board, by somebody who knows the time
        self._note = self._compare()

    def set_by_others(self):
        """Take it that the board's clock was set by somebody who knows: the chip gets that."""
        self._was_set = True

    def keep(self, node):
        """Look whether it's time; tell what there is to tell. Nothing of it ends a cycle."""
        if self._was_set or self._day < 0 or self._port.date()[0] != self._day:
            self._note = self._compare() or self._note
        if self._note:
            node.tell("clock", self._note)
            self._note = ""

    def _compare(self):
        """Set the board by the chip, or the chip by the board; return what there is to tell, "": nothing."""
        try:
            note = self._set_one()
            self._day = self._port.date()[0]
            self._error = ""
            self._was_set = False
            return note
        except Exception as caught:  # of a chip, of its bus, of a port's calendar: the node runs without
            error = str(caught) if isinstance(caught, SensorError) else repr(caught)
        note = "" if error == self._error else "%s: %s" % (self._name, error)
        self._error = error
        return note

    def _set_one(self):
        port, chip = self._port, self._chip
        try:
            moment = twice(chip.read)
        except SensorError:
            if not port.date_is_set():
                raise
            moment = None  # the board knows it: from deploy, from fetch, from the network
        now = port.date()
        if moment and not self._was_set:
            if port.date_is_set() and apart_s(now, moment) <= WITHIN_S:
                return ""
            port.set_date(*moment)
            return "set by the %s" % self._name
        if moment and self._day == now[0] and apart_s(now, moment) <= WITHIN_S:
            return ""
        chip.write(*now)
        return "the %s is set" % self._name if not moment or apart_s(now, moment) > WITHIN_S else ""
