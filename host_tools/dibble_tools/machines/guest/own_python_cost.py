"""Runs inside a VM: predicts on a frame again and again, by kernels of maps that do nothing; prints nothing.

times.txt tells how often: what a prediction takes beside its kernels is the difference of two runs.
"""

from dibble.inference import load, maps

folder = __file__[: __file__.rfind("/") + 1]
with open(folder + "times.txt") as file:
    times = int(file.read())


def hollow(plan, arena):
    while True:
        yield 0


maps.KERNELS = (hollow,) * len(maps.KERNELS)
maps.fill = maps.take = hollow
node = load(folder + "model.dib")
frame = node.readings
for _ in range(times):
    node.predict(frame)
