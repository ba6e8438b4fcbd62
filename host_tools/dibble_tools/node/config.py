"""A node's config.json on the host, held against the firmware's own schema."""

import json
from pathlib import Path
from typing import Any

from dibble import ConfigError
from dibble.config import check
from dibble.drivers import channels_of, driver

from dibble_tools.common.errors import InputError


def whole(table: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with the firmware's defaults filled in.

    Raises:
        ConfigError: it isn't one.
    """
    config = check(table, lambda name: driver(name).SETTINGS)
    channels_of(config["sensors"])
    return config


def read_config(path: Path) -> dict[str, Any]:
    """Return a config.json as it is.

    Raises:
        InputError: it can't be read, or the node would refuse it.
    """
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        whole(table)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected a node's config.json, got: {error}") from None
    except ConfigError as error:
        raise InputError(f"{path}: {error}") from None
    return table
