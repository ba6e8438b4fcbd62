"""A node's config.json on the host, held against the firmware's own schema."""

import json
from pathlib import Path
from typing import Any

from dibble import ConfigError
from dibble.config import MOST_BYTES, check
from dibble.drivers import channels_of, driver
from dibble.sensors import Sensors

from dibble_tools.common.errors import InputError, reason_of
from dibble_tools.node.own_drivers import load_own_drivers
from dibble_tools.node.suggestions import suggested


def whole(table: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with the firmware's defaults filled in.

    Raises:
        ConfigError: it isn't one.
    """
    try:
        config = check(table, lambda *named: driver(*named).SETTINGS)
    except ConfigError as error:
        raise ConfigError(suggested(str(error), table)) from None
    channels_of(config["sensors"])
    radio = config["lorawan"]["driver"]
    if radio and hasattr(driver(radio), "CHANNELS"):
        raise ConfigError(f"config.lorawan.driver: expected a radio's driver, with send(), got {radio}, a sensor's")
    return config


class PaperPort:
    """A port with every pin and nothing behind them: drivers hold their settings against it, and read nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *given: PaperPort()


def sensors_of(config: dict[str, Any], port: PaperPort | None = None) -> Sensors:
    """Return a whole configuration's sensors as the node makes them, on paper: with their names and units.

    Args:
        port: None: one that remembers nothing.

    Raises:
        ConfigError: it can't be done; a driver refuses its settings.
    """
    return Sensors(config, port or PaperPort())


def parsed(text: bytes, folder: Path | None = None) -> dict[str, Any]:
    """Return a configuration of its text, as it is.

    Args:
        folder: where drivers of one's own lie; None: there are none.
    Raises:
        ConfigError: the node would refuse it, wherever it runs.
    """
    if len(text) > MOST_BYTES:
        raise ConfigError(f"config: expected at most {MOST_BYTES} bytes, got {len(text)}")
    try:
        table: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"config: expected JSON, got text that isn't: {reason_of(error)}") from None
    except RecursionError:
        raise ConfigError("config: expected a table {…}, got tables in tables, too deep") from None
    if folder:
        load_own_drivers(table, folder)
    sensors_of(whole(table))
    return table


def read_config(path: Path) -> dict[str, Any]:
    """Return a config.json as it is.

    Raises:
        InputError: it can't be read, or the node would refuse it.
    """
    try:
        return parsed(path.read_bytes(), path.parent)
    except OSError as error:
        raise InputError(f"{path}: expected a node's config.json, got: {error.strerror}") from None
    except ConfigError as error:
        raise InputError(f"{path}: {error}") from None
