"""Runs inside a VM: replays rows through a model that `dibble export --to python` wrote; prints each decision.

Beside it lie the model as exported.py, and rows.bin as for replay.py. Every other row is handed over as a
list, None where a reading is missing. The heap is locked while predicting.
"""

from array import array

import exported
import micropython

folder = __file__[: __file__.rfind("/") + 1]
node = exported.Node()
row = array("i", [0] * (len(exported.LOWS) + 1))
readings = array("i", [0] * len(exported.LOWS))
listed = None
with open(folder + "rows.bin", "rb") as rows:
    while rows.readinto(row):
        elapsed = row[0]
        if listed:
            listed = None
            for i in range(len(readings)):
                readings[i] = row[i + 1]
        else:
            listed = [None if reading == exported.MISSING else reading for reading in row][1:]
        micropython.heap_lock()
        try:
            if elapsed == -2:
                node.predict(listed or readings)
            else:
                node.predict(listed or readings, elapsed)
        finally:
            micropython.heap_unlock()
        print(node.class_index, node.margin, node.flags, node.channel, node.held_index)
