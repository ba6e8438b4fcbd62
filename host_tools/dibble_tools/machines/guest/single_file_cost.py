"""Runs inside a VM: predicts on the rows beside it, again and again; prints nothing.

The model is as `dibble export --to python` wrote it. times.txt tells how often: the cost of a prediction is the
difference of two runs.
"""

from array import array

import exported

folder = __file__[: __file__.rfind("/") + 1]
with open(folder + "times.txt") as file:
    times = int(file.read())
node = exported.Node()
rows = []
row = array("i", [0] * (len(exported.LOWS) + 1))
with open(folder + "rows.bin", "rb") as file:
    while file.readinto(row):
        rows.append([row[i + 1] for i in range(len(exported.LOWS))])
for _ in range(times):
    for readings in rows:
        node.predict(readings)
