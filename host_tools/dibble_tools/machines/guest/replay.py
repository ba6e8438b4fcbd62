"""Runs inside a VM: loads the model as a node would, replays rows and prints each decision.

Beside it lie lib/dibble, model.dib and rows.bin: for each row the elapsed ms (-2: none told) and
the readings, as 32-bit little-endian ints. Every other row is handed over as a list, None where a reading is
missing, or as bytes where a model takes codes. The heap is locked while predicting: an allocation would be a
MemoryError.
"""

from array import array

import micropython
from dibble.inference import load
from dibble.inference.fixed_point import MISSING
from dibble.inference.kernels import choice

folder = __file__[: __file__.rfind("/") + 1]
try:
    import model_code
except ImportError:
    model_code = None
node = load(folder + "model.dib", model_code)
print(choice.KIND, node.self_test())
channels = len(node.readings)
row = array("i", [0] * (channels + 1))
readings = node.readings
listed = None
# A frame's readings have 16 bits or 8, and it is handed over: as a list where it can't say that one is missing.
image = hasattr(node, "image")
least, most = (-32768, 32767) if image and node.frame[3] else (0, 255)
decision = node.decision
predict = node.predict
with open(folder + "rows.bin", "rb") as rows:
    while rows.readinto(row):
        elapsed = row[0]
        if listed and not (image and least == 0 and min(row) == MISSING):
            listed = None
            for i in range(channels):
                readings[i] = min(most, max(row[i + 1], least)) if image else row[i + 1]
        else:
            listed = [None if reading == MISSING else reading for reading in row][1:]
            if isinstance(readings, bytearray) and not image:  # codes as they come
                listed = bytes(listed)
        micropython.heap_lock()
        try:
            if elapsed == -2:
                predict(readings if image and not listed else listed)
            else:
                predict(listed, elapsed)
        finally:
            micropython.heap_unlock()
        print(decision.class_index, decision.margin, decision.flags, decision.channel, decision.held_index)
