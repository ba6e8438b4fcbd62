"""What a node says of itself by MQTT beside its records, each a retained JSON object: what it is, and how it is."""

import sys

from dibble import __version__
from dibble.inference.crc32 import crc32
from dibble.inference.decision import OUT_OF_RANGE, UNSURE
from dibble.report.state import quoted


def about(node):
    """Return which firmware, model and configuration a node has, and the first record that its log still holds."""
    model = node.classifier
    high, low = crc32(node.config_text, len(node.config_text))
    first = 0
    for number, _ in node.log.read_from(1):
        first = number
        break
    return (
        '{"firmware":"%s","board":%s,"model":%s,"model_name":%s,"config":"%04x%04x","interval_s":%d,"first_seq":%d,"mpy":%d}'
    ) % (
        __version__,
        quoted(node.port.KIND),
        '"%02x%02x%02x%02x"' % tuple(reversed(model.identity)) if model else "null",
        quoted(node.model_name) if model else "null",
        high,
        low,
        node.interval_ms // 1000,
        first,
        getattr(sys.implementation, "_mpy", 0),
    )


class Health:
    """Counts what a node's decisions were like since power-on."""

    def __init__(self):
        self._decisions = self._unsure = self._outside = 0

    def count(self, decision):
        """Take a cycle's decision; from a million on, shares are those of the later half."""
        if self._decisions == 1000000:
            self._decisions >>= 1
            self._unsure >>= 1
            self._outside >>= 1
        self._decisions += 1
        self._unsure += decision.flags & UNSURE != 0
        self._outside += decision.flags & OUT_OF_RANGE != 0

    def text(self, node):
        """Return how a node is as JSON; shares in permille."""
        decisions = max(self._decisions, 1)
        values = (
            ("battery_mv", node.battery_mv),
            ("rssi_dbm", node.port.rssi_dbm()),
            ("up_s", node.port.up_s()),
            ("boots", node.boot.unconfirmed),
            ("faults", node.faults),
            ("unsure_permille", self._unsure * 1000 // decisions),
            ("out_of_range_permille", self._outside * 1000 // decisions),
            ("records", node.log.acknowledged),
        )
        return "{%s}" % ",".join(['"%s":%s' % (key, "null" if value is None else value) for key, value in values])
