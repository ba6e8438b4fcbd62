"""A run of readings as one short line of block characters."""

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(readings: Sequence[int | None], width: int = 32) -> str:
    """Return the last `width` readings between the lowest and the highest of them; a dot where one is missing."""
    shown = list(readings)[-width:]
    there = [reading for reading in shown if reading is not None]
    if not there:
        return "·" * len(shown)
    low = min(there)
    span = max(there) - low
    top = len(BLOCKS) - 1
    middle = BLOCKS[top // 2]
    return "".join(
        "·" if reading is None else BLOCKS[(reading - low) * top // span] if span else middle for reading in shown
    )
