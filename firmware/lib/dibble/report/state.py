"""A report as JSON of names and ints, written without a json module: what MQTT carries."""

from dibble.inference.fixed_point import MISSING

KEYS = ("seq", "time", "class", "held", "margin", "flags", "action", "faults", "battery_mv")


def quoted(text):
    """Return a JSON string."""
    return '"%s"' % "".join(["\\u%04x" % ord(char) if char < " " or char in '"\\' else char for char in text])


def key_of(name):
    """Return a channel's key: its name, unless that is taken."""
    return name + "_" if name in KEYS else name


def state(report):
    """Return a report as a JSON object; null where a reading, the voltage or the class isn't known."""
    decision = report.decision
    classes = report.classes
    values = [report.sequence, report.time_s]
    for index in decision.class_index, decision.held_index:
        values.append(quoted(classes[index]) if index < len(classes) else None)
    values.extend((decision.margin, decision.flags, report.action, report.faults, report.battery_mv))
    values.extend(report.readings)
    keys = list(KEYS)
    keys.extend([key_of(name) for name, _ in report.channels])
    pairs = []
    for i in range(len(keys)):
        value = values[i]
        pairs.append("%s:%s" % (quoted(keys[i]), "null" if value in (None, MISSING) else value))
    return "{%s}" % ",".join(pairs)
