"""Inside the VM: CircuitPython's `os`, whose getenv() reads settings.toml."""

import uos
from uos import mkdir, remove, rename, rmdir, stat, statvfs

_ERASED = "\u00a0" * 8 + "." + "\u00a0" * 3  # a directory entry of 0xFF in code page 437


def listdir(path="."):
    """Return the names. Erased entries are names on CircuitPython; this VM refuses bytes that are no UTF-8."""
    try:
        return uos.listdir(path)
    except UnicodeError:
        return [_ERASED]


def getenv(key, default=None):
    try:
        file = open("/settings.toml")
    except OSError:
        return default
    with file:
        for line in file:
            name, equals, value = line.partition("=")
            if equals and name.strip() == key:
                value = value.strip()
                return value[1:-1] if value[:1] == '"' else int(value, 0)
    return default
