"""Channels: each a quantity in integer steps of a fixed resolution, with a valid range."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from dibble.inference.fixed_point import MISSING, READING_LIMIT

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed

MAX_UNIT_BYTES = 20
UNITS = (
    *("centi_c", "cm_s", "m_s", "permille", "percent", "pct", "hpa", "kpa", "pa", "ohm"),
    *("mv", "ms", "min", "ppm", "ppb", "lux", "mm", "um", "deg", "millilog2", "c"),
)


@dataclass(frozen=True)
class Channel:
    """One quantity as the node reads it: an integer number of steps."""

    name: str
    unit: str  # "" when unknown
    mantissa: int  # one step is mantissa * 10**exponent of the unit; 1..255
    exponent: int  # -9..9
    low: int  # valid range in steps, inclusive
    high: int


def to_readings(values: np.ndarray, channels: Sequence[Channel]) -> np.ndarray:
    """Return the integers a node would read: int64 (rows, channels); halves round up, NaN is MISSING."""
    return _within_limit(to_steps(values, channels))


def to_steps(values: np.ndarray, channels: Sequence[Channel]) -> np.ndarray:
    """Return values as whole steps of their channels, float64 (rows, channels); halves round up, NaN stays."""
    up = np.array([10.0**-c.exponent if c.exponent < 0 else 1.0 for c in channels])
    down = np.array([c.mantissa if c.exponent < 0 else c.mantissa * 10.0**c.exponent for c in channels])
    steps = np.array(values, dtype=np.float64)
    if (up != 1).any():
        steps *= up
    if (down != 1).any():
        steps /= down
    steps += 0.5
    return np.floor(steps, out=steps)


def in_steps(channels: Sequence[Channel]) -> bool:
    """Tell whether a step of every channel is 1 of its unit, so that whole values are readings."""
    return all(channel.mantissa == 1 and channel.exponent == 0 for channel in channels)


def values_in(x: Any, names: Sequence[str]) -> np.ndarray:
    """Return rows of values as floats of 32 or 64 bits (rows, channels), a DataFrame's columns by their names.

    Raises:
        InputError: it isn't that; says in which row and column.
    """
    if hasattr(x, "columns") and hasattr(x, "to_numpy"):
        there = list(x.columns)
        if all(isinstance(name, str) for name in there):
            if absent := [name for name in names if name not in there]:
                raise InputError(f"expected a column {absent[0]!r}; {listed(absent[0], there)}")
            x = x[list(names)]
        x = x.to_numpy()
    try:
        values = x if isinstance(x, np.ndarray) and x.dtype == np.float32 else np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError):
        _name_what_is_wrong(x, names)
        raise InputError(f"expected rows of {len(names)} numbers ({', '.join(names)}), got {x!r:.60}") from None
    if values.ndim != 2 or values.shape[1] != len(names):
        raise InputError(
            f"expected rows of {len(names)} values ({', '.join(names)}), got an array of shape {values.shape}"
        )
    return values


def _name_what_is_wrong(x: Any, names: Sequence[str]) -> None:
    """Raise InputError at the first row or cell that isn't as expected."""
    for i, row in enumerate(x if isinstance(x, Sequence | np.ndarray) and not isinstance(x, str) else ()):
        if not isinstance(row, Sequence | np.ndarray) or len(row) != len(names):
            length = f"{len(row)} values" if isinstance(row, Sequence | np.ndarray) else repr(row)
            raise InputError(f"row {i}: expected {len(names)} values ({', '.join(names)}), got {length}")
        for name, cell in zip(names, row, strict=True):
            try:
                np.float64(np.nan if cell is None else cell)
            except (TypeError, ValueError):
                raise InputError(f"row {i}, column {name!r}: expected a number, got {cell!r:.60}") from None


def to_values(readings: np.ndarray, channel: Channel) -> np.ndarray:
    """Return the float nearest to each reading in the channel's unit: 51 steps of 0.1 are 5.1."""
    # |reading| * mantissa < 2**38 and 10**9 are exact floats, so only the last operation rounds.
    exact = (np.asarray(readings, np.int64) * channel.mantissa).astype(np.float64)
    values = exact / 10.0**-channel.exponent if channel.exponent < 0 else exact * 10.0**channel.exponent
    return np.where(np.asarray(readings) == MISSING, np.nan, values)


def steps_to_text(steps: int, channel: Channel) -> str:
    """Return a reading for people: 215 steps of 0.1 c are "21.5 c"."""
    if steps == MISSING:
        return "missing"
    number = Decimal(int(steps) * channel.mantissa).scaleb(channel.exponent)
    return f"{number:f} {channel.unit}".rstrip()


def unit_of(name: str) -> str:
    """Return the unit in a column name: soil_permille, "soil [permille]", "soil (permille)"; else ""."""
    if bracket := re.fullmatch(r".*\S\s*[\[(]([^\[\]()]+)[\])]", name):
        unit = bracket[1].strip()
        return unit if len(unit.encode()) <= MAX_UNIT_BYTES else ""
    endings = (unit for unit in UNITS if re.search(rf"[^_]_{unit}$", name, re.IGNORECASE))
    return next(endings, "")


def rounded(steps: np.ndarray) -> np.ndarray:
    """Return the nearest integers, halves up, within +-READING_LIMIT; MISSING for NaN."""
    return _within_limit(np.floor(np.asarray(steps, dtype=np.float64) + 0.5))


def _within_limit(whole: np.ndarray) -> np.ndarray:
    if whole.size and abs(whole.min()) < READING_LIMIT and abs(whole.max()) < READING_LIMIT:  # and none is NaN
        return whole.astype(np.int64)
    missing = np.isnan(whole)
    clipped = np.clip(np.where(missing, 0.0, whole), -READING_LIMIT, READING_LIMIT)
    return np.where(missing, MISSING, clipped.astype(np.int64))
