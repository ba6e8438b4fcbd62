"""Runs inside a VM: loads the model and predicts on the rows beside it, again and again; prints nothing else.

times.txt tells how often: the cost of a prediction is the difference of two runs. Prints the heap
that the imports and the loaded model keep, where the VM can tell.
"""

import gc
from array import array

folder = __file__[: __file__.rfind("/") + 1]
with open(folder + "times.txt") as file:
    times = int(file.read())
before = gc.mem_alloc()
from dibble.inference import load  # noqa: E402

imported = gc.mem_alloc()
try:
    import model_code
except ImportError:
    model_code = None
node = load(folder + "model.dib", model_code)
print(imported - before, gc.mem_alloc() - imported)
channels = len(node.readings)
rows = []
row = array("i", [0] * (channels + 1))
with open(folder + "rows.bin", "rb") as file:
    while file.readinto(row):
        rows.append([row[i + 1] for i in range(channels)])
        if isinstance(node.readings, bytearray):  # codes as they come
            rows[-1] = bytes(rows[-1])
for _ in range(times):
    for readings in rows:
        node.predict(readings)
