"""How often a node takes readings that cost much: as its gate asks for them, assumed or told by what it collected."""

import csv
from pathlib import Path
from typing import Any

from dibble.drivers import channels_of, driver

from dibble_tools.common.errors import InputError
from dibble_tools.node.config import whole

SEEN = 0.1  # of cycles in which an array sees something, where nobody measured it
SEES = ("warm_permille", "moved_permille")  # an array's own readings that tell so
ROWS_LEAST = 20


def looks(settings: dict[str, Any], seen: float | None) -> float:
    """Return the share of cycles in which costly readings are taken: those that the gate asks for, and the oldest.

    Args:
        settings: the configuration, whole.
        seen: share of cycles in which it asks for them; None: as assumed, with gate.motion.
    Raises:
        InputError: there is no costly reading for `seen` to save.
    """
    if seen is None and not settings["gate"]["motion"]:
        return 1.0
    if not any(_is_costly(entry) for entry in settings["sensors"]):
        raise InputError('--seen: expected a sensor that is "costly" in the configuration, got none: --config')
    share = SEEN if seen is None else seen
    return share + (1 - share) / settings["gate"]["max_age_cycles"]


def share_seen(told: str, config: dict[str, Any]) -> float:
    """Return the share that --seen tells: a number of 0..1, or the CSV that `dibble collect` wrote of the node.

    Of the latter: the share of rows in which an array that is watched saw something, or in the one before, as the node
    looks once more then (dibble.costly). A row without these readings counts as one: the node can't tell, either.

    Raises:
        InputError: neither; no array is watched, or the table lacks its columns, or rows.
    """
    if not told.endswith(".csv"):
        try:
            share = float(told)
        except ValueError:
            raise InputError(f"--seen: expected a share of 0..1, or a .csv that the node sent, got {told!r}") from None
        if not 0 <= share <= 1:
            raise InputError(f"--seen: expected a share of 0..1, got {told}")
        return share
    names = _watched(whole(config)["sensors"])
    if not names:
        raise InputError(f"--seen {told}: expected an array that isn't costly in the configuration, got none: --config")
    try:
        with Path(told).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{told}: expected the CSV that `dibble collect` wrote: {error}") from None
    lacking = [name for name in names if rows and name not in rows[0]]
    if lacking or len(rows) < ROWS_LEAST:
        got = f"no column {', '.join(lacking)}" if lacking else f"{len(rows)} rows"
        raise InputError(f"{told}: expected {' and '.join(names)} of {ROWS_LEAST} cycles or more, got {got}")
    saw = [any(_is_something(row[name]) for name in names) for row in rows]
    return sum(now or before for now, before in zip(saw, [False, *saw], strict=False)) / len(rows)


def _is_costly(entry: dict[str, Any]) -> bool:
    return bool(entry["costly"] or getattr(driver(entry["driver"]), "COSTLY_FROM", 0))


def _watched(sensors: list[dict[str, Any]]) -> list[str]:
    """Return the channels by which arrays tell that they see something, as the configuration names them."""
    named, _ = channels_of(sensors)
    return [
        name
        for entry, channels in zip(sensors, named, strict=True)
        if not entry["costly"]
        for (own, _), (name, _) in zip(channels_of([{**entry, "channels": []}])[0][0], channels, strict=True)
        if own in SEES
    ]


def _is_something(cell: str | None) -> bool:
    try:
        return float(cell or "") != 0
    except ValueError:
        return True
