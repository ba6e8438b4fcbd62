"""A file of readings becomes a checked table: what is wrong with it is said with its line and column."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.cells import times_of, values_of
from dibble_tools.data.csv_table import Table, bytes_of, decode, scan


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


def read_dataset(
    path: str | Path,
    *,
    label: str | None = None,
    time: str | None = None,
    group: str | None = None,
    ignore: Sequence[str] = (),
    columns: Sequence[str] | None = None,
) -> Dataset:
    """Return the checked content of a CSV file: any usual separator, encoding and decimal sign, gzip or not.

    Args:
        label, time, group: names of the columns with these roles.
        ignore: names of columns that aren't read.
        columns: the channels that a model needs, in its order; None takes every column without another role.
    Raises:
        InputError: the file isn't such a table; names the line and the column.
    """
    path = Path(path)
    notes: list[str] = []
    data = bytes_of(path)
    text = decode(data, path.name, notes)
    table = scan(text, path.name, alone=columns is not None)
    channels = _channels(table, label, time, group, ignore, columns, notes)
    table.parse(channels, [name for name in (label, time, group) if name is not None])
    if label is not None:
        _drop_unlabelled(table, label, notes)
    groups = None if group is None else _groups(table, group, notes)
    if groups is not None:
        order = np.argsort(pd.factorize(groups.astype(object))[0], kind="stable")
        groups = groups[order]
        table.keep(order)
    channels, values = values_of(table, channels, columns is None, notes)
    labels = None if label is None else _class_names(table.texts(label))
    times = None if time is None else times_of(table, time, notes)
    if time is not None and times is not None:
        kept = _in_order(table, time, times, groups, values, labels, notes)
        table.keep(kept)
        values, times = values[kept], times[kept]
        labels = None if labels is None else labels[kept]
        groups = None if groups is None else groups[kept]
    name = re.sub(r"(\.(csv|tsv|txt))?(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    digest = hashlib.sha256(data).hexdigest()
    return Dataset(name, channels, values, labels, times, groups, table.lines, notes, digest)


def _channels(
    table: Table,
    label: str | None,
    time: str | None,
    group: str | None,
    ignore: Sequence[str],
    columns: Sequence[str] | None,
    notes: list[str],
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
    unnamed = [str(i + 1) for i, name in enumerate(table.header) if not name]
    if unnamed:
        notes.append(f"column {', '.join(unnamed)} has no name: left out; name it in the header to use it")
    channels = [name for name in table.header if name and name not in roles]
    if not channels:
        raise InputError(
            f"{table.file}: expected at least one column of readings, got only "
            f"{', '.join(f'{name} ({role})' for name, role in roles.items())}."
        )
    return channels


def _drop_unlabelled(table: Table, label: str, notes: list[str]) -> None:
    labelled = table.texts(label) != ""
    if not labelled.any():
        raise InputError(f"{table.file}, column {label!r}: expected class names, got only empty cells.")
    if not labelled.all():
        lines = table.lines[~labelled]
        notes.append(f"{len(lines)} rows without a label in column {label!r} left out, the first in line {lines[0]}")
        table.keep(labelled)


def _class_names(texts: np.ndarray) -> np.ndarray:
    """Return labels; whole numbers lose the .0 that pandas and spreadsheets add."""
    names, index = np.unique(texts, return_inverse=True)
    return np.array([re.sub(r"^([+-]?\d+)\.0+$", r"\1", name) for name in names], dtype=str)[index]


def _groups(table: Table, group: str, notes: list[str]) -> np.ndarray | None:
    groups = table.texts(group)
    empty = np.flatnonzero(groups == "")
    if len(empty) == len(groups):
        notes.append(f"column {group!r} is empty: rows are taken as ungrouped")
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
    notes: list[str],
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
            hint = "sort the rows by time, or name the column that tells series apart with --group"
            raise table.error(row, time, f"expected a time after {before!r} ({where}), got {after!r}: {hint}.")
        hint = "keep one of the two, or name the column that tells series apart with --group"
        raise table.error(row, time, f"expected one row a moment, got {after!r} with other content in {where}: {hint}.")
    repeat = np.concatenate(([False], together & (step == 0)))
    if repeat.any():
        notes.append(f"{repeat.sum()} rows repeat the row before: left out, the first in line {table.lines[repeat][0]}")
    return ~repeat
