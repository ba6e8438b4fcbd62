"""A file of readings becomes a checked table: what is wrong with it is said with its line and column."""

import csv
import hashlib
import io
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.cell_parsing import values_of
from dibble_tools.data.csv_table import Table, bytes_of, decode, scan
from dibble_tools.data.times import TimeOptions, fall_of, times_of

LIKE_NO_LABEL = ("nan", "na", "n/a", "null", "#n/a")
DATE_ONLY = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\.?"
OF_DAY = ("time", "hour", "uhrzeit", "zeit", "clock", "hora", "heure", "time of day", "timeofday")
LEAST_COUNTED = 20  # rows


@dataclass(frozen=True)
class CsvOptions:
    """How a file is written, where that can't be seen from it.

    Attributes:
        na: cells that stand for no reading, such as "-999"; "none": no number does.
    """

    times: TimeOptions = field(default_factory=TimeOptions)
    na: Sequence[str] = ()


AS_IT_IS = CsvOptions()


@dataclass
class Dataset:
    """Readings as numbers, one row a moment, beside what other columns say about the row."""

    name: str  # file name without .csv or .csv.gz
    columns: list[str]  # channel columns in file order
    values: np.ndarray  # float64 (rows, columns); NaN is a missing reading
    labels: np.ndarray | None  # str
    times_ms: np.ndarray | None  # int64: since 1970 for timestamps, 1000 * the number for seconds
    groups: np.ndarray | None  # str; the rows of a group are consecutive
    lines: np.ndarray  # int64 line in the file of each row; the header is line 1
    notes: list[str]
    sha256: str  # of the file's bytes
    units: dict[str, str] = field(default_factory=dict)  # of columns, where the file tells them
    now: np.ndarray | None = None  # str: what each row's label would be if it stayed as it is, where it tells of later
    numbers: np.ndarray | None = None  # float64: what each row is to tell, where that is a number and no label

    def rows(self, kept: np.ndarray) -> "Dataset":
        """Return the same of some rows."""
        parts = (self.labels, self.times_ms, self.groups)
        labels, times, groups = (None if part is None else part[kept] for part in parts)
        return replace(
            self,
            values=self.values[kept],
            labels=labels,
            times_ms=times,
            groups=groups,
            lines=self.lines[kept],
            now=None if self.now is None else self.now[kept],
            numbers=None if self.numbers is None else self.numbers[kept],
        )


def read_dataset(
    path: str | Path,
    *,
    label: str | None = None,
    time: str | None = None,
    group: str | None = None,
    ignore: Sequence[str] = (),
    columns: Sequence[str] | None = None,
    options: CsvOptions = AS_IT_IS,
) -> Dataset:
    """Return the checked content of a CSV file: any usual separator, encoding and decimal sign, gzip or not.

    Args:
        label, time, group: names of the columns with these roles. Where date and time of day have a column each,
            time is both: "Date+Time".
        ignore: names of columns that aren't read.
        columns: the channels that a model needs, in its order; None takes every column without another role.
    Raises:
        InputError: the file isn't such a table; names the line and the column.
    """
    path = Path(path)
    data = bytes_of(path)
    text, notes = decode(data, path.name)
    table = scan(text, path.name, alone=columns is not None, notes=notes)
    time, of_day = _time_columns(table, time, {label, group, *ignore, *(columns or ())})
    roles = [name for name in (label, time, group, of_day) if name is not None]
    channels = _channels(table, label, time, group, [*ignore, *([of_day] if of_day else [])], columns)
    table.parse(channels, roles)
    if time and of_day:
        table.join(time, of_day)
        table.notes.append(f"times are read from the columns {time!r} and {of_day!r} together")
    if label is not None:
        _drop_unlabelled(table, label)
    groups = None if group is None else _groups(table, group)
    if groups is not None:
        order = np.argsort(pd.factorize(groups.astype(object))[0], kind="stable")
        groups = groups[order]
        table.keep(order)
    channels, values = values_of(table, channels, columns is None, options.na)
    if columns is None:
        channels, values = _without_counters(table, channels, values)
    labels = None if label is None else _class_names(table, label)
    times = None if time is None else times_of(table, time, options.times)
    if time is not None and times is not None:
        kept = _in_order(table, time, times, groups, values, labels)
        table.keep(kept)
        values, times = values[kept], times[kept]
        labels = None if labels is None else labels[kept]
        groups = None if groups is None else groups[kept]
    name = re.sub(r"(\.(csv|tsv|txt))?(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    digest = hashlib.sha256(data).hexdigest()
    return Dataset(name, channels, values, labels, times, groups, table.lines, table.notes, digest, table.units)


def read_files(
    paths: Sequence[Path],
    *,
    label: str | None = None,
    time: str | None = None,
    group: str | None = None,
    ignore: Sequence[str] = (),
    options: CsvOptions = AS_IT_IS,
) -> Dataset:
    """Return the content of several files of one kind as one: columns are lined up by name, others left out.

    Where no column tells groups, each file is one. See read_dataset.
    """
    parts = [
        read_dataset(path, label=label, time=time, group=group, ignore=own, options=options)
        for path, own in zip(paths, _ignored_in(paths, ignore), strict=True)
    ]
    if len(parts) == 1:
        return parts[0]
    names = [name for name in parts[0].columns if all(name in part.columns for part in parts)]
    first = parts[0].name
    if not names:
        raise InputError(f"expected files with columns of the same names, got none that {first} shares with the others")
    notes = [f"{part.name}: {note}" for part in parts for note in part.notes]
    for part in parts:
        if others := [name for name in part.columns if name not in names]:
            notes.append(f"{part.name}: not in every file, so left out: {', '.join(others)}")
    alike = len({part.name for part in parts}) < len(parts)  # files of one name in several folders
    titles = [f"{part.name} {i + 1}" if alike else part.name for i, part in enumerate(parts)]
    groups = [
        np.full(len(part.values), title) if part.groups is None else part.groups
        for title, part in zip(titles, parts, strict=True)
    ]
    grouped = np.concatenate(groups)
    order = np.argsort(pd.factorize(grouped.astype(object))[0], kind="stable")
    times = None
    if time is not None:
        times = np.concatenate([part.times_ms for part in parts if part.times_ms is not None])
        order = np.lexsort((times, pd.factorize(grouped.astype(object))[0]))
        times = times[order]
    values = np.concatenate([part.values[:, [part.columns.index(name) for name in names]] for part in parts])
    labels = None
    if label is not None:
        labels = np.concatenate([part.labels for part in parts if part.labels is not None])[order]
    digest = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    units = {name: unit for part in reversed(parts) for name, unit in part.units.items()}
    lines = np.concatenate([part.lines for part in parts])[order]
    return Dataset(first, names, values[order], labels, times, grouped[order], lines, notes, digest, units)


def _ignored_in(paths: Sequence[Path], ignore: Sequence[str]) -> list[list[str]]:
    """Return the ignored columns of each file: one of several may lack what another has; what none has is an error."""
    if len(paths) == 1 or not ignore:
        return [list(ignore)] * len(paths)
    headers = [scan(decode(bytes_of(path), path.name)[0], path.name, alone=True).header for path in paths]
    nowhere = [name for name in ignore if not any(name in header for header in headers)]
    return [[name for name in ignore if name in header] + nowhere for header in headers]


def _time_columns(table: Table, time: str | None, taken: set[str | None]) -> tuple[str | None, str | None]:
    """Return the column of times, and that of the time of day where they are two."""
    if time is None or time in table.header:
        pass
    elif "+" in time:
        parts = [part.strip() for part in time.split("+", 1)]
        if all(part in table.header for part in parts):
            return parts[0], parts[1]
    if time not in table.header or time is None:
        return time, None
    others = [name for name in table.header if name.lower() in OF_DAY and name != time and name not in taken]
    place = table.header.index(time)
    lines = csv.reader(io.StringIO(table.body), delimiter=table.separator, skipinitialspace=True)
    cells = [row[place].strip() for row in itertools.islice(lines, 50) if len(row) > place and any(row)]
    if others and cells and all(re.fullmatch(DATE_ONLY, cell) for cell in cells):
        return time, others[0]
    return time, None


def _without_counters(table: Table, channels: list[str], values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Leave out columns that only number the rows: a model would learn when each class was recorded."""
    if len(values) < LEAST_COUNTED or len(channels) < 2:
        return channels, values
    in_file = values[np.argsort(table.lines, kind="stable")]
    counts = (np.diff(in_file, axis=0) == 1).all(axis=0)
    for place in np.flatnonzero(counts):
        table.notes.append(f"column {channels[place]!r} counts the rows: left out")
    if counts.all():
        return channels, values
    return [name for name, counter in zip(channels, counts, strict=True) if not counter], values[:, ~counts]


def _channels(
    table: Table,
    label: str | None,
    time: str | None,
    group: str | None,
    ignore: Sequence[str],
    columns: Sequence[str] | None,
) -> list[str]:
    """Return the names of the columns that hold readings, after checking every name that was given."""
    roles: dict[str, str] = {}
    named = [
        (label, "--label"),
        (time, "--time"),
        (group, "--group"),
        *((name, "--ignore") for name in ignore),
    ]
    for name, role in named:
        if name is None:
            continue
        if name not in table.header or not name:
            found = listed(name, [name for name in table.header if name])
            raise InputError(f"{table.file}: expected a column {name!r} ({role}), {found}")
        if roles.setdefault(name, role) != role:
            raise InputError(f"{table.file}: expected one role for column {name!r}, got {roles[name]} and {role}.")
    if columns is not None:
        missing = [name for name in columns if name not in table.header]
        if missing:
            raise InputError(
                f"{table.file}: expected the model's columns, {', '.join(map(repr, missing))} isn't there; "
                f"{listed(missing[0], [name for name in table.header if name])}"
            )
        both = [name for name in columns if name in roles]
        if both:
            raise InputError(
                f"{table.file}: column {both[0]!r} is a channel of the model, got it as {roles[both[0]]} too."
            )
        return list(columns)
    for name, why in table.left_out.items():
        if name not in roles:
            table.notes.append(f"column {name!r} is left out: {why}")
    unnamed = [str(i + 1) for i, name in enumerate(table.header) if not name]
    if unnamed:
        table.notes.append(f"column {', '.join(unnamed)} has no name: left out; name it in the header to use it")
    channels = [name for name in table.header if name and name not in roles and name not in table.left_out]
    if not channels:
        raise InputError(
            f"{table.file}: expected at least one column of readings, got only "
            f"{', '.join(f'{name} ({role})' for name, role in roles.items())}."
        )
    return channels


def _drop_unlabelled(table: Table, label: str) -> None:
    labelled = table.texts(label) != ""
    if not labelled.any():
        raise InputError(f"{table.file}, column {label!r}: expected class names, got only empty cells.")
    if not labelled.all():
        lines = table.lines[~labelled]
        table.notes.append(
            f"{len(lines)} rows without a label in column {label!r} left out, the first in line {lines[0]}"
        )
        table.keep(labelled)


def _class_names(table: Table, label: str) -> np.ndarray:
    """Return labels; whole numbers lose the .0 that pandas and spreadsheets add."""
    texts = table.texts(label)
    names, index, counts = np.unique(texts, return_inverse=True, return_counts=True)
    alike: dict[str, list[str]] = {}
    for name, count in zip(names.tolist(), counts, strict=True):
        alike.setdefault(" ".join(name.casefold().replace("_", " ").split()), []).append(f"{name!r} ({count} rows)")
        if name.lower() in LIKE_NO_LABEL:
            table.notes.append(
                f"{name!r} is taken as a class ({count} rows): where it means no label, leave the cell empty"
            )
    for same in alike.values():
        if len(same) > 1:
            table.notes.append(f"the classes {' and '.join(same)} differ in their spelling only: is it one class?")
    return np.array([re.sub(r"^([+-]?\d+)\.0+$", r"\1", name) for name in names], dtype=str)[index]


def _groups(table: Table, group: str) -> np.ndarray | None:
    groups = table.texts(group)
    empty = np.flatnonzero(groups == "")
    if len(empty) == len(groups):
        table.notes.append(f"column {group!r} is empty: rows are taken as ungrouped")
        return None
    if len(empty):
        raise table.error(empty[0], group, "expected the name of a group, got an empty cell: fill it in.")
    return groups


def _in_order(
    table: Table,
    time: str,
    times: np.ndarray,
    groups: np.ndarray | None,
    values: np.ndarray,
    labels: np.ndarray | None,
) -> np.ndarray:
    """Return which rows to keep: within a group time increases, and exact repeats of a row are dropped."""
    step = np.diff(times)
    together = np.ones(len(step), bool) if groups is None else groups[1:] == groups[:-1]
    same = ((values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))).all(axis=1)
    if labels is not None:
        same &= labels[1:] == labels[:-1]
    wrong = np.flatnonzero(together & ((step < 0) | ((step == 0) & ~same)))
    if len(wrong):
        row = wrong[0] + 1
        before, after = table.texts(time)[[row - 1, row]].tolist()
        where = f"line {table.lines[row - 1]}" + ("" if groups is None else f" of group {str(groups[row])!r}")
        if step[row - 1] < 0:
            hint = fall_of(int(times[row - 1]), int(times[row]))
            raise table.error(row, time, f"expected a time after {before!r} ({where}), got {after!r}: {hint}.")
        hint = "keep one of the two, or name the column that tells series apart with --group"
        raise table.error(row, time, f"expected one row a moment, got {after!r} with other content in {where}: {hint}.")
    repeat = np.concatenate(([False], together & (step == 0)))
    if repeat.any():
        table.notes.append(
            f"{repeat.sum()} rows repeat the row before: left out, the first in line {table.lines[repeat][0]}"
        )
    return ~repeat
