# ruff: noqa: F821
"""Runs inside a VM: what the micro:bit is given, with its heap locked while it decides; prints each decision.

Beside it lie `library` and `tables`, as the board has them, and `rows`, of 32-bit little-endian readings. In the place
of LOAD stands what loads the library, less its collections: on the WASI VM they'd free what is in use.
"""

import os

os.chdir(__file__[: __file__.rfind("/") + 1] or ".")
LOAD = None
d = node.decision
row = array("i", node.readings)
with open("rows", "rb") as rows:
    while rows.readinto(row):
        for i in range(len(row)):
            node.readings[i] = row[i]
        micropython.heap_lock()
        try:
            node.predict()
        finally:
            micropython.heap_unlock()
        print(d.class_index, d.margin, d.flags, d.channel, d.held_index)
