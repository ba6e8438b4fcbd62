"""Run on a board whose node is stopped: its sensors, as config.json has them, read whenever it is asked."""

import sys

state = []


def readings_begin(interval_s, instead):
    """Make the sensors.

    Args:
        instead: settings to take instead of the configuration's: a sensor's place -> {name: value}.
    """
    sys.path.insert(0, "/lib")
    if sys.implementation.name == "circuitpython":
        from dibble.ports import circuitpython as port
    else:
        from dibble.ports import micropython as port
    from dibble import config
    from dibble.drivers import driver

    try:
        from dibble.inference.decision import NO_CLASS, Decision
        from dibble.report.serial_line import SerialLines
        from dibble.sensors import Sensors
    except ImportError:  # of the files that a deploy merges
        from dibble import SerialLines
        from dibble.inference import NO_CLASS, Decision
        from dibble.node import Sensors

    with open("/config.json", "rb") as file:
        settings = config.parse(file.read(), lambda *named: driver(*named).SETTINGS)
    settings["interval_s"] = interval_s
    for place in instead:
        settings["sensors"][place].update(instead[place])
    sensors = Sensors(settings, port)
    channels = [(sensors.names[i], sensors.units[i]) for i in range(len(sensors.names))]
    report = Report(sensors, Decision(1), NO_CLASS)
    state.extend((port, sensors, report, SerialLines(sys.stdout.write, settings["node"], (), channels)))


def readings_take():
    """Read every sensor; print a line as the node's own."""
    from dibble.inference.fixed_point import MISSING

    port, sensors, report, lines = state
    sensors.read(False)
    sensors.read(True)
    sensors.check_plausible(True)
    day, second = port.date()
    report.time_s = day * 86400 + second
    report.sequence += 1
    report.faults = 0
    for sensor in sensors.all:
        if sensor.fault:
            report.faults += 1
            lines.event("fault", report.time_s, "%s: %s" % (sensor.name, sensor.fault))
    if "battery_mv" in sensors.names:
        battery = sensors.values[sensors.names.index("battery_mv")]
        report.battery_mv = None if battery == MISSING else battery
    lines.decision(report)


class Report:
    """What a line tells: readings, and no decision."""

    def __init__(self, sensors, decision, no_class):
        decision.settle(no_class, 0, 0, -1)
        self.decision = decision
        self.readings = sensors.values
        self.sequence = self.time_s = self.action = self.faults = 0
        self.battery_mv = None
