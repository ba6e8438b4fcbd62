"""`dibble retune`: a node's own sensors and caution set anew in its config.json, without training.

The old file stays beside the new one. Nothing is written that the node would refuse.
"""

import csv
import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dibble import ConfigError
from dibble.drivers import channels_of, driver

from dibble_tools.common.errors import InputError, reason_of
from dibble_tools.common.files import write_atomically
from dibble_tools.common.safe_text import plain
from dibble_tools.node.config import whole
from dibble_tools.project.json_edit import set_value

SOIL = ("soil_adc", "seesaw_soil")
GAS = ("gas_adc",)


@dataclass(frozen=True)
class Sensor:
    """One sensor of a configuration.

    Attributes:
        index: its place in "sensors".
        settings: with the defaults.
        channel: name of its first reading.
    """

    index: int
    settings: dict[str, Any]
    channel: str


class _NoPort:
    """A board without hardware: a driver's constructor judges its settings on it."""

    def analog(self, pin: object) -> None:
        """A pin that is never read."""


class Config:
    """A config.json to be changed.

    Attributes:
        text: as it is now.
        table: the same with the firmware's defaults.
    Raises:
        InputError: it can't be read, or the node would refuse it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_bytes().decode("utf-8-sig")
            self.table = whole(json.loads(self.text))
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: expected a node's config.json, got: {reason_of(error)}") from None
        except ConfigError as error:
            raise InputError(f"{path}: {error}") from None
        self._before = self.text

    def sensor(self, drivers: Sequence[str], which: str | None) -> Sensor:
        """Return the one sensor of these drivers, or that whose reading or pin is named.

        Raises:
            InputError: there is none, or more than one.
        """
        found = []
        channels = channels_of(self.table["sensors"])[0]
        for i, settings in enumerate(self.table["sensors"]):
            if settings["driver"] in drivers:
                found.append(Sensor(i, settings, channels[i][0][0]))
        named = [s for s in found if which in (None, s.channel, str(s.settings.get("pin", s.settings.get("address"))))]
        if len(named) == 1:
            return named[0]
        there = ", ".join(f"{s.channel} ({s.settings['driver']})" for s in found) or "none"
        raise InputError(
            f"{self.path}: expected one sensor of {' or '.join(drivers)}"
            f"{f' named {which}' if which else ''}, got: {there}"
            + ("; name one with --sensor" if len(found) > 1 else "")
        )

    def set(self, path: Sequence[str | int], value: object) -> None:
        """Change a value, and hold the whole against the firmware's schema and the driver's own check.

        Raises:
            InputError: the node would refuse it; nothing is changed.
        """
        text = set_value(self.text, path, value)
        try:
            table = whole(json.loads(text))
            if path[0] == "sensors":
                settings = table["sensors"][path[1]]
                driver(settings["driver"]).build(settings, _NoPort(), None)
        except ConfigError as error:
            raise InputError(f"{self.path}: {error}") from None
        self.text, self.table = text, table

    def difference(self) -> list[str]:
        """Return the lines that changed, as diff writes them."""
        return list(
            difflib.unified_diff(
                self._before.splitlines(), self.text.splitlines(), self.path.name, "new", lineterm="", n=0
            )
        )

    def save(self) -> Path:
        """Write it; return where the one before is."""
        kept = self.path.with_name(self.path.name + ".bak")
        write_atomically(kept, self._before.encode())
        write_atomically(self.path, self.text.encode())
        return kept


def set_soil(config: Config, sensor: Sensor, dry: int | None, wet: int | None) -> None:
    """Set the ends of a soil probe's curve; None leaves one as it is.

    Raises:
        InputError: the node would refuse it.
    """
    old_dry, old_wet = sensor.settings["probe_curve"]
    curve = [old_dry if dry is None else dry, old_wet if wet is None else wet]
    config.set(("sensors", sensor.index, "probe_curve"), curve)


def set_gas_zero(config: Config, sensor: Sensor, zero_uv: int) -> None:
    """Set what a gas cell's amplifier gives in clean air.

    Raises:
        InputError: the node would refuse it.
    """
    config.set(("sensors", sensor.index, "zero_uv"), zero_uv)


def set_margin(config: Config, margin: int) -> None:
    """Set the margin below which decisions count as unsure.

    Raises:
        InputError: the node would refuse it.
    """
    config.set(("margin",), margin)


def unsure_share(log: Path, margin: int) -> tuple[int, int]:
    """Return how many of a log's decisions have a smaller margin, and how many there are.

    Raises:
        InputError: it isn't what `dibble fetch` or `dibble monitor --csv` wrote.
    """
    try:
        with log.open(encoding="utf-8", newline="") as file:
            margins = [int(row["margin"]) for row in csv.DictReader(file) if row["class"]]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(
            f"{log}: expected a CSV with columns class and margin, as `dibble fetch` writes, got: {plain(str(error))}"
        ) from None
    return sum(each < margin for each in margins), len(margins)
