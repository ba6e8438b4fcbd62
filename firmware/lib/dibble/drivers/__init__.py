"""One sensor each, imported when the configuration names it."""

from dibble import ConfigError
from dibble.forgetting import start_only

ENTRIES = ("main", "code", "boot", "safemode", "dibble_update", "secrets")
own = __import__  # finds a driver that isn't dibble's, in the board's root or lib; the host has its own way


@start_only
def driver(name, package="dibble.drivers.", where="config.sensors"):
    """Return the module of a driver: dibble's, or one of the grower's own.

    Args:
        package: where dibble's lie; where: the place of the configuration that names it.
    Raises:
        ConfigError: there is none of that name.
    """
    module = None
    if not name.strip("abcdefghijklmnopqrstuvwxyz0123456789_"):
        try:
            module = __import__(package + name, None, None, ("SETTINGS",))
        except ImportError:
            if name not in ENTRIES:
                try:
                    module = own(name)
                except ImportError:
                    pass
    if not hasattr(module, "SETTINGS"):  # what drivers share has none
        raise ConfigError(
            "%s: expected a driver of lib/%s, or a module of your own, got %r"
            % (where, package.replace(".", "/")[:-1], name)
        )
    return module


@start_only
def channels_given(settings):
    """Return (name, unit) of each reading of a sensor with these settings, under its driver's own names."""
    module = driver(settings["driver"])
    return module.channels(settings) if hasattr(module, "channels") else module.CHANNELS


@start_only
def channels_of(sensors):
    """Return what each sensor gives, no name twice, and what there is to tell of that.

    Names that the configuration chooses are as it says. Of the drivers' own the first keeps its name, and so its
    place in a model; the next is numbered before its unit: air_temperature_2_centi_c.

    Args:
        sensors: the configuration's, whole.
    Returns:
        for each sensor [(name, unit)]; list of notes.
    Raises:
        ConfigError: chosen names that are too few, too many, or there twice.
    """
    taken = []
    for i in range(len(sensors)):
        names = sensors[i]["channels"]
        own = channels_given(sensors[i])
        if names and len(names) != len(own):
            raise ConfigError(
                "config.sensors[%d].channels: expected %d names, for %s, got %d"
                % (i, len(own), ", ".join([name for name, _ in own]), len(names))
            )
        for name in names:
            if name in taken:
                raise ConfigError("config.sensors[%d].channels: expected each name once, got %s twice" % (i, name))
            taken.append(name)
    found = []
    notes = []
    for i in range(len(sensors)):
        own = channels_given(sensors[i])
        names = list(sensors[i]["channels"]) or [_free(name, unit, taken) for name, unit in own]
        if not sensors[i]["channels"] and names != [name for name, _ in own]:
            notes.append(
                'config.sensors[%d]: names taken; unless you set others: "channels": ["%s"]' % (i, '", "'.join(names))
            )
        found.append([(names[j], own[j][1]) for j in range(len(own))])
    return found, notes


@start_only
def _free(name, unit, taken):
    """Return a name that isn't taken, and take it."""
    free = name
    number = 2
    while free in taken:
        free = "%s%d_%s" % (name[: -len(unit)], number, unit)
        number += 1
    taken.append(free)
    return free
