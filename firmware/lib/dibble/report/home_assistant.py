"""Home Assistant's MQTT discovery: a retained message for each quantity, one at a time.

Keys are Home Assistant's abbreviations (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery);
units and device classes are those its sensor documentation allows together.
"""

from dibble import __version__
from dibble.report.state import key_of, quoted

BATTERY = "battery_mv"
# Unit of a channel -> what the template does to it, unit shown, device class.
_UNITS = {
    "centi_c": ("/ 100", "°C", "temperature"),
    "permille": ("/ 10", "%", ""),
    "pa": ("/ 100", "hPa", "atmospheric_pressure"),
    "ohm": ("", "Ω", ""),
    "mv": ("", "mV", "voltage"),
    "uv": ("/ 1000", "mV", "voltage"),
    "cm_s": ("/ 100", "m/s", "wind_speed"),
    "ppb": ("", "ppb", ""),
    "ppm": ("", "ppm", ""),
    "deg": ("", "°", ""),
    "lux": ("", "lx", "illuminance"),
    "min": ("", "min", "duration"),
    "mm": ("", "mm", ""),
    "um": ("/ 1000", "mm", "precipitation"),
    "millilog2": ("/ 1000", "", ""),
}
# What only the name tells.
_KINDS = (
    ("humidity", "%", "humidity"),
    ("moisture", "%", "moisture"),
    ("eco2", "ppm", "carbon_dioxide"),
    ("tvoc", "ppb", "volatile_organic_compounds_parts"),
)


def topic_of(node, end):
    """Return a topic of a node: "state" has its records, "status" whether it's online, others: UPDATES.md."""
    return "dibble/%s/%s" % (topic_part(node), end)


def topic_part(text):
    """Return a name in the characters of a discovery topic: letters, digits, _ and -."""
    allowed = b"_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "".join([chr(byte) if byte in allowed else "_" for byte in text.encode()])


def messages(node, board, classes, channels, expire_s):
    """Yield (topic, payload) of each sensor, to be published retained.

    Args:
        node: its name; two nodes whose names differ in other characters than letters, digits, _ and - collide.
        board: what it is.
        classes: names of the model's classes.
        channels: (name, unit) each.
        expire_s: silence after which Home Assistant calls a value unavailable.
    """
    if classes:  # a node without a model has none to choose from, and an empty list is refused
        options = ",".join([quoted(name) for name in classes])
        about = '"dev_cla":"enum","ops":[%s]' % options
        yield _message(node, board, expire_s, "class", "class", "", about)
        yield _message(node, board, expire_s, "held", "held", "", about)
    yield _numeric(node, board, expire_s, BATTERY, BATTERY, "mv", ',"ent_cat":"diagnostic"')
    for name, unit in channels:
        if name != BATTERY:
            yield _numeric(node, board, expire_s, name, key_of(name), unit, "")


def _numeric(node, board, expire_s, name, key, unit, more):
    change = ""
    if unit[:1].isdigit() and "_" in unit:  # of a number that a model tells: 0.1_pct
        change, unit = unit.split("_", 1)
        change = "* " + change
    change, shown, device_class = _UNITS.get(unit, (change, unit, ""))
    for word, of_unit, kind in _KINDS:
        if word in name and of_unit == shown:
            device_class = kind
    about = '"stat_cla":"measurement"'
    if shown:
        about += ',"unit_of_meas":%s' % quoted(shown)
    if device_class:
        about += ',"dev_cla":"%s"' % device_class
    return _message(node, board, expire_s, name, key, change, about + more)


def _message(node, board, expire_s, name, key, change, about):
    value = "value_json[%s]" % quoted(key)
    if change:  # null stays null
        value = "%s %s if %s is number else none" % (value, change, value)
    return entity(node, board, "sensor", name, key, "state", value, '%s,"exp_aft":%d' % (about, expire_s))


def entity(node, board, kind, name, key, end, value, about):
    """Return (topic, payload) that lets Home Assistant find an entity of a node.

    Args:
        kind: of entity.
        key: tells it from the node's others.
        end: of the topic of its state.
        value: template of its value, without braces.
        about: further JSON.
    """
    part = topic_part(node)
    unique = "%s_%s" % (part, topic_part(key))
    return "homeassistant/%s/%s/config" % (kind, unique), (
        '{"name":%s,"uniq_id":"dibble_%s","stat_t":"%s","avty_t":"%s","val_tpl":%s,%s,'
        '"dev":{"ids":["dibble_%s"],"name":%s,"mf":"dibble","mdl":%s,"sw":"%s"}}'
    ) % (
        quoted(name),
        unique,
        topic_of(node, end),
        topic_of(node, "status"),
        quoted("{{ %s }}" % value),
        about,
        part,
        quoted(node),
        quoted(board),
        __version__,
    )
