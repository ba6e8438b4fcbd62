"""One sensor each, imported when the configuration names it."""

from dibble import ConfigError


def driver(name):
    """Return the module of a driver.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return __import__("dibble.drivers." + name, None, None, ("CHANNELS",))
    except ImportError:
        raise ConfigError("config.sensors: expected a driver of lib/dibble/drivers, got %r" % name)
