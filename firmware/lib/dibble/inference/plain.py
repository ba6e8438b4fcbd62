"""The library in one file, for plain models of one family: `dibble library FAMILY --plain` makes it of the others.

It loads what the host checked, and neither tests nor describes itself: there is no room for what does.
"""

from dibble import ModelError
from dibble.inference import contents
from dibble.inference.model import Model


def load(path):
    """Return the Model in the file at `path`; raise ModelError where it isn't whole, or isn't plain."""
    return Model(contents(path), checked=True)


def reason(blob, error):
    """Return the ModelError of bytes that aren't a plain model: in few words what errors.reason() tells."""
    return ModelError(
        "expected a whole plain model, got %r: if whole, it needs `dibble library` without --plain" % error
    )


def no_row(row, channels):
    """Return the ModelError of a row that isn't an int for each of the channels."""
    return ModelError("expected %d readings, ints, got %r" % (channels, row))
