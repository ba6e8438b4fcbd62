"""Which features a model sees: features.toml, sensible defaults, and their values over a data set."""

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from dibble.inference import features as board
from dibble.inference import ratios
from dibble.inference.fixed_point import MISSING
from dibble.inference.kernels.features_bytecode import Windows

from dibble_tools.common.errors import InputError, reason_of
from dibble_tools.data.channels import Channel

DEFAULT = ("last", "slope:6", "mean:24")  # now, where it is going, what is usual
MAX_SIZE = 255
GRAMMAR = "KIND or KIND:N with KIND one of " + ", ".join(board.KINDS) + " and N readings, 2..255"


@dataclass(frozen=True)
class ChannelRatio:
    """By how many octaves a channel's reading lies above another's, or above the mean of several.

    Attributes:
        own, others: indices of channels whose readings are above 0.
        low, span: in 1/1024 octave, what is clamped to: low..low + span.
    """

    own: int
    others: tuple[int, ...]
    low: int
    span: int

    @property
    def channels(self) -> tuple[int, ...]:
        return (self.own, *self.others)

    def title(self, names: Sequence[str]) -> str:
        """Return its name for people, by those of the channels."""
        return f"{names[self.own]}/{names[self.others[0]] if len(self.others) == 1 else f'mean of {len(self.others)}'}"


@dataclass(frozen=True)
class FeatureSpec:
    """One feature: a channel (by index) seen through a window of `size` readings.

    Attributes:
        ratio: what is seen instead of the channel, which is the ratio's own.
    """

    channel: int
    kind: int
    size: int
    ratio: ChannelRatio | None = None

    def __str__(self) -> str:
        return board.KINDS[self.kind] + (f":{self.size}" if self.kind != board.LAST else "")

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels it is made of."""
        return self.ratio.channels if self.ratio else (self.channel,)

    def title(self, channels: Sequence[Channel]) -> str:
        """Return its name for people: the channel's, and the window's."""
        names = [channel.name for channel in channels]
        return f"{self.ratio.title(names) if self.ratio else names[self.channel]} {self}"

    def span(self, channels: Sequence[Channel]) -> int:
        """Return how far what it sees can move."""
        channel = channels[self.channel]
        return self.ratio.span if self.ratio else channel.high - channel.low

    def limit(self, channels: Sequence[Channel]) -> int:
        """Return the largest value this feature can take."""
        return board.feature_limit(self.kind, self.span(channels))

    def renumbered(self, new: Sequence[int]) -> "FeatureSpec":
        """Return the same by new numbers of channels: those of `new`, in this order, are kept."""
        place = list(new).index
        if not self.ratio:
            return replace(self, channel=place(self.channel))
        ratio = replace(self.ratio, own=place(self.ratio.own), others=tuple(map(place, self.ratio.others)))
        return replace(self, channel=ratio.own, ratio=ratio)


def log2_1024ths(values: np.ndarray) -> np.ndarray:
    """Return log2 of ints 1..2**30 - 1 in 1/1024, as the board's ratios.log2 does it."""
    values = np.maximum(np.asarray(values, dtype=np.int64), 1)
    exponent = np.zeros_like(values)
    for step in (16, 8, 4, 2, 1):
        exponent = np.where(values >> exponent >= 1 << step, exponent + step, exponent)
    mantissa = np.where(exponent >= 10, values >> np.maximum(exponent - 10, 0), values << np.maximum(10 - exponent, 0))
    above = mantissa - ratios.STEPS
    bend = above * (ratios.STEPS - above) * ratios.BEND >> ratios.BEND_SHIFT
    return exponent * ratios.STEPS + above + bend


def default_features(channels: Sequence[Channel]) -> list[FeatureSpec]:
    """Return the features of a time series for which nobody wrote a features.toml."""
    return [_parse(text, i, "") for i in range(len(channels)) for text in DEFAULT]


def read_features(path: Path, channels: Sequence[Channel]) -> list[FeatureSpec]:
    """Return the features that a features.toml asks for, in the order of the channels.

    The file has one table, [features]: channel = ["last", "mean:6"]; "*" stands for every channel
    that isn't named; a channel without features is left out.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected a readable features.toml: {reason_of(error)}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: expected TOML, got an error: {reason_of(error)}") from None
    wanted = table.pop("features", None)
    if not isinstance(wanted, dict) or table:
        raise InputError(f"{path}: expected one table [features], got {', '.join(table) or 'none'}")
    names = [channel.name for channel in channels]
    for name in wanted:
        if name != "*" and name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InputError(f"{path}: expected one of the channels {', '.join(names)}; got {name!r}.{hint}")
    features = []
    for i, name in enumerate(names):
        texts = wanted.get(name, wanted.get("*", []))
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise InputError(f"{path}: {name}: expected a list of {GRAMMAR}; got {texts!r}")
        features += [_parse(text, i, f"{path}: {name}: ") for text in dict.fromkeys(texts)]
    if not features:
        raise InputError(f"{path}: expected at least one feature, got none")
    return features


def _parse(text: str, channel: int, where: str) -> FeatureSpec:
    kind, colon, size = text.partition(":")
    if kind not in board.KINDS or (kind == "last") == bool(colon):
        raise InputError(f"{where}expected {GRAMMAR}; got {text!r}")
    if not colon:
        return FeatureSpec(channel, board.LAST, 1)
    if not size.isdecimal() or not 2 <= int(size) <= MAX_SIZE:
        raise InputError(f"{where}expected a window of 2 to {MAX_SIZE} readings, got {text!r}")
    return FeatureSpec(channel, board.KINDS.index(kind), int(size))


def offsets_of(readings: np.ndarray, channels: Sequence[Channel]) -> np.ndarray:
    """Return readings (rows, channels) as offsets above each channel's low, clamped; -1 where missing."""
    low = np.array([channel.low for channel in channels])
    high = np.array([channel.high for channel in channels])
    return np.where(readings == MISSING, -1, np.clip(readings, low, high) - low)


def windows_of(features: Iterable[Any], spans: Sequence[int], interval_ms: int) -> Windows:
    """Return the firmware's windows of features, each with a channel, kind and size; spans: of each channel."""
    return Windows([(f.channel, f.kind, f.size) for f in features], list(spans), interval_ms)


def run_windows(windows: Windows, offsets: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Push rows of offsets through the firmware's windows, restarting at gaps; return (rows, features)."""
    windows.restart()
    out = np.zeros((len(offsets), len(windows.features)), dtype=np.int64)
    for i, (row, is_gap) in enumerate(zip(offsets.tolist(), gap.tolist(), strict=True)):
        if is_gap:
            windows.restart()
        out[i] = windows.push(row)
    windows.restart()
    return out


def elapsed_of(times_ms: np.ndarray | None, groups: np.ndarray | None, rows: int) -> np.ndarray | None:
    """Return the time since the row before, -1 at the start of each group; None where there are no times."""
    if times_ms is None:
        return None
    elapsed = np.full(rows, -1, dtype=np.int64)
    elapsed[1:] = np.diff(times_ms)
    if groups is not None:
        elapsed[1:][groups[1:] != groups[:-1]] = -1
    return elapsed


def interval_of(elapsed_ms: np.ndarray) -> int:
    """Return the sampling interval: the median time between rows of one group, in ms."""
    steps = elapsed_ms[elapsed_ms > 0]
    if not len(steps):
        raise InputError("expected at least two rows of one group to tell the sampling interval, got none")
    interval = int(np.median(steps))
    longest = 8 * 24 * 3600 * 1000  # one and a half of it stays a small int on the node
    if not 2 <= interval <= longest:
        raise InputError(f"expected a sampling interval of 2 ms to 8 days, got {interval / 1000:g} s")
    return interval
