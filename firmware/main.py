"""MicroPython's entry."""

import gc

gc.threshold(8192)  # collect before the heap is in pieces

from dibble import app  # noqa: E402
from dibble.ports import micropython as port  # noqa: E402

app.run(port)
