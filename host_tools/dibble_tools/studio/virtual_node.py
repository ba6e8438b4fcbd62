"""A virtual board for who has none: empty, with simulated sensors, for as long as the studio runs."""

import json
import os
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.console.clock import DAY_ZERO, DAY_ZERO_UNIX_S
from dibble_tools.node.config import read_config
from dibble_tools.simulator.devices import SIMULATED
from dibble_tools.virtual_board.board import VirtualBoard
from dibble_tools.virtual_board.settings import unsimulated

FLASH = "512k"
MOST_NAME = 32  # letters of a node's, in its configuration
VIRTUAL = "-virtual"
WATCHDOG_MS = 60000  # this computer may be busy
PIN_KEYS = {"pin", "power_pin", "supply_pin", "sda", "scl"}
PINS, ADC_PINS = range(30), range(26, 30)  # of an RP2040, which a virtual board is
ANALOG = ("battery", "gas_adc", "soil_adc", "wind_vane")


class VirtualNode:
    """A running virtual board in a folder that goes with it.

    Args:
        config: path of the project's config.json.
        speed: of its time while it sleeps.
        after: time of the last row that was collected, "" if none: its clock begins no earlier.
    Attributes:
        port: where it is.
        config: path of a config.json for it: the project's node and sensors.
    Raises:
        InputError: it can't run on this computer, or the project's configuration can't be read.
    """

    def __init__(self, config: Path, speed: int, after: str) -> None:
        made = wired(read_config(config))
        self._folder = tempfile.TemporaryDirectory(prefix="dibble-studio-")
        folder = Path(self._folder.name)
        name = f"studio-{os.getpid()}"
        try:
            self._board = VirtualBoard.start(
                folder / "board.flash",
                name=name,
                flash=FLASH,
                speed=speed,
                sensors=True,
                config=made,
                start_s=_start_s(after),
            )
        except BaseException:
            self._folder.cleanup()
            raise
        self.port = self._board.port
        self.config = folder / "config.json"
        self.config.write_text(json.dumps(made), encoding="utf-8")

    def stop(self) -> None:
        """End it; nothing of it stays."""
        self._board.stop()
        self._folder.cleanup()


def wired(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration of the wanted node for a virtual board: without the sensors that aren't simulated.

    Args:
        wanted: the project's configuration.
    Returns:
        it; the node's name says that its readings aren't of a field. It knows neither board nor network, and pins that
        the virtual board hasn't are others.
    Raises:
        InputError: none of its sensors is simulated.
    """
    missing = unsimulated(wanted)
    sensors = [dict(sensor) for sensor in wanted["sensors"] if sensor["driver"] not in missing]
    if not sensors:
        raise InputError(
            f"expected a sensor that can be simulated ({', '.join(SIMULATED)}), got {', '.join(missing) or 'none'}: "
            "a virtual board has nothing to measure"
        )
    made = {key: value for key, value in wanted.items() if key not in ("board", "mqtt", "gate", "led", "clock")}
    made |= {"sensors": sensors, "actions": [dict(action) for action in wanted.get("actions", [])]}
    made |= {"node": wanted.get("node", "node")[: MOST_NAME - len(VIRTUAL)] + VIRTUAL, "watchdog_ms": WATCHDOG_MS}
    made["i2c"] = dict(wanted.get("i2c", {}))
    _renumber([*sensors, *made["actions"], made["i2c"]])
    return made


def _renumber(entries: list[dict[str, Any]]) -> None:
    """Give the pins that an RP2040 hasn't, names and high numbers, others that are free.

    Raises:
        InputError: there are too few.
    """
    places = [(entry, key) for entry in entries for key in PIN_KEYS & entry.keys() if entry[key] != ""]
    taken = {entry[key] for entry, key in places if entry[key] in PINS}
    numbers: dict[Any, int] = {}
    for entry, key in places:
        pin = entry[key]
        analog = key == "supply_pin" or (key == "pin" and entry.get("driver") in ANALOG)
        if pin in (ADC_PINS if analog else PINS):
            continue
        free = [number for number in (ADC_PINS if analog else PINS) if number not in taken]
        if pin not in numbers and not free:
            raise InputError(f"expected at most {len(ADC_PINS)} analog pins, as the virtual board has them, got more")
        numbers.setdefault(pin, free[0] if free else 0)
        taken.add(numbers[pin])
        entry[key] = numbers[pin]


def _start_s(after: str) -> int:
    """Return the seconds since 2000 at which a new board's clock begins.

    An earlier board's was fast: rows that seem older than its last aren't collected.
    """
    now_s = int(time.time()) - DAY_ZERO_UNIX_S
    try:
        return max(now_s, int((datetime.fromisoformat(after) - DAY_ZERO).total_seconds()))
    except (ValueError, TypeError):
        return now_s
