"""A file of readings -> integer feature values, as the board's own code computes them, and how rows are split."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from dibble.inference import features as kinds
from dibble.inference.fixed_point import MISSING

from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel, to_readings
from dibble_tools.data.column_channels import find_channels, parse_channel_option
from dibble_tools.data.datasets import AS_IT_IS, CsvOptions, Dataset, read_files
from dibble_tools.data.feature_spec import (
    FeatureSpec,
    default_features,
    elapsed_of,
    interval_of,
    offsets_of,
    read_features,
    run_windows,
    windows_of,
)
from dibble_tools.data.future import (
    apart,
    label_later,
    label_of_the_time_ahead,
    parse_condition,
    time_until,
    with_numbers,
)
from dibble_tools.data.splits import Split, check_classes, split

MOSTLY_EMPTY = 0.5  # a column without a reading in more of the training rows costs more rows than it tells
COSTLY = 0.1  # of the training rows: a column that costs so many is named


@dataclass(frozen=True)
class DataOptions:
    """How to read the file; the help text of `dibble train` has the meaning of each."""

    label: str | None
    time: str | None = None
    group: str | None = None
    test_groups: Sequence[str] = ()
    test_after: str | None = None
    channels: Sequence[str] = ()
    ignore: Sequence[str] = ()
    features: Path | None = None
    seed: int = 0
    csv: CsvOptions = AS_IT_IS
    profile: str = ""  # of the heater, where rows are its scans
    more: Sequence[Path] = ()  # files of the same kind, lined up by the columns' names
    usual: bool = False  # no labels: all rows are what is usual
    target: str | None = None  # the column of a number to predict, instead of a label
    when: str = ""  # a condition that makes the labels: see future.parse_condition
    until: str = ""  # a condition: the number to predict is how long until it holds, `ahead_ms` at most
    ahead_ms: int = 0  # labels are what holds so much later
    tolerate: bool = False  # something stands in for missing readings

    @property
    def tells_number(self) -> bool:
        """Rows are to tell a number, no label."""
        return self.target is not None or bool(self.until)


@dataclass(frozen=True)
class Prepared:
    """A data set as the node will see it.

    Attributes:
        values: feature values, ints (rows, features).
        whole: rows without a missing reading; where readings are stood in for, those with any reading at all.
        stand_ins: for each channel what stands in for a missing reading, above its low; empty where nothing does.
        absent: value of each feature of a channel that is missing.
        elapsed_ms: time since the row before; None where rows stand alone.
    """

    ds: Dataset
    split: Split
    channels: list[Channel]
    features: list[FeatureSpec]
    readings: np.ndarray
    values: np.ndarray
    whole: np.ndarray
    elapsed_ms: np.ndarray | None
    interval_ms: int
    notes: list[str]
    ahead_ms: int = 0
    stand_ins: list[int] = field(default_factory=list)
    absent: list[int] = field(default_factory=list)

    @property
    def limits(self) -> list[int]:
        """The largest value of each feature."""
        return [f.limit(self.channels) for f in self.features] or [c.high - c.low for c in self.channels]

    @property
    def lows(self) -> list[int]:
        """What a feature's value of 0 stands for, in steps of its channel; 0 for a change, which has no ratio."""
        if not self.features:
            return [channel.low for channel in self.channels]
        changes = (kinds.DELTA, kinds.SLOPE, kinds.ABOVE)
        return [0 if f.ratio or f.kind in changes else self.channels[f.channel].low for f in self.features]

    @property
    def feature_names(self) -> list[str]:
        """A name for people of each feature: the channel's, and the window's where there is one."""
        return [f.title(self.channels) for f in self.features] or [c.name for c in self.channels]


def _leave_out_empty(ds: Dataset, train: np.ndarray, wanted: Sequence[str]) -> list[str]:
    """Take columns that are empty in most training rows out of the data set, unless asked for; return what to tell."""
    missing = np.isnan(ds.values)
    share = missing[train].mean(axis=0)
    empty = (share > MOSTLY_EMPTY) & ~np.isin(ds.columns, list(wanted))
    if empty.all():
        return []  # what there is, it has to do with
    rows = len(missing)
    notes = [
        f"column {name!r} has a reading in {rows - missing[:, i].sum()} of {rows} rows only: left out, for all others "
        f"would be lost (--channel {name}=UNIT:RESOLUTION keeps it)"
        for i, name in enumerate(ds.columns)
        if empty[i]
    ]
    ds.columns = [name for name, gone in zip(ds.columns, empty, strict=True) if not gone]
    ds.values = ds.values[:, ~empty]
    left = np.isnan(ds.values[train])
    for i, name in enumerate(ds.columns):
        alone = (left[:, i] & (left.sum(axis=1) == 1)).mean()
        if alone > COSTLY:
            notes.append(
                f"column {name!r} alone costs {alone:.0%} of the training rows: --ignore {name} would use them"
            )
    return notes


def prepare(path: Path, options: DataOptions) -> Prepared:
    """Read the file and turn it into feature values, as the board's own code computes them."""
    if options.features and not options.time:
        raise InputError("--features: expected --time too: windows need to know what follows what")
    ds = _labelled(path, options)
    assert ds.labels is not None
    parts = split(ds, test_groups=options.test_groups, test_after=options.test_after, seed=options.seed)
    if options.ahead_ms:
        near = apart(ds, np.flatnonzero(parts.train), np.flatnonzero(parts.test), options.ahead_ms)
        parts = replace(parts, train=np.isin(np.arange(len(ds.values)), near))
    notes = [
        *ds.notes,
        *(check_classes(ds, parts.train, parts.test) if ds.numbers is None and not options.usual else []),
    ]
    wanted = [parse_channel_option(text) for text in options.channels]
    notes += _leave_out_empty(ds, parts.train, [channel.name for channel in wanted])
    channels, more = find_channels(ds, wanted, parts.train)
    notes += more
    columns = [ds.columns.index(channel.name) for channel in channels]
    readings = to_readings(ds.values[:, columns], channels)
    missing = readings == MISSING
    offsets = offsets_of(readings, channels)
    stand_ins = _medians(offsets[parts.train]) if options.tolerate else []
    whole = ~(missing.all(axis=1) if options.tolerate else missing.any(axis=1))
    if options.tolerate and missing.any():
        notes.append(
            f"{missing.any(axis=1).sum()} rows have a missing reading: learned from, and scored, with what stands in"
        )
    elif not whole.all():
        row, column = np.argwhere(missing)[0]
        notes.append(
            f"{(~whole).sum()} rows have a missing reading, the first in line {ds.lines[row]}, column "
            f"{channels[column].name!r}: not trained on; the node will say 'sensor fault' for such rows"
        )
    for name in np.unique(ds.labels):
        if not (whole & parts.train & (ds.labels == name)).any():
            raise InputError(f"class {name!r}: every training row of it has a missing reading; --ignore the column")
    values = np.where(offsets < 0, stand_ins, offsets) if stand_ins else offsets
    elapsed, interval, features = None, 0, []
    if options.time:
        elapsed = elapsed_of(ds.times_ms, ds.groups, len(readings))
        assert elapsed is not None
        interval = interval_of(elapsed)
        features = read_features(options.features, channels) if options.features else default_features(channels)
    found = Prepared(
        ds,
        parts,
        channels,
        [],
        readings,
        values,
        whole,
        elapsed,
        interval,
        notes,
        options.ahead_ms,
        stand_ins,
        stand_ins,
    )
    return with_features(found, features) if features else found


def with_features(data: Prepared, features: Sequence[FeatureSpec]) -> Prepared:
    """Return a time series with these features, after those that it has."""
    assert data.elapsed_ms is not None
    gap = np.abs(data.elapsed_ms - data.interval_ms) > data.interval_ms // 2
    windows = windows_of(features, [c.high - c.low for c in data.channels], data.interval_ms)
    absent: list[int] = []
    offsets = offsets_of(data.readings, data.channels)
    if data.stand_ins:
        nothing = ~np.array([data.stand_ins])
        absent = run_windows(windows, nothing, np.zeros(1, dtype=bool))[0].tolist()
        offsets = np.where(offsets < 0, nothing, offsets)
    values = run_windows(windows, offsets, gap)
    if not data.features:
        return replace(data, features=[*features], values=values, absent=absent)
    return replace(
        data,
        features=[*data.features, *features],
        values=np.column_stack([data.values, values]),
        absent=[*data.absent, *absent],
    )


def _medians(offsets: np.ndarray) -> list[int]:
    """Return the median of each channel's offsets, of those that aren't missing."""
    present = [column[column >= 0] for column in offsets.T]
    return [int(np.median(column)) if len(column) else 0 for column in present]


def _labelled(path: Path, options: DataOptions) -> Dataset:
    """Return the files' rows with their labels: as they are, or of the time ahead."""
    if options.when and options.label is not None:
        raise InputError(f"--when makes the labels: expected no --label {options.label} beside it")
    if options.when and not options.ahead_ms:
        raise InputError("--when: expected --ahead too, such as --ahead 6h: within which time")
    if options.until and (options.when or options.label is not None or options.target is not None or options.usual):
        raise InputError("--until makes the number to predict: expected no --label, --when, --target or --usual beside")
    if options.until and not options.ahead_ms:
        raise InputError("--until: expected --ahead too, such as --ahead 48h: the longest time that it may tell")
    if (options.when or options.ahead_ms) and not options.time:
        raise InputError("--ahead: expected --time too: what comes later is known by the times")
    if options.usual and (options.when or options.ahead_ms or options.target or options.label is not None):
        raise InputError("--usual learns from rows without labels: expected no --label, --when, --ahead or --target")
    if options.target is not None and (options.when or options.label is not None):
        raise InputError("--target is a number to predict: expected no --label and no --when beside it")
    ds = read_files(
        [path, *options.more],
        label=options.label if options.ahead_ms or options.target is None else options.target,
        time=options.time,
        group=options.group,
        ignore=options.ignore,
        options=options.csv,
    )
    if options.usual:
        return replace(ds, labels=np.full(len(ds.values), "usual"))
    if options.target is not None:
        return with_numbers(ds, options.target, options.ahead_ms)
    if options.until:
        return time_until(ds, parse_condition(options.until, "--until"), options.ahead_ms)
    if options.when:
        return label_of_the_time_ahead(ds, parse_condition(options.when), options.ahead_ms)
    return label_later(ds, options.ahead_ms) if options.ahead_ms else ds
