"""MicroPython's entry."""

import gc
import os

gc.threshold(8192)  # collect before the heap is in pieces

try:
    os.stat("dibble_update.txt")
except OSError:
    pass
else:  # the power failed while a deploy put its files into their places
    import dibble_update
    import machine

    if dibble_update.complete():
        machine.reset()

from dibble import app  # noqa: E402
from dibble.ports import micropython as port  # noqa: E402

app.run(port)
