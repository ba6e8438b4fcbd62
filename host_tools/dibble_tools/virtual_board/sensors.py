"""The simulated orchard's sensors, on a virtual board."""

import json
from typing import Any

from dibble_tools.node.config import whole
from dibble_tools.simulator.orchard.site import GIVES, TO_UNIX_S, Site
from dibble_tools.simulator.orchard.truth import Field
from dibble_tools.virtual_board.paced_hardware import PacedHardware
from dibble_tools.virtual_board.settings import Settings

MOVE_US = 10_000_000  # the truth follows the board's time in steps of this, or
MOVES_PER_S = 4  # so many in a second of the computer's time
INTERVAL_S = 600
SLOW_TO_WARM = "ens160"  # says for an hour that it is warming up


def attach(hardware: PacedHardware, settings: Settings) -> dict[str, Any]:
    """Wire the simulated sensors to the board: as a configuration has them, else every one, where it has its place.

    Returns:
        that configuration, or one that reads them all.
    """
    field = Field(settings.seed, start_s=hardware.now_us / 1e6 + TO_UNIX_S)
    site = Site(field, hardware, settings.seed)
    step_us = max(MOVE_US, round(settings.speed * 1e6 / MOVES_PER_S))
    moved_us = hardware.now_us

    def move() -> None:
        nonlocal moved_us
        if hardware.now_us - moved_us >= step_us:
            moved_us = hardware.now_us
            site.move()

    if settings.config:
        site.wire(whole(settings.config))
    hardware.on_time = move
    hardware.on_power_lost = site.power_lost
    if settings.config:
        return settings.config
    channels = [channel for name, gives in GIVES.items() if name != SLOW_TO_WARM for channel in gives]
    config: dict[str, Any] = json.loads(json.dumps(site.config(channels, INTERVAL_S, ("irrigate",))))
    return config
