"""The boards there are, and what they allow a model."""

from functools import lru_cache
from typing import Any

from dibble_tools.boards.reading import read_file
from dibble_tools.boards.schema import Board, Runtime
from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.common.shipped import BOARDS
from dibble_tools.simulator.unkindness import Likeness, unkind_to

PLATFORMS = {"RP2": "rp2", "ESP32": "esp32", "SAMD": "samd"}  # by the chip's name
UNSET_S = {"rp2": Likeness.unset_s}  # the others begin with 2000-01-01


def board_names() -> list[str]:
    """Return the boards there are.

    Raises:
        InputError: none came with dibble.
    """
    names = sorted(path.stem for path in BOARDS.glob("*.toml"))
    if not names:
        raise InputError(
            f"expected the boards' files in {BOARDS}, found none: dibble isn't installed whole, install it again"
        )
    return names


@lru_cache(maxsize=1)
def all_boards() -> dict[str, Board]:
    """Return every board by its name."""
    return {name: read_file(BOARDS / f"{name}.toml") for name in board_names()}


def board_named(text: str) -> tuple[str, Board]:
    """Return (name, board) for a name or an alias; case, spaces and hyphens don't count.

    Raises:
        InputError: there is none; near names are told.
    """
    name = text.strip().lower().replace("-", "_").replace(" ", "_").replace(":", "")
    if name in board_names():
        return name, read_file(BOARDS / f"{name}.toml")
    for own, board in all_boards().items():
        if name in board.aliases:
            return own, board
    raise InputError(f"--board: expected a board, got {text!r}; {listed(name, board_names())}")


def runtime_of(name: str, board: Board, asked: str | None) -> tuple[str, Runtime]:
    """Return (name, runtime) of a board: the one asked for, else the first there is.

    Raises:
        InputError: it doesn't run there.
    """
    if asked is not None and asked not in board.runtimes:
        raise InputError(f"--runtime: expected one of {name}'s ({', '.join(board.runtimes)}), got {asked!r}")
    return board.runtime(asked)


def read_board(text: str) -> dict[str, Any]:
    """Return a board's limits for a model: model_bytes, heap_bytes, predict_us, us_per_instruction."""
    _, board = board_named(text)
    return {
        "model_bytes": board.limits.model_bytes,
        "heap_bytes": board.limits.heap_bytes,
        "predict_us": board.limits.predict_us,
        "us_per_instruction": board.runtime(None)[1].us_per_instruction,
    }


def watchdog_most_ms(runtime: str, machine: str = "", build: str = "") -> int:
    """Return the most that a board's watchdog takes, as boards/ has it; 0: not known, or it has none.

    Args:
        machine: what the board says that it is, such as "Raspberry Pi Pico W with RP2040".
        build: name of its firmware, as CircuitPython tells it.
    """
    for board in all_boards().values():
        for name, has in board.runtimes.items():
            if name == runtime and (has.build == build or machine.startswith(f"{board.title} with ")):
                return has.watchdog_max_ms
    return 0


def heap_bytes(text: str) -> int:
    """Return what a board's own runtime has for its heap, before anything is loaded."""
    return board_named(text)[1].runtime(None)[1].heap_bytes


def read_power(text: str) -> dict[str, float]:
    """Return currents in mA: active_ma; of the chip alone light_sleep_ma, and watched_sleep_ma beside a watchdog."""
    _, board = board_named(text)
    runtime = board.runtime(None)[1]
    return {
        "active_ma": board.power.active_ma,
        "light_sleep_ma": runtime.light_sleep_ma,
        "watched_sleep_ma": runtime.light_sleep_ma if runtime.sleeps_with_watchdog else runtime.idle_ma,
    }


def likeness(text: str, kind: frozenset[str] = frozenset()) -> Likeness:
    """Return the likeness of a simulated node to a board.

    Args:
        kind: unkindnesses that it is without.
    """
    _, board = board_named(text)
    chip = board.chip.name
    platform = next((own for start, own in PLATFORMS.items() if chip.startswith(start)), chip.lower())
    return Likeness(
        platform=platform,
        chip=chip,
        wifi=board.chip.radio == "wifi",
        unset_s=UNSET_S.get(platform, 0),
        unkind=unkind_to(board.runtime(None)[1].unkind, kind),
    )
