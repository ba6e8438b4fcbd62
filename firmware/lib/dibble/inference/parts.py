"""The optional parts of a model file of format 3: what they are called, and where their content lies.

All that a part holds changes what a model decides. So a firmware that doesn't know one refuses the file.
"""

from array import array

from dibble import ModelError
from dibble.inference.format import Cursor

CELLS = b"cells"  # how many channels of 8 bits there are, none of which is told: a sense's
IMAGE = b"image"  # image.py
NUMBER = b"number"  # number.py
STAND_INS = b"stand_ins"  # stand_ins.py
BASELINES = b"baselines"  # baselines.py
# Those that this firmware reads, some of them in senses/.
KNOWN = CELLS, b"frames", IMAGE, NUMBER, b"ratios", b"segment", STAND_INS, BASELINES


def read(file):
    """Return name -> place of each part's content, and pass over them.

    Raises:
        ModelError: this firmware doesn't know one.
    """
    found = {}
    for _ in range(file.number()):
        name = bytes(file.take(file.byte()))
        size = file.number()
        if name not in KNOWN:
            raise ModelError(
                "expected optional parts that this firmware knows (%s), got part %s: update the firmware"
                % (", ".join([str(known, "utf-8") for known in KNOWN]) or "none", repr(name)[1:])
            )
        found[name] = file.at
        file.take(size)
    return found


def cells(model, low):
    """Return (low, high, limits) of a model whose channels aren't told.

    Args:
        low: of the channels that are told: there are none beside cells.
    Returns:
        limits that are bytes say that a feature is a code as it comes: no scaler of it is told either.
    """
    count = Cursor(model.blob, model.parts[CELLS]).number()
    if not 0 < count < 256 or len(low):
        raise ValueError("%d cells" % count)
    return array("i", [0] * count), array("i", [255] * count), b"\xff" * count
