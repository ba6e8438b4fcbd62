"""What the node needs at power-on only: its heap is given back before the cycle begins."""

import os

from dibble import RecordError, config
from dibble.drivers import driver
from dibble.forgetting import CHECKS, FIRST_LOOK, forget
from dibble.inference.crc32 import crc32
from dibble.storage.boot import PROVEN
from dibble.storage.slots import GATE, MODEL
from dibble.storage.words import crc_bytes

CONFIG = "config.json"
NONE = b"none"
CRC_BYTES = 4  # at the end of a model's file
_PIECE_BYTES = 256


def candidate(kept):
    """Return what BootState.begin() is to know of config.json.

    Args:
        kept: Slots of the last good one.
    Returns:
        4 bytes that tell it from others, PROVEN where it is the last good one; whether there is such.
    """
    last = kept.newest()
    crc = (0, 0)
    size = 0
    try:
        with open(CONFIG, "rb") as file:
            piece = file.read(_PIECE_BYTES)
            while piece:
                size += len(piece)
                crc = crc32(piece, len(piece), 0, crc)
                piece = file.read(_PIECE_BYTES)
    except OSError:
        return NONE, last is not None
    if last is not None and len(last) == size and crc32(last, size) == crc:
        return PROVEN, True
    return crc_bytes(crc), last is not None


def configure(kept, rejected, signatures=None):
    """Return (configuration, its text, Slots of the last good one, whether that stands in, notes to tell).

    Args:
        kept: Slots of the last good one.
        rejected: config.json isn't to be used.
        signatures: storage.signatures.Signatures where the node has a key, else None.
    Raises:
        ConfigError: neither can be used.
    """
    notes = []
    if rejected:
        notes.append("config.json isn't used: the node never ran well under it: change it, or deploy another")
    last = kept.newest()
    text = _read(CONFIG, notes)
    if signatures and text is not None:
        text = _signed(text, last, signatures, notes)
    chosen, text = config.choose(text, last, rejected, lambda *named: driver(*named).SETTINGS, notes)
    for entry in chosen["sensors"]:
        driver(entry["driver"]).SETTINGS = ()  # a kilobyte each
    return chosen, text, kept, config.STANDS_IN in notes, notes


def look_first():
    """Check what new models' files say before the node is there, which then finds that they passed.

    Both don't have to fit at once. What is wrong the node tells.
    """
    from dibble.inference import contents, model_of, passed
    from dibble.inference.golden import keep_pass

    for path in (MODEL, GATE):
        try:
            with open(path, "rb") as file:
                file.seek(-CRC_BYTES, 2)
                identity = file.read(CRC_BYTES)
            if not passed(path, identity):
                model_of(contents(path))
                keep_pass(path, identity)
        except Exception:
            pass
    forget(*CHECKS + FIRST_LOOK)


def _signed(text, last, signatures, notes):
    """Return config.json's text where it is signed, or the last good one; else None."""
    try:
        signatures.accept(CONFIG, text)
    except RecordError as error:
        if text != last:
            notes.append("config.json isn't used: %s" % error)
            return None
    return text


def _read(path, notes):
    """Return a file's bytes, or None."""
    try:
        size = os.stat(path)[6]
        if size > config.MOST_BYTES:
            notes.append("%s: expected at most %d bytes, got %d" % (path, config.MOST_BYTES, size))
            return None
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
    except MemoryError:
        notes.append("%s: expected a file that fits the heap, got %d bytes" % (path, size))
        return None
