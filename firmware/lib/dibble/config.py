"""The node's configuration: a JSON file, held whole against a schema before anything of it is used.

A row of a schema: (name, kind, least, most, default); None: must be given. Kinds: int, bool, str (least and
most bound its length), PIN (a number up to most or a name, "" for none), a schema (a table in the table), and
[kind]: a list of so many of them.
"""

import json

from dibble import ConfigError
from dibble.inference.fixed_point import READING_LIMIT

MOST_BYTES = 32768  # of config.json
LEAST_WATCHDOG_MS = 1000  # between two of its parts a cycle computes for longer than a shorter one waits
STANDS_IN = "the last good configuration is used"
PIN = (int, str)
STREAMS = ("dibble.streams.", "config.listen.driver")  # where drivers of streams lie, and where one is named
AT_ADC = ("battery", "gas_adc", "mox_adc", "soil_adc", "wind_vane")
PINS_OF_STREAMS = ("pin", "sck", "ws", "sd", "clock", "data")
PINS_OF_CAMERAS = ("pixel_clock", "vsync", "href", "external_clock", "powerdown", "reset")
CLOCK_CHIPS = ("ds3231", "pcf8563")
SENSOR = (  # of every sensor; its driver's SETTINGS follow
    ("driver", str, 1, 20, None),
    ("channels", [str], 0, 64, ()),  # other names for the driver's channels, in its order
    ("costly", bool, 0, 1, False),  # read only when the gate asks for it
    ("power_pin", PIN, 0, 255, ""),
    ("power_up_ms", int, 0, 60000, 0),
    ("stuck_cycles", int, 0, 10000, -1),  # the same readings so often are a fault; 0: never; -1: as the driver has it
    ("max_step", [int], 0, 64, ()),  # a channel that moves further between two cycles is doubted; 0: never
)
NOVEL = "novel"  # an action's flag
ACTION = (
    ("class", str, 0, 60, ""),  # either it, or a flag
    ("flag", str, 0, 5, ""),
    ("pin", PIN, 0, 255, None),
    ("max_on_s", int, 1, 86400, 900),
    ("rest_s", int, 0, 604800, 43200),
    ("active_low", bool, 0, 1, False),
)
LISTEN = (  # the stream's own SETTINGS follow
    ("driver", str, 0, 20, ""),  # of lib/dibble/streams; "": the node doesn't listen
    ("rest_ms", int, 0, 600000, 1000),  # after a decision that acted no other does
    ("gate_permille", int, 0, 16000, 0),  # of the quiet's span that a hop's samples span to be heard; 0: all are
    ("skip", str, 0, 60, ""),  # class of voice.dib after which model.dib isn't asked
    ("in_time", str, 2, 4, "auto"),  # frames as samples come: yes, no (once a sound has ended), auto: as the board can
    ("take_permille", int, 1500, 16000, 3000),  # gate_permille of sounds that are heard once they have ended
    ("take_ms", int, 200, 10000, 2000),  # of which so much is kept at most
)
LORAWAN = (  # its driver's own SETTINGS follow
    ("driver", str, 0, 20, ""),  # a module of one's own: report/lorawan_radio.py; "": none
    ("every", int, 1, 10000, 1),
    ("send_ms", int, 1000, 60000, 15000),  # the longest that it takes to send once
    ("updates", bool, 0, 1, True),
)
SCHEMA = (
    ("node", str, 1, 32, "node"),
    ("interval_s", int, 2, 86400, 600),
    ("board", str, 0, 40, ""),  # that it was made for: the host holds the pins against it
    ("sleep", str, 1, 8, "light"),
    ("watchdog_ms", int, 0, 60000, 8000),
    ("led", PIN, 0, 255, ""),
    (
        "i2c",
        (("sda", PIN, 0, 255, ""), ("scl", PIN, 0, 255, ""), ("frequency_hz", int, 10000, 400000, 100000)),
        0,
        0,
        {},
    ),
    ("clock", (("chip", str, 0, 7, ""),), 0, 0, {}),  # on the I2C bus: CLOCK_CHIPS
    ("sensors", [SENSOR], 0, 16, None),
    ("actions", [ACTION], 0, 8, []),
    ("low_battery_mv", int, 0, 20000, 0),  # below it outputs go off and the radio stays silent; 0: never
    ("margin", int, 0, 65535, 0),  # decisions with a smaller one are unsure, where the model itself asks for less
    ("listen", LISTEN, 0, 0, {}),
    (
        "gate",
        (
            ("skip", str, 0, 60, ""),
            ("motion", bool, 0, 1, False),  # costly readings only where an array sees something
            ("max_age_cycles", int, 0, 10000, 36),
        ),
        0,
        0,
        {},
    ),
    (
        "log",
        (("segment_bytes", int, 1024, 65536, 8192), ("segments", int, 2, 1000, 8), ("batch", int, 1, 64, 6)),
        0,
        0,
        {},
    ),
    (
        "mqtt",
        (
            ("host", str, 0, 100, ""),
            ("port", int, 1, 65535, 1883),
            ("user", str, 0, 60, ""),
            ("timeout_ms", int, 100, 30000, 4000),
            ("join_ms", int, 1000, 60000, 20000),
            ("every", int, 1, 10000, 6),
            ("discovery", bool, 0, 1, True),
            ("updates", bool, 0, 1, True),
            ("time_host", str, 0, 100, "pool.ntp.org"),
            ("ca", str, 0, 64, ""),
        ),
        0,
        0,
        {},
    ),
    ("lorawan", LORAWAN, 0, 0, {}),
)


def check(table, driver_settings):
    """Return the configuration with its defaults filled in.

    Args:
        table: dict, as JSON has it.
        driver_settings: given what drivers.driver is, returns that driver's SETTINGS.
    Raises:
        ConfigError: names the place, what was expected and what is there.
    """
    config = _table(table, SCHEMA, "config")
    if config["sleep"] not in ("light", "idle"):
        raise ConfigError("config.sleep: expected light or idle, got %r" % config["sleep"])
    chip = config["clock"]["chip"]
    if chip and chip not in CLOCK_CHIPS:
        raise ConfigError("config.clock.chip: expected one of %s, got %r" % (", ".join(CLOCK_CHIPS), chip))
    if chip and config["i2c"]["sda"] == "":
        raise ConfigError("config.i2c: expected sda and scl, which config.clock.chip needs, got none")
    sensors = []
    for i in range(len(config["sensors"])):
        where = "config.sensors[%d]" % i
        entry = table["sensors"][i]
        settings = _table(entry, SENSOR + tuple(driver_settings(config["sensors"][i]["driver"])), where)
        if "address" in settings and config["i2c"]["sda"] == "":
            raise ConfigError("config.i2c: expected sda and scl, which %s needs, got none" % where)
        sensors.append(settings)
    config["sensors"] = sensors
    for i in range(len(config["actions"])):
        _check_cause(config["actions"][i], "config.actions[%d]" % i)
    listen = config["listen"]
    if listen["driver"]:
        settings = LISTEN + tuple(driver_settings(listen["driver"], *STREAMS))
        config["listen"] = listen = _table(table["listen"], settings, "config.listen")
        if listen["in_time"] not in ("auto", "yes", "no"):
            raise ConfigError("config.listen.in_time: expected auto, yes or no, got %r" % listen["in_time"])
        for i in range(len(sensors)):
            if listen["driver"] == "adc_mic" and sensors[i]["driver"] in AT_ADC:
                raise ConfigError(
                    "config.sensors[%d]: expected none at an ADC pin, as adc_mic has the ADC for itself, got %s"
                    % (i, sensors[i]["driver"])
                )
        if "address" in listen and config["i2c"]["sda"] == "":
            raise ConfigError("config.i2c: expected sda and scl, which config.listen needs, got none")
    elif table.get("listen"):
        raise ConfigError("config.listen.driver: expected a driver, got none")
    elif not sensors:
        raise ConfigError("config.sensors: expected at least one, or config.listen, got none")
    if config["low_battery_mv"] and "battery" not in [sensor["driver"] for sensor in sensors]:
        raise ConfigError("config.low_battery_mv: expected the sensor battery with it, got none")
    if 0 < config["watchdog_ms"] < LEAST_WATCHDOG_MS:
        raise ConfigError(
            "config.watchdog_ms: expected 0 or at least %d, got %d" % (LEAST_WATCHDOG_MS, config["watchdog_ms"])
        )
    _check_pins(config, _check_lorawan(config, table, driver_settings))
    return config


def _check_lorawan(config, table, driver_settings):
    """Fill in the settings of a LoRaWAN radio's own driver; return the names of those that are pins."""
    lorawan = config["lorawan"]
    if not lorawan["driver"]:
        if table.get("lorawan"):
            raise ConfigError("config.lorawan.driver: expected a driver, got none")
        return ()
    if config["mqtt"]["host"]:
        raise ConfigError("config.lorawan.driver: expected none beside mqtt.host: a node reports one way")
    settings = tuple(driver_settings(lorawan["driver"], "dibble.drivers.", "config.lorawan.driver"))
    config["lorawan"] = _table(table["lorawan"], LORAWAN + settings, "config.lorawan")
    return [row[0] for row in settings if row[1] == PIN]


def _check_cause(action, where):
    """Raise ConfigError unless an action names what switches it."""
    if action["flag"] not in ("", NOVEL):
        raise ConfigError("%s.flag: expected %s, got %s" % (where, NOVEL, _shown(action["flag"])))
    if bool(action["class"]) == bool(action["flag"]):
        got = "both" if action["class"] else "neither"
        raise ConfigError('%s.class: expected a class, or "flag": "%s" in its place, got %s' % (where, NOVEL, got))


def _check_pins(config, of_radio):
    """Raise ConfigError where two things want one pin."""
    taken = {}

    def take(pin, where, name):
        if pin == "":
            return
        if pin not in taken:
            taken[pin] = (where, name)
        elif not _share(name, taken[pin][1]):
            raise ConfigError(
                "%s.%s: expected a pin of its own, got %s, which is %s.%s, too" % ((where, name, pin) + taken[pin])
            )

    for name in ("sda", "scl"):
        take(config["i2c"][name], "config.i2c", name)
    take(config["led"], "config", "led")
    listen = config["listen"]
    for name in PINS_OF_STREAMS:
        take(listen.get(name, ""), "config.listen", name)
    for name in of_radio:
        take(config["lorawan"][name], "config.lorawan", name)
    for kind in ("actions", "sensors"):
        for i in range(len(config[kind])):
            entry = config[kind][i]
            where = "config.%s[%d]" % (kind, i)
            if entry.get("rom"):  # several on one wire
                take("%s, rom %s" % (entry["pin"], entry["rom"]), where, "pin")
            for name in ("pin", "power_pin", "supply_pin") + PINS_OF_CAMERAS:
                take(entry.get(name, ""), where, "rom" if name == "pin" and entry.get("rom") else name)


def _share(name, other):
    """Tell whether two settings may name one pin: a common switch, a common supply, and that as a battery's; ROMs."""
    if name == other:
        return name != "pin" and name not in PINS_OF_CAMERAS
    return "power_pin" not in (name, other) and "supply_pin" in (name, other) and "pin" in (name, other)


def check_board(config, flash_bytes, watchdog_ms=0):
    """Raise ConfigError where a configuration, as check() returned it, asks for more than its board has.

    Args:
        flash_bytes: size of the board's file system.
        watchdog_ms: the most that its watchdog takes; 0: not known, or it has none.
    """
    log = config["log"]
    if log["segment_bytes"] > flash_bytes // log["segments"]:
        raise ConfigError(
            "config.log: expected segments that fit %d bytes of flash, got %d of %d"
            % (flash_bytes, log["segments"], log["segment_bytes"])
        )
    if 0 < watchdog_ms < config["watchdog_ms"]:
        raise ConfigError(
            "config.watchdog_ms: expected at most %d, as the board's watchdog takes, got %d"
            % (watchdog_ms, config["watchdog_ms"])
        )


def check_classes(config, classes, gate_classes, tells_novel=True, voice_classes=None):
    """Raise ConfigError where a configuration names a class that no model has, or a flag that it never raises.

    Args:
        classes, gate_classes, voice_classes: of model.dib, gate.dib and voice.dib; None: there is none.
        tells_novel: the model has tables of novelty.
    """
    for i in range(len(config["actions"])):
        action = config["actions"][i]
        if action["class"]:
            _check_class(action["class"], classes, "actions[%d].class" % i)
        elif not tells_novel:
            raise ConfigError(
                "config.actions[%d].flag: expected a model that tells what is novel, got one without its tables" % i
            )
    if config["gate"]["skip"]:
        _check_class(config["gate"]["skip"], gate_classes, "gate.skip")
    if config["listen"]["skip"]:
        _check_class(config["listen"]["skip"], voice_classes, "listen.skip")


def _check_class(name, classes, where):
    if classes is not None and name not in classes:
        raise ConfigError("config.%s: expected a class of the model (%s), got %s" % (where, ", ".join(classes), name))


def parse(text, driver_settings):
    """Return check() of a JSON text; raise ConfigError where it isn't one."""
    try:
        table = json.loads(text)
    except ValueError:
        raise ConfigError("config: expected JSON, got text that isn't: look for a comma or a quote")
    return check(table, driver_settings)


def choose(text, kept, trust_kept, driver_settings, notes):
    """Return (configuration, its text) of the first of two texts that is whole.

    Args:
        text, kept: of config.json and of the last good one; None where there is none.
        trust_kept: the last good one goes first.
        notes: list that takes what was wrong.
    Raises:
        ConfigError: neither can be used.
    """
    for candidate in (kept, text) if trust_kept else (text, kept):
        if candidate is not None:
            try:
                config = parse(candidate, driver_settings)
                if candidate is kept and candidate != text:
                    notes.append(STANDS_IN)
                return config, candidate
            except Exception as error:  # whatever it is: the other one may do
                notes.append(str(error) if isinstance(error, ConfigError) else "config: expected one, got %r" % error)
    raise ConfigError("; ".join(notes) or "expected config.json, got none")


def _table(table, schema, where):
    if not isinstance(table, dict):
        raise ConfigError("%s: expected a table {…}, got %s" % (where, _shown(table)))
    out = {}
    for name, kind, least, most, default in schema:
        place = "%s.%s" % (where, name)
        if name in table:
            out[name] = _value(table[name], kind, least, most, place)
        elif default is None:
            raise ConfigError("%s: expected it, got none" % place)
        else:
            out[name] = _table(default, kind, place) if isinstance(kind, tuple) and kind != PIN else default
    if schema not in (SENSOR, LISTEN, LORAWAN):  # whose further names are the driver's
        names = [row[0] for row in schema]
        for name in table:
            if name not in out:
                raise ConfigError("%s.%s: expected one of %s" % (where, name[:30], ", ".join(names)))
    return out


def _value(value, kind, least, most, where):
    if kind == PIN:
        if type(value) is int and least <= value <= most or type(value) is str and len(value) < 16:
            return value
        raise ConfigError("%s: expected a pin's number up to %d or a name, got %s" % (where, most, _shown(value)))
    if isinstance(kind, tuple):
        return _table(value, kind, where)
    if isinstance(kind, list):
        if type(value) is not list or not least <= len(value) <= most:
            raise ConfigError("%s: expected a list of %d to %d, got %s" % (where, least, most, _shown(value)))
        return [_value(value[i], kind[0], 0, READING_LIMIT, "%s[%d]" % (where, i)) for i in range(len(value))]
    if type(value) is not kind:
        raise ConfigError("%s: expected %s, got %s" % (where, kind.__name__, _shown(value)))
    if kind is not bool and not least <= (value if kind is int else len(value)) <= most:
        raise ConfigError(
            "%s: expected %d to %d%s, got %s" % (where, least, most, "" if kind is int else " items", _shown(value))
        )
    return value


def _shown(value):
    """Return a value as a message shows it, which neither its size nor its depth can keep from being made."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        if len(value) > 8 or any([isinstance(item, (list, dict)) for item in value]):
            return "a list of %d" % len(value)
        return "[%s]" % ", ".join([_shown(item) for item in value])
    text = repr(value)
    return text if len(text) < 80 else text[:80] + "..."
