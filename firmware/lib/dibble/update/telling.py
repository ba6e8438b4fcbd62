"""The last part of an update's contact by MQTT: what the node says of it."""

from dibble.report.state import quoted

NAMES = ("model", "gate", "config", "firmware")  # of kept.KINDS
STATES = ("receiving", "tried", "confirmed", "refused", "rolled back")  # that are kept, by kept.py's numbers


def text_of(standing, installed):
    """Return a Standing as JSON for the topic `update`; installed: identity of the model that runs, or None."""
    known = standing.state >= 0
    return '{"kind":%s,"crc":%s,"state":%s,"have":%d,"of":%d,"why":%s,"installed":%s,"latest":%s}' % (
        quoted(NAMES[standing.kind]) if known else "null",
        _hex(standing.crc) if known else "null",
        quoted((STATES + ("offered",))[standing.state]) if known else "null",
        standing.have,
        standing.count,
        quoted(standing.why),
        _hex(installed),
        _hex(standing.latest or installed),
    )


def _hex(crc):
    """Return 4 bytes, least first, as a JSON string of 8 hexadecimal digits."""
    return '"%02x%02x%02x%02x"' % tuple(reversed(crc)) if crc else "null"
