"""CircuitPython's entry."""

import builtins
import gc

plain_import = builtins.__import__


def tidy_import(*arguments):
    """Import from a clean heap. CircuitPython collects only a full one, which is in pieces by then."""
    gc.collect()
    return plain_import(*arguments)


setattr(builtins, "__import__", tidy_import)

from dibble import app  # noqa: E402
from dibble.ports import circuitpython as port  # noqa: E402

app.run(port)
