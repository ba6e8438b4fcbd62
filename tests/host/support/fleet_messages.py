"""Messages as nodes publish them."""

import json

from dibble_tools.console.clock import DAY_ZERO_UNIX_S
from dibble_tools.fleet.intake import Arrival

MAY_S = 1_777_600_000  # seconds since 1970: in May 2026
INTERVAL_S = 600


def state(sequence: int, at_s: int | None = None, **more: object) -> bytes:
    """Return a state as firmware/lib/dibble/report/state.py writes it; at_s since 1970."""
    at_s = MAY_S + INTERVAL_S * sequence if at_s is None else at_s
    said = {
        "seq": sequence,
        "time": at_s - DAY_ZERO_UNIX_S,
        "class": "dry",
        "held": "dry",
        "margin": 7,
        "flags": 0,
        "action": 0,
        "faults": 0,
        "battery_mv": 3900,
        "soil_permille": 180,
        "air_centi_c": None,
    }
    return json.dumps(said | more).encode()


def message(sequence: int, node: str = "bed-1", came_s: int = MAY_S, **more: object) -> Arrival:
    return Arrival(f"dibble/{node}/state", state(sequence, **more), came_s)


def told(what: str, node: str = "bed-1", came_s: int = MAY_S, **said: object) -> Arrival:
    return Arrival(f"dibble/{node}/{what}", json.dumps(said).encode(), came_s)
