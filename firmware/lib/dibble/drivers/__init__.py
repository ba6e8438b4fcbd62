"""One sensor each, imported when the configuration names it."""

from dibble import ConfigError


def driver(name):
    """Return the module of a driver.

    Raises:
        ConfigError: there is none of that name.
    """
    module = None
    if not name.strip("abcdefghijklmnopqrstuvwxyz0123456789_"):
        try:
            module = __import__("dibble.drivers." + name, None, None, ("CHANNELS",))
        except ImportError:
            pass
    if not hasattr(module, "SETTINGS"):  # what drivers share has none
        raise ConfigError("config.sensors: expected a driver of lib/dibble/drivers, got %r" % name)
    return module
