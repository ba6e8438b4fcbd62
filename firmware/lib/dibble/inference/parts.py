"""The optional parts of a model file of format 3: what they are called, and where their content lies.

All that a part holds changes what a model decides. So a firmware that doesn't know one refuses the file.
"""

from dibble import ModelError

NUMBER = b"number"  # number.py
KNOWN = (NUMBER,)  # names of those that this firmware reads


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
