"""Drivers of a grower's own, of sensors and of a LoRaWAN radio: modules beside a config.json that names them."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import dibble.drivers
from dibble import ConfigError

from dibble_tools.common.shipped import LIBRARY

NEEDED = ("CHANNELS", "SETTINGS", "build")
OF_A_RADIO = ("SETTINGS", "build")
_loaded: dict[str, ModuleType] = {}


def own_drivers(table: Any, folder: Path) -> dict[str, Path]:
    """Return name -> file of the drivers that a configuration names and that aren't dibble's, as far as they are there.

    Args:
        table: the configuration, perhaps a wrong one.
        folder: where it lies.
    """
    sensors = table.get("sensors") if isinstance(table, dict) else None
    entries = [entry.get("driver") for entry in sensors if isinstance(entry, dict)] if isinstance(sensors, list) else []
    entries.append(_radio(table))
    names = {name for name in entries if isinstance(name, str) and name.isidentifier()} - set(dibble.drivers.ENTRIES)
    return {
        name: folder / f"{name}.py"
        for name in sorted(names)
        if (folder / f"{name}.py").is_file() and not (LIBRARY / "drivers" / f"{name}.py").is_file()
    }


def _radio(table: Any) -> Any:
    """Return the driver that a configuration's LoRaWAN radio names, None: there is none."""
    lorawan = table.get("lorawan") if isinstance(table, dict) else None
    return lorawan.get("driver") if isinstance(lorawan, dict) else None


def load_own_drivers(table: Any, folder: Path) -> None:
    """Make a configuration's own drivers known to dibble.drivers.driver.

    Raises:
        ConfigError: one can't be loaded here, or isn't a driver.
    """
    for name, path in own_drivers(table, folder).items():
        spec = importlib.util.spec_from_file_location(f"dibble_own_driver_{name}", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # whatever a module does when it is read
            raise ConfigError(
                f"{path}: expected a driver that loads without a board, got {type(error).__name__}: {error}: "
                "import hardware modules inside build()"
            ) from None
        needed = OF_A_RADIO if name == _radio(table) else NEEDED
        missing = [name for name in needed if not hasattr(module, name)]
        if missing:
            raise ConfigError(f"{path}: expected a driver with {', '.join(needed)}, got none of {', '.join(missing)}")
        _loaded[name] = module


def _find(name: str) -> ModuleType:
    if name not in _loaded:
        raise ImportError(name)
    return _loaded[name]


dibble.drivers.own = _find  # type: ignore[assignment]
