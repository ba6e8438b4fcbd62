"""A project made, or its sensors changed, from the page: what there is to choose from, and what comes of the choice."""

import json
import re
from pathlib import Path
from typing import Any

from dibble import ConfigError

from dibble_tools.boards.catalogue import all_boards, board_named
from dibble_tools.boards.drivers import all_drivers
from dibble_tools.boards.example import USUAL, configured
from dibble_tools.boards.sensor_choice import use_of
from dibble_tools.boards.wires import SAFE, parts_of, wires_text
from dibble_tools.boards.wiring import check_wiring
from dibble_tools.boards.wiring_picture import wiring_svg
from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically
from dibble_tools.node.config import read_config, whole
from dibble_tools.project.new import NODE_NAME, new_project
from dibble_tools.studio.project import Project
from dibble_tools.studio.state import State

MOST_SENSORS = 12
# Of an entry of before, what stays where the sensor stays: it may have been measured.
NOT_KEPT = {"pin", "address", "power_pin", "power_up_ms", "channels"}
MARKS = re.compile(r"[*`]")


class Setup:
    """Shows itself in the state's part "setup"; any thread may call."""

    def __init__(self, project: Project, state: State) -> None:
        self._project = project
        self._state = state
        self._notes: list[str] = []
        self._version = 0
        self._boards = [
            {"name": name, "title": board.title, "wifi": board.chip.radio == "wifi"}
            for name, board in all_boards().items()
            if board.runtime(None)[1].node == "full"
        ]
        self._drivers = [
            {"name": name, "title": facts.title, "words": facts.summary, "place": _place_words(name)}
            for name, facts in all_drivers().items()
            if name != "bme680_adafruit"
        ]
        self.look()

    def make(self, request: dict[str, Any]) -> Path:
        """Make a project in a folder of the studio's; return it.

        Args:
            request: name, board, sensors ({driver, place} each), action, wifi, watchdog.
        Raises:
            InputError: it can't be.
        """
        name = request.get("name")
        if not isinstance(name, str) or not NODE_NAME.fullmatch(name):
            raise InputError(f"expected a name of at most 32 letters, digits, - and _; got {name!r}")
        board = _board(request)
        config, self._notes = configured(board, None, _wishes(request), _action(request), _yes(request, "wifi"))
        if _yes(request, "watchdog") is False:
            config["watchdog_ms"] = 0
        folder = self._project.folder / name
        new_project(folder, board, config)
        return folder

    def change(self, request: dict[str, Any]) -> None:
        """Write other sensors into the project's config.json; what was measured of those that stay is kept.

        Raises:
            InputError: it can't be; nothing is changed.
        """
        path = self._project.config
        old = read_config(path)
        board = _board(request)
        fresh, notes = configured(board, None, _wishes(request), _action(request), _yes(request, "wifi"))
        config: dict[str, Any] = dict(old)
        config |= {key: fresh[key] for key in ("sensors", "actions", "i2c", "mqtt") if key in fresh}
        config["board"] = board
        config["sensors"] = _with_what_was_known(fresh["sensors"], old["sensors"])
        if old.get("mqtt") and "mqtt" in fresh:
            config["mqtt"] = old["mqtt"]
        elif "mqtt" not in fresh:
            config.pop("mqtt", None)
        try:
            check_wiring(whole(config))
        except ConfigError as error:
            raise InputError(str(error)) from None
        write_atomically(path.with_name(path.name + ".bak"), path.read_bytes())
        write_atomically(path, (json.dumps(config, indent=2) + "\n").encode())
        self._notes = [
            *notes,
            "config.json is written; the one before is config.json.bak. Deploy brings it to the board",
        ]
        self.look()

    def look(self) -> None:
        """Read config.json anew, and show it."""
        self._version += 1
        told: dict[str, Any] = {
            "made": self._project.is_made,
            "boards": self._boards,
            "drivers": self._drivers,
            "board": "pico",
            "sensors": [{"driver": name, "place": ""} for name in USUAL],
            "action": "dry",
            "wifi": False,
            "wires": [],
            "notes": self._notes,
            "version": self._version,
            "picture": False,
        }
        if self._project.is_made:
            try:
                told |= _told_of(read_config(self._project.config))
            except (InputError, ConfigError) as error:
                told["notes"] = [str(error)]
        self._state.put(setup=told)

    def picture(self) -> str:
        """Return the wiring as an SVG.

        Raises:
            InputError: config.json doesn't say its board, or can't be read.
        """
        config = read_config(self._project.config)
        if not config.get("board"):
            raise InputError("expected a board in config.json, got none: choose it among the sensors, and save")
        known = board_named(config["board"])[1]
        has = known.runtime(None)[1]
        return wiring_svg(f"{self._project.folder.name}: {known.title}", known, has, parts_of(config))


def _told_of(config: dict[str, Any]) -> dict[str, Any]:
    """Return what the page tells of a configuration."""
    table = whole(config)
    own = all_drivers()
    sensors = []
    for entry in table["sensors"]:
        if entry["driver"] not in own:
            continue  # the grower's own: it has no place among those to choose from
        place = f"0x{entry['address']:02x}" if "address" in entry else str(entry.get("pin", ""))
        sensors.append({"driver": entry["driver"], "place": place})
    action = table["actions"][0] if table["actions"] else None
    told: dict[str, Any] = {
        "sensors": sensors,
        "action": f"{action['class'] or action['flag']}:{action['pin']}" if action else "",
        "wifi": bool(config.get("mqtt")),
    }
    if config.get("board"):
        lines = wires_text(parts_of(config))
        told |= {"board": config["board"], "picture": True}
        texts = [(MARKS.sub("", line).strip(" -"), line.startswith(" ")) for line in (SAFE, *lines)]
        told["wires"] = [{"text": text, "note": note} for text, note in texts]
    return told


def _place_words(driver: str) -> str:
    """Return what the place of a driver's sensor is."""
    if any(setting.name == "address" for setting in all_drivers()[driver].settings):
        return "I2C address"
    return "ADC pin" if use_of(driver) == "analog" else "pin"


def _with_what_was_known(fresh: list[dict[str, Any]], old: list[dict[str, Any]]) -> list[dict[str, Any]]:
    left = list(old)
    entries = []
    for entry in fresh:
        before = next((each for each in left if each["driver"] == entry["driver"]), None)
        if before:
            left.remove(before)
            entry = {**entry, **{key: value for key, value in before.items() if key not in NOT_KEPT}}
        entries.append(entry)
    own = [each for each in left if each["driver"] not in all_drivers()]
    return [*entries, *own]


def _board(request: dict[str, Any]) -> str:
    board = request.get("board")
    if not isinstance(board, str):
        raise InputError(f"board: expected a name of a board, got {board!r}")
    return board_named(board)[0]


def _wishes(request: dict[str, Any]) -> tuple[str, ...]:
    """Return the sensors that are asked for, as `dibble new --sensor` takes them."""
    sensors = request.get("sensors")
    if not isinstance(sensors, list) or not 0 < len(sensors) <= MOST_SENSORS:
        raise InputError(f"expected 1 to {MOST_SENSORS} sensors: add one")
    wishes = []
    for sensor in sensors:
        parts = [sensor.get(key, "") for key in ("driver", "place")] if isinstance(sensor, dict) else [None]
        if not all(isinstance(part, str) and len(part) <= 40 for part in parts):
            raise InputError(f"expected a sensor's driver and place as text, got {sensor!r}")
        driver, place = (str(part).strip() for part in parts)
        wishes.append(f"{driver}:{place}" if place else driver)
    return tuple(wishes)


def _action(request: dict[str, Any]) -> str | None:
    action = request.get("action", "")
    if not isinstance(action, str) or len(action) > 80:
        raise InputError(f"expected the class that switches a relay as text, got {action!r}")
    return action.strip()


def _yes(request: dict[str, Any], key: str) -> bool | None:
    value = request.get(key)
    if value is not None and not isinstance(value, bool):
        raise InputError(f"{key}: expected true or false, got {value!r}")
    return value
