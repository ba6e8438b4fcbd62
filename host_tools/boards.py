"""Board descriptions: boards/NAME.toml, and what they allow a model."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from host_tools.datasets import listed
from host_tools.errors import InputError
from host_tools.limits import Limits

FOLDER = Path(__file__).parent.parent / "boards"
LIMITS = {"model_bytes": int, "heap_bytes": int, "predict_us": int, "us_per_instruction": float}
POWER = {"active_ma": float, "light_sleep_ma": float}


def board_names() -> list[str]:
    """Return the boards there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_board(name: str) -> dict[str, Any]:
    """Return a board's [limits], checked: boards/README.md has every field."""
    return _section(name, "limits", LIMITS)


def read_power(name: str) -> dict[str, float]:
    """Return a board's [power], checked."""
    return _section(name, "power", POWER)


def _section(name: str, section: str, fields: Mapping[str, type]) -> dict[str, Any]:
    if name not in board_names():
        raise InputError(f"--board: expected a board, got {name!r}; {listed(name, board_names())}")
    table = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")).get(section, {})
    if set(table) != set(fields):
        raise InputError(f"boards/{name}.toml: expected {', '.join(fields)} in [{section}]; got {', '.join(table)}")
    for field, kind in fields.items():
        if not isinstance(table[field], kind) or isinstance(table[field], bool) or table[field] <= 0:
            raise InputError(f"boards/{name}.toml: {field}: expected a positive {kind.__name__}, got {table[field]!r}")
    return table


def limits_of(
    board: str | None, *, max_bytes: int | None, max_heap: int | None = None, max_us: float | None = None
) -> Limits:
    """Return the limits of a board, narrowed by what the user asks for.

    Raises:
        InputError: no such board; or a limit in microseconds without a board to tell how fast it is.
    """
    if board is None:
        if max_us is not None:
            raise InputError("--max-us: expected --board too: it tells how long an instruction takes")
        return Limits(max_bytes=max_bytes, max_heap=max_heap)
    has = read_board(board)
    return Limits(
        max_bytes=min(filter(None, (max_bytes, has["model_bytes"]))),
        max_heap=min(filter(None, (max_heap, has["heap_bytes"]))),
        max_us=min(filter(None, (max_us, has["predict_us"]))),
        board=board,
        us_per_instruction=has["us_per_instruction"],
    )
