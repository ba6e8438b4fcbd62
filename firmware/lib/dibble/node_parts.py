"""The parts that not every node has, made at its start: the code of one that isn't configured takes no heap."""

from dibble.classifier import class_of
from dibble.forgetting import forget, start_only
from dibble.inference.fixed_point import MISSING


@start_only
def clock_keeper(chip, bus, port):
    """Return the keeper of a configured clock chip, None: there is none."""
    if not chip:
        return None
    from dibble.clock_keeper import ClockKeeper

    return ClockKeeper(chip, bus, port)


@start_only
def costly_of(sensors, gate, settings, notes):
    """Return what tells when costly readings are due, None: no sensor has any."""
    if not sensors.costly:
        return None
    from dibble.costly import Costly

    skip = class_of(gate, settings["skip"], "gate.skip", notes) if gate else -1
    return Costly(sensors, gate, skip, settings["max_age_cycles"])


@start_only
def low_battery_of(low_mv, place):
    """Return the LowBattery, None: nobody asks for it, or no sensor measures the battery."""
    if not low_mv or place < 0:
        return None
    from dibble.low_battery import LowBattery

    return LowBattery(low_mv)


@start_only
def number_of(model, sensors):
    """Return the Number that a model tells, which then is one reading more, the last; None where it tells a class."""
    if not model or b"number" not in model.parts:
        return None
    from dibble.inference.number import Number

    number = Number(model.blob, model.parts[b"number"])
    sensors.values.append(MISSING)
    sensors.names.append(number.reading)
    sensors.units.append(number.told_unit)
    return number


@start_only
def outputs_of(actions, *others):
    """Return the Outputs of actions, None: there are none."""
    if not actions:
        return None
    from dibble.outputs import Outputs

    return Outputs(actions, *others)


@start_only
def look_at_trial(node):
    """Await no report where what is on trial is another's by now: brought by cable."""
    try:
        from dibble.update.on_trial import is_on_trial

        on_trial = is_on_trial(node)
    except ImportError:  # the firmware that came since has no updates by radio
        on_trial = False
    if not on_trial:
        node.boot.report_arrived()
    forget("dibble.update.on_trial", "dibble.update.kept", "dibble.update.offer", "dibble.update.offered")
