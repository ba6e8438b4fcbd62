"""Runs inside the 32-bit VM: makes frames and looks at hops as often as times.txt says.

Beside it: model.dib, one that hears. The host counts the instructions.
"""

from array import array

from dibble.inference import load
from dibble.inference.format import Cursor
from dibble.senses import frames
from dibble.senses.gate import Gate

folder = __file__[: __file__.rfind("/") + 1]
model = load(folder + "model.dib")
spec = frames.read(Cursor(model.blob, model.parts[frames.NAME]))
levels, row = frames.build(spec)
samples = array("h", [(i * 7919 & 8191) - 4096 for i in range(1 << spec.log2)])
gate = Gate(3000, 8, 200)
hop = memoryview(samples)[: spec.hop]
with open(folder + "times.txt") as file:
    made, looks = [int(number) for number in file.read().split()]
for _ in range(made):
    levels(samples)
for _ in range(looks):
    gate.opens(hop)
