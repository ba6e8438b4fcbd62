"""CircuitPython: the same model in a code.py of one's own, with analogio and an Adafruit driver or any other.

Only lib/dibble/inference and lib/dibble/__init__.py are needed: everything is bytecode and integers.
"""

import time

import analogio
import board
from dibble.inference import load

DRY, WET = 46000, 24000  # of this probe, as analogio counts: in dry soil, in soaked soil

model = load("model.dib")
print(model.self_test(), "golden vectors agree")
probe = analogio.AnalogIn(board.GP26)
while True:
    permille = (DRY - probe.value) * 1000 // (DRY - WET)
    model.readings[0] = min(1000, max(0, permille))
    model.readings[1] = 1840  # of a thermometer: 1/100 degrees, round(100 * sensor.temperature)
    decision = model.predict()
    flags = decision.flags
    print(model.classes[decision.class_index], permille, "unsure" if flags & 1 else "")
    time.sleep(60)
