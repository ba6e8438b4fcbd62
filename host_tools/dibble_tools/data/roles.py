"""Which columns are label, time and group: as told, or as dibble's own files name them."""

import csv
import io
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.csv_table import Table, bytes_of, decode, scan
from dibble_tools.data.times import is_date

PREDICTED = re.compile(r"predicted_.+|.+_in_\d+[hm]")  # as inference/number.py names them
LABEL, TIME, NODE, BATTERY = "label", "time", "node", "battery_mv"
# What `dibble import` says of a row, from the coarsest: rows of one session are more alike than those of one sensor.
ORIGINS = ("session", "day", "specimen", "sensor")
PLACE, PROFILE = "scan", "profile"
LOOKED_AT = 50  # rows
EPOCH = re.compile("time|date|epoch|unix", re.IGNORECASE)  # begins the name of a column of times
SECONDS = re.compile(r"1\d{9}(\d{3}|\d{6}|\d{9})?(\.\d+)?")  # since 1970, or thousandths and less of them


@dataclass(frozen=True)
class Roles:
    """Names of columns; notes: what was taken without being told; profile: the heater's, where rows are scans."""

    label: str | None
    time: str | None
    group: str | None
    ignore: tuple[str, ...]
    notes: tuple[str, ...] = ()
    profile: str = ""


def roles_of(
    paths: Sequence[Path],
    label: str | None,
    time: str | None,
    group: str | None,
    ignore: Sequence[str],
    *,
    labelled: bool = True,
) -> Roles:
    """Return the columns' roles: what `dibble collect`, `fetch` and `label` write is known by its names.

    Args:
        labelled: a column has to hold labels; else they are made, and one of that name isn't read.
    Raises:
        InputError: no column is named for labels, and none is told.
    """
    tables = [scan(decode(bytes_of(path), path.name)[0], path.name, alone=True) for path in paths]
    header = tables[0].header
    notes = []
    if not labelled and label is None and LABEL in header and LABEL not in (time, group, *ignore):
        ignore = [*ignore, LABEL]
    if labelled and label is None:
        if LABEL not in header:
            raise InputError(f"--label: expected the column that says what the readings meant; {listed(LABEL, header)}")
        label = LABEL
    if label is not None and {*ORIGINS, PLACE} <= set(header):
        return _of_import(tables, label, time, group, ignore)
    if not {TIME, NODE} <= set(header) or label in (TIME, NODE):
        found = [] if time else _columns_of_times(tables[0], {label, group, *ignore})
        for other in found[1:]:
            notes.append(f"column {other!r} holds times, too: left out (--ignore)")
        if found:
            time = found[0]
            notes.append(
                f"column {time!r} holds times: taken as --time; if these rows are no series, --ignore {time!r}"
            )
        return Roles(label, time, group, (*ignore, *found[1:]), tuple(notes))
    more = list(ignore)
    if time is None and TIME not in more:
        time = TIME
        notes.append("column 'time' is taken as --time, as dibble writes it")
    if group is None and NODE not in more:
        if len({name for table in tables for name in _texts(table, NODE)}) > 1:
            group = NODE
            notes.append("column 'node' is taken as --group")
        else:
            more.append(NODE)
    told = [name for name in header if PREDICTED.fullmatch(name) and name not in (label, group, *more)]
    if told:
        more += told
        notes.append(f"{', '.join(told)}: what a model told, no reading: left out (--ignore)")
    if any(BATTERY in table.header for table in tables) and BATTERY not in (label, group, *more):
        more.append(BATTERY)
        notes.append("column 'battery_mv' is no reading of the field: left out (--ignore)")
    return Roles(label, time, group, tuple(more), tuple(notes))


def _columns_of_times(table: Table, taken: set[str | None]) -> list[str]:
    """Return the columns whose cells are dates, or seconds since 1970 by their name, in the order of the file."""
    lines = csv.reader(io.StringIO(table.body), delimiter=table.separator, skipinitialspace=True)
    rows = [row for row in itertools.islice(lines, LOOKED_AT) if any(row)]
    found = []
    for place, name in enumerate(table.header):
        cells = [row[place].strip() for row in rows if len(row) > place]
        if name in taken or name in table.left_out or not cells:
            continue
        if all(map(is_date, cells)) or (EPOCH.match(name) and all(map(SECONDS.fullmatch, cells))):
            found.append(name)
    return found


def _of_import(
    tables: Sequence[Table], label: str, time: str | None, group: str | None, ignore: Sequence[str]
) -> Roles:
    """Return the roles of what `dibble import` wrote: the group is the coarsest of which each class has several."""
    notes = []
    left_out = [
        name
        for name in (*ORIGINS, PLACE, PROFILE)
        if name in tables[0].header and name not in (label, time, group, *ignore)
    ]
    if group is None:
        rows = [pair for table in tables for pair in _pairs(table, label)]
        classes = {name for name, _ in rows}
        for origin in left_out:
            of = {(name, where[origin]) for name, where in rows if origin in where}
            if all(sum(name == one for name, _ in of) > 1 for one in classes):
                group = origin
                notes.append(f"column {origin!r} is taken as --group: each class was recorded in several")
                break
        else:
            notes.append(
                f"no column of {', '.join(ORIGINS)} has several for each class: rows are held out as they come"
            )
    profiles = {text for table in tables for text in _texts(table, PROFILE)}
    profile = profiles.pop() if len(profiles) == 1 else ""
    more = (name for name in left_out if name != group)
    return Roles(label, time, group, (*ignore, *more), tuple(notes), profile)


def _pairs(table: Table, label: str) -> list[tuple[str, dict[str, str]]]:
    """Return the class and the origins of each distinct row."""
    table.parse([], [label, *ORIGINS])
    columns = [table.texts(name).tolist() for name in (label, *ORIGINS)]
    return [(one[0], dict(zip(ORIGINS, one[1:], strict=True))) for one in set(zip(*columns, strict=True))]


def _texts(table: Table, name: str) -> list[str]:
    if name not in table.header:
        return []
    table.parse([], [name])
    return list(table.texts(name))
