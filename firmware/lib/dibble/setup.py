"""What the node needs at power-on only: its heap is given back before the cycle begins."""

from dibble import config
from dibble.drivers import driver
from dibble.storage.boot import NORMAL
from dibble.storage.slots import Slots

CONFIG = "config.json"


def configure(mode):
    """Return (configuration, its text, Slots of the last good one, notes to tell).

    Args:
        mode: NORMAL or PREVIOUS: then the last good configuration goes first.
    Raises:
        ConfigError: neither can be used.
    """
    kept = Slots("config")
    notes = []
    last = kept.newest()
    chosen, text = config.choose(_read(CONFIG), last, mode != NORMAL, lambda name: driver(name).SETTINGS, notes)
    for entry in chosen["sensors"]:
        driver(entry["driver"]).SETTINGS = ()  # a kilobyte each
    return chosen, text, kept, notes


def _read(path):
    """Return a file's bytes, or None."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
