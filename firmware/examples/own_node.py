"""Thirty lines: a node of one's own, as main.py beside model.dib. A soil probe at GP26, an SHT40 at GP4 and GP5.

dibble's own node (`dibble deploy`) adds what a field needs: watchdog, log, reports, valves that close by themselves.
"""

from dibble import SensorError
from dibble.drivers import sht4x, soil_adc
from dibble.inference import load
from dibble.inference.fixed_point import MISSING
from dibble.ports import micropython as port

MINUTE_MS = 60000


def settings(driver, **own):
    """Return a driver's settings: its defaults, and what differs here."""
    return dict([(row[0], own.get(row[0], row[4])) for row in driver.SETTINGS])


model = load("model.dib")
print(model.self_test(), "golden vectors agree")
bus = port.i2c(4, 5, 100000)
air = sht4x.build(settings(sht4x), port, bus)
soil = soil_adc.build(settings(soil_adc, pin=26, probe_curve=[2300, 1200]), port, bus)
while True:
    try:
        air.start()
        soil.start()
        model.readings[0] = soil.read()[0]
        model.readings[1] = air.read()[0]
    except SensorError as error:
        print("missing:", error)
        model.readings[0] = model.readings[1] = MISSING
    decision = model.predict()
    if not decision.flags:
        print(model.classes[decision.held_index], model.readings[0], model.readings[1])
    port.doze_ms(10 * MINUTE_MS, True)
