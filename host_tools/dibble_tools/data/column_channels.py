"""Columns of readings -> channels: resolution and range from their values, or from what the user says."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation

import numpy as np
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.inference.units import quantity

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.channels import MAX_UNIT_BYTES, Channel, rounded, steps_to_text, to_values, unit_of
from dibble_tools.data.datasets import Dataset

MAX_CHANNELS = 255
MAX_NAME_BYTES = 60
MAX_MANTISSA = 255
MAX_EXPONENT = 9
MAX_EXACT_DECIMALS = 6
ROUNDED_SPAN = 2**16  # steps between the usual extremes of a column that has to be rounded
STRAY = 0.01  # of the readings on either side aren't usual
GRAMMAR = "NAME=UNIT:RESOLUTION[:MIN:MAX], such as soil=permille:1 or temp=c:0.1:-40:60"


@dataclass(frozen=True)
class ChannelOption:
    """What the user says about a channel with --channel."""

    name: str
    unit: str
    mantissa: int
    exponent: int
    low: int | None = None  # in steps
    high: int | None = None


def parse_channel_option(text: str) -> ChannelOption:
    """Return the meaning of --channel NAME=UNIT:RESOLUTION[:MIN:MAX]; MIN and MAX are in the unit."""
    name, equals, rest = (part.strip() for part in text.rpartition("="))
    unit, *numbers = (part.strip() for part in rest.split(":"))
    if not name or not equals or len(numbers) not in (1, 3):
        raise InputError(f"--channel: expected {GRAMMAR}, got {text!r}.")
    if len(unit.encode()) > MAX_UNIT_BYTES:
        raise InputError(f"--channel {text}: expected a unit of at most {MAX_UNIT_BYTES} bytes, got {unit!r}.")
    try:
        resolution, *ends = (Decimal(number) for number in numbers)
    except InvalidOperation:
        raise InputError(f"--channel: expected numbers in {GRAMMAR}, got {text!r}.") from None
    if not all(number.is_finite() for number in (resolution, *ends)) or resolution <= 0:
        raise InputError(f"--channel {text}: expected a resolution above 0 and finite limits.")
    digits, exponent = (
        "".join(map(str, resolution.normalize().as_tuple().digits)),
        resolution.normalize().as_tuple()[2],
    )
    if int(digits) > MAX_MANTISSA or not -MAX_EXPONENT <= int(exponent) <= MAX_EXPONENT:
        raise InputError(
            f"--channel {text}: expected a resolution of 1 to {MAX_MANTISSA} times a power of ten from "
            f"1e-{MAX_EXPONENT} to 1e{MAX_EXPONENT}, such as 0.1 or 0.25, got {numbers[0]}."
        )
    if not ends:
        return ChannelOption(name, unit, int(digits), int(exponent))
    low = int((ends[0] / resolution).to_integral_value(ROUND_CEILING))
    high = int((ends[1] / resolution).to_integral_value(ROUND_FLOOR))
    if not -READING_LIMIT <= low < high <= READING_LIMIT:
        raise InputError(
            f"--channel {text}: expected MIN below MAX and both within {READING_LIMIT} steps of the "
            f"resolution, got {low} to {high} steps."
        )
    return ChannelOption(name, unit, int(digits), int(exponent), low, high)


def find_channels(
    ds: Dataset, options: Sequence[ChannelOption], rows: np.ndarray | None = None
) -> tuple[list[Channel], list[str]]:
    """Return the channels of the columns that tell anything, and notes on the others.

    Args:
        options: what the user said; the rest comes from names and values.
        rows: mask or indices of the training rows, where the valid ranges come from.
    """
    wanted: dict[str, ChannelOption] = {}
    for option in options:
        if option.name not in ds.columns:
            raise InputError(
                f"--channel: expected a column of readings, got {option.name!r}; {listed(option.name, ds.columns)}"
            )
        if option.name in wanted:
            raise InputError(f"--channel: expected {option.name!r} once, got it twice: keep one.")
        wanted[option.name] = option
    channels: list[Channel] = []
    notes: list[str] = []
    for name, column in zip(ds.columns, ds.values.T, strict=True):
        unit = ds.units.get(name) or unit_of(name)
        channel, more = _channel(name, unit, column, column if rows is None else column[rows], wanted.get(name))
        notes += more
        if channel is not None:
            channels.append(channel)
    if not channels:
        raise InputError(f"{ds.name}: expected a column whose readings differ in the training rows, got none.")
    if len(channels) > MAX_CHANNELS:
        raise InputError(f"{ds.name}: expected at most {MAX_CHANNELS} channels, got {len(channels)}: --ignore some.")
    return channels, notes


def column_channels(
    names: Sequence[str], values: np.ndarray, options: Sequence[ChannelOption]
) -> tuple[list[Channel], list[str]]:
    """Return one channel for every column of (rows, columns) values, also for those that never change; and notes."""
    wanted = {option.name: option for option in options}
    for name in wanted:
        if name not in names:
            raise InputError(f"channels: expected a column of X, got {name!r}; {listed(name, names)}")
    if len(names) > MAX_CHANNELS:
        raise InputError(f"expected at most {MAX_CHANNELS} columns, got {len(names)}: fit on fewer.")
    channels, notes = [], []
    for name, column in zip(names, values.T, strict=True):
        channel = None
        if not np.isnan(column).all():
            channel = _channel(name, unit_of(name), column, column, wanted.get(name))[0]
        if channel is None:
            channel = _constant(name, column, wanted.get(name))
        channels.append(channel)
        notes += _coarser(column, channel)
    return channels, notes


def _coarser(column: np.ndarray, channel: Channel) -> list[str]:
    """Return a note where a column's values aren't whole steps of its channel."""
    there = column[~np.isnan(column)]
    step = channel.mantissa * 10.0**channel.exponent
    off = np.abs(there - to_values(_steps(there, channel.mantissa, channel.exponent), channel))
    rounded_off = int((off > 1e-6 * step).sum())
    if not rounded_off:
        return []
    return [
        f"column {channel.name!r}: {rounded_off:,} of {len(there):,} values lie between the steps of {step:g}, and are "
        f"rounded: where that matters, give it a finer resolution with channels=[...], or its logarithm as a column"
    ]


def _channel(
    name: str, unit: str, column: np.ndarray, trained: np.ndarray, option: ChannelOption | None
) -> tuple[Channel | None, list[str]]:
    """Return the channel of one column, None when its training readings don't differ; and notes."""
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InputError(f"expected column names of at most {MAX_NAME_BYTES} bytes, got {name!r}: rename it.")
    if np.isnan(trained).all():
        return None, [f"column {name!r} has no reading in the training rows: left out"]
    if np.nanmin(trained) == np.nanmax(trained):
        return None, [f"column {name!r} is always {np.nanmin(trained):g} in the training rows: left out"]
    notes = []
    if option is not None:
        mantissa, exponent = option.mantissa, option.exponent
        if np.nanmax(np.abs(column)) > READING_LIMIT * mantissa * 10.0**exponent:
            raise InputError(
                f"--channel {name}: expected a resolution that keeps readings within {READING_LIMIT} steps."
            )
    else:
        mantissa, exponent, exact = 1, *_exponent(name, column[~np.isnan(column)])
        if not exact:
            notes.append(f"column {name!r} has more decimals than a node needs: rounded to {10.0**exponent:g}")
    steps = _steps(trained, mantissa, exponent)
    steps = steps[steps != MISSING]
    low, high = int(steps.min()), int(steps.max())
    if option is not None:
        _check_unit(name, unit, option.unit)
        unit = option.unit
    channel = Channel(name, unit, mantissa, exponent, low, high)
    if low == high:
        return None, [*notes, f"column {name!r} is always {steps_to_text(low, channel)} at its resolution: left out"]
    if option is None or option.low is None or option.high is None:
        return channel, notes
    outside = int(((steps < option.low) | (steps > option.high)).sum())
    channel = Channel(name, unit, mantissa, exponent, option.low, option.high)
    if outside:
        span = f"{steps_to_text(option.low, channel)} to {steps_to_text(option.high, channel)}"
        notes.append(f"column {name!r}: {outside} training readings lie outside {span}, as --channel sets it")
    return channel, notes


def _check_unit(name: str, file_unit: str, unit: str) -> None:
    """Refuse an option's unit that is another than the file's own: its numbers would be read ten times wrong."""
    own, asked = quantity(file_unit), quantity(unit)
    if own[0] and asked[0] and own != asked:
        raise InputError(
            f"--channel {name}: expected the unit of the file's numbers, {file_unit}, got {unit}: leave --channel out, "
            "and the node converts between units of one quantity"
        )


def _constant(name: str, column: np.ndarray, option: ChannelOption | None) -> Channel:
    """Return the channel of a column that has one value, or none."""
    there = column[~np.isnan(column)][:1]
    if option is not None:
        mantissa, exponent, unit = option.mantissa, option.exponent, option.unit
    else:
        mantissa, exponent, unit = 1, _exponent(name, there)[0] if len(there) else 0, unit_of(name)
    step = int(_steps(there, mantissa, exponent)[0]) if len(there) else 0
    return Channel(name, unit, mantissa, exponent, step, step)


def _exponent(name: str, values: np.ndarray) -> tuple[int, bool]:
    """Return the exponent of a column's resolution, and whether every value is exact at it."""
    largest = float(np.abs(values).max())
    span = float(values.max() - values.min())
    for decimals in range(MAX_EXACT_DECIMALS + 1):
        scaled = values * 10.0**decimals
        if max(largest, span) * 10.0**decimals > READING_LIMIT:
            break
        # Far above the noise of decimals in float64, far below one step: 1e-12 * READING_LIMIT is 0.001.
        if (np.abs(scaled - np.rint(scaled)) <= 1e-12 * largest * 10.0**decimals).all():
            return -decimals, True
    # A stray reading far off mustn't coarsen all others.
    usual = float(np.diff(np.quantile(values, [STRAY, 1 - STRAY], method="nearest"))[0]) or span
    for decimals in range(MAX_EXPONENT, -MAX_EXPONENT - 1, -1):
        scale = 10.0**decimals
        if usual * scale <= ROUNDED_SPAN and largest * scale <= READING_LIMIT:
            return -decimals, False
    raise InputError(
        f"column {name!r}: expected values up to {READING_LIMIT}e{MAX_EXPONENT}, got {largest:g}: use another unit."
    )


def _steps(values: np.ndarray, mantissa: int, exponent: int) -> np.ndarray:
    """Return values in steps: the one rounding of training and prediction, halves toward +infinity."""
    return rounded(values * 10.0**-exponent / mantissa if exponent < 0 else values / (mantissa * 10.0**exponent))
