"""Reports by LoRaWAN: decisions go up, updates come down in the windows after. The radio's driver is its owner's.

A driver is a module beside config.json, as a sensor's of one's own: SETTINGS, and build(settings, port, bus), which
returns an object with

    send(port, data, confirmed) -> what came down after it, as a list of (port, bytes): mostly none, or one

- raises OSError where nothing can go up now (not joined, no time on the air left: 1 % in Europe) or, confirmed, where
  no acknowledgement came;
- takes `send_ms` of config.lorawan at most, its receive windows included, and waits by port.sleep_ms(), which feeds the
  watchdog;
- joins by itself, keeps its session and counters over resets, chooses the data rate.

What goes up: PORT of report/lorawan.py, a model's decision; READINGS_PORT, CayenneLPP, where there is no model; PORT
of update/lorawan.py, how an update stands.
"""

from dibble.forgetting import forget
from dibble.report.lorawan import PORT, Packer
from dibble.update.kept import TRIED

READINGS_PORT = 20
UPDATES_PORT = 22
MOST_BYTES = 51  # that each data rate takes
UPDATE = (
    "dibble.update.lorawan",
    "dibble.update.sums",
    "dibble.update.reading",
    "dibble.update.opening",
    "dibble.update.parcel",
    "dibble.update.kept",
    "dibble.update.offered",
    "dibble.update.offer",
)


class LorawanRadio:
    """Sends one message each so many cycles, and when the held class changes: the decision, or what an update wants.

    An update takes turns with decisions, so no more goes up for it; what is on trial goes first.

    Args:
        node: the Node.
        settings: of config.json's lorawan.
    Attributes:
        complete: an update has come whole.
    """

    def __init__(self, node, settings):
        self._driver = __import__(settings["driver"]).build(settings, node.port, node.sensors.bus)
        self._every = settings["every"]
        self._updates = settings["updates"]
        self._left = 0
        self._held = -1
        self._packer = Packer(node.classifier.model) if node.classifier else None
        self._taker = None  # update.lorawan.Downlinks, as long as there is something to take or to say
        self._asked = self._updates  # whether to see what there is to say
        self._followed = False  # the last that went up was of an update
        self._unknown = False  # a piece came of which nothing is known
        self._said = b""  # the last that was acknowledged
        self.complete = False

    def report(self, node):
        """Send if it's time; return why that failed, "" if it didn't; None: it isn't time.

        Raises:
            OSError, RecordError: a file can't be written; the piece may come again.
        """
        self._left -= 1
        held = node.decision.held_index
        if self._left > 0 and held == self._held:
            return None
        self._held = held
        self._left = self._every
        if (self._asked or self._taker) and (node.boot.awaits_report or not self._followed):
            error = self._follow(node)
            if error is not None:
                self._followed = True
                return error
        self._followed = False
        return self._send(node, *self._decision(node))

    def hurry(self):
        """What came isn't taken: say so."""
        self._taker = None
        self._asked = True
        self._followed = False
        self._left = 0

    def _decision(self, node):
        """Return (port, payload, False) of a node's last decision."""
        if self._packer:
            return PORT, self._packer.pack(node.decision, node.readings, node.battery_mv), False
        from dibble.report.cayenne import encode

        payload = encode(node, MOST_BYTES)
        forget("dibble.report.cayenne")
        return READINGS_PORT, payload, False

    def _follow(self, node):
        """Say how an update stands: until that is acknowledged, where nothing more is to come.

        Returns:
            as _send(); None: there was nothing to say.
        """
        taker = self._taker or self._look(node)
        taker.follow()
        self.complete = taker.complete
        answer = taker.answer()
        error = None
        on_trial = node.boot.awaits_report
        if not self.complete and (self._unknown or answer[0] and (answer != self._said or on_trial)):
            settles = not (taker.receives or self._unknown)
            error = self._send(node, UPDATES_PORT, answer, settles)
            if settles and not error:
                self._said = answer
                if on_trial:
                    node.boot.report_arrived()
            self._unknown = False
        if not (taker.receives or answer[0] == 1 + TRIED or error):
            self._taker = None
            forget(*UPDATE)
        return error

    def _send(self, node, port, data, confirmed):
        """Send, and take what comes down; return why that failed, "" if it didn't."""
        try:
            came = self._driver.send(port, bytes(data), confirmed)
        except OSError as error:
            return "LoRaWAN: %s" % error
        for port, payload in came:
            if port == UPDATES_PORT and self._updates and not self.complete:
                taker = self._taker or self._look(node)
                self._unknown = not taker.take(payload) and not taker.receives
                self.complete = taker.complete
        return ""

    def _look(self, node):
        from dibble.update.lorawan import Downlinks

        self._asked = False
        self._taker = Downlinks(node)
        return self._taker
