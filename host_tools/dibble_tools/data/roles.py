"""Which columns are label, time and group: as told, or as dibble's own files name them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.csv_table import Table, bytes_of, decode, scan

LABEL, TIME, NODE, BATTERY = "label", "time", "node", "battery_mv"


@dataclass(frozen=True)
class Roles:
    """Names of columns; notes: what was taken without being told."""

    label: str
    time: str | None
    group: str | None
    ignore: tuple[str, ...]
    notes: tuple[str, ...] = ()


def roles_of(
    paths: Sequence[Path], label: str | None, time: str | None, group: str | None, ignore: Sequence[str]
) -> Roles:
    """Return the columns' roles: what `dibble collect`, `fetch` and `label` write is known by its names.

    Raises:
        InputError: no column is named for labels, and none is told.
    """
    tables = [scan(decode(bytes_of(path), path.name)[0], path.name, alone=True) for path in paths]
    header = tables[0].header
    notes = []
    if label is None:
        if LABEL not in header:
            raise InputError(f"--label: expected the column that says what the readings meant; {listed(LABEL, header)}")
        label = LABEL
    if not {TIME, NODE} <= set(header) or label in (TIME, NODE):
        return Roles(label, time, group, tuple(ignore))
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
    if BATTERY in header and BATTERY not in (label, group, *more):
        more.append(BATTERY)
        notes.append("column 'battery_mv' is no reading of the field: left out (--ignore)")
    return Roles(label, time, group, tuple(more), tuple(notes))


def _texts(table: Table, name: str) -> list[str]:
    if name not in table.header:
        return []
    table.parse([], [name])
    return list(table.texts(name))
