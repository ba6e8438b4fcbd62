"""A virtual board for who has none: empty, with simulated sensors, for as long as the studio runs."""

import json
import os
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from dibble_tools.console.clock import DAY_ZERO, DAY_ZERO_UNIX_S
from dibble_tools.node.config import read_config
from dibble_tools.virtual_board.board import VirtualBoard

FLASH = "512k"
MOST_NAME = 32  # letters of a node's, in its configuration
VIRTUAL = "-virtual"
INTERVAL_S = 600  # of a configuration that doesn't say


class VirtualNode:
    """A running virtual board in a folder that goes with it.

    Args:
        config: path of the project's config.json.
        speed: of its time while it sleeps.
        after: time of the last row that was collected, "" if none: its clock begins no earlier.
    Attributes:
        port: where it is.
        config: path of a config.json for it: the project's node and sensors, wired as they are here.
    Raises:
        InputError: it can't run on this computer, or the project's configuration can't be read.
    """

    def __init__(self, config: Path, speed: int, after: str) -> None:
        wanted = read_config(config)
        self._folder = tempfile.TemporaryDirectory(prefix="dibble-studio-")
        folder = Path(self._folder.name)
        name = f"studio-{os.getpid()}"
        try:
            self._board = VirtualBoard.start(
                folder / "board.flash", name=name, flash=FLASH, speed=speed, sensors=True, start_s=_start_s(after)
            )
        except BaseException:
            self._folder.cleanup()
            raise
        self.port = self._board.port
        self.config = folder / "config.json"
        self.config.write_text(json.dumps(wired(wanted, self._board.config or {})), encoding="utf-8")

    def stop(self) -> None:
        """End it; nothing of it stays."""
        self._board.stop()
        self._folder.cleanup()


def wired(wanted: dict[str, Any], simulated: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration of the wanted node for the simulated wires.

    Args:
        wanted: the project's configuration.
        simulated: a configuration that reads all simulated sensors; those of drivers that aren't wanted go, but where
            none is wanted all stay.
    Returns:
        it; the node's name says that its readings aren't of a field.
    """
    drivers = {sensor["driver"] for sensor in wanted["sensors"]}
    sensors = [sensor for sensor in simulated["sensors"] if sensor["driver"] in drivers] or simulated["sensors"]
    node = wanted.get("node", "node")[: MOST_NAME - len(VIRTUAL)] + VIRTUAL
    actions = simulated["actions"] if wanted.get("actions") else []
    interval_s = wanted.get("interval_s", INTERVAL_S)
    return {**simulated, "node": node, "interval_s": interval_s, "sensors": sensors, "actions": actions}


def _start_s(after: str) -> int:
    """Return the seconds since 2000 at which a new board's clock begins.

    An earlier board's was fast: rows that seem older than its last aren't collected.
    """
    now_s = int(time.time()) - DAY_ZERO_UNIX_S
    try:
        return max(now_s, int((datetime.fromisoformat(after) - DAY_ZERO).total_seconds()))
    except (ValueError, TypeError):
        return now_s
