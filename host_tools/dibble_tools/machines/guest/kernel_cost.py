"""Runs inside a VM: scores the feature values beside it, again and again; prints nothing.

times.txt tells how often: the cost of the family's kernels alone, scaling included, is the
difference of two runs.
"""

from array import array

import micropython
from dibble.inference import load

folder = __file__[: __file__.rfind("/") + 1]
with open(folder + "times.txt") as file:
    times = int(file.read())
node = load(folder + "model.dib")
rows = []
row = array("i", [0] * len(node.values))
with open(folder + "values.bin", "rb") as file:
    while file.readinto(row):
        rows.append(array("i", row))


def score_all():
    score = node.score
    micropython.heap_lock()
    for values in rows:
        score(values)
    micropython.heap_unlock()


for _ in range(times):
    score_all()
