"""Decisions appended to a CSV; a node that names other fields gets another file."""

from collections import Counter
from itertools import groupby
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import cell
from dibble_tools.console.appended_csv import AppendedCsv
from dibble_tools.console.clock import NodeClock
from dibble_tools.console.feed import unfit
from dibble_tools.console.json_lines import flag_words
from dibble_tools.node.console_lines import Header, Row

FIXED = ("time", "node", "sequence", "class", "held", "margin", "flags", "action", "faults", "battery")
MOST_FILES = 9


class RowTable:
    """Writes rows to PATH, and those with other channels to PATH-2, PATH-3, …; a context manager.

    Attributes:
        notes: what the user should know, as it comes.
        left_out: why -> rows that weren't written.
    """

    def __init__(self, path: Path) -> None:
        self.notes: list[str] = []
        self.left_out: Counter[str] = Counter()
        self._path = path
        self._clock = NodeClock(None)
        self._waiting: list[tuple[AppendedCsv, list[str]]] = []
        self._tables: dict[tuple[str, ...], AppendedCsv] = {}
        self._used = 0
        self._open_next()

    def __enter__(self) -> "RowTable":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.flush()
        finally:
            for table in self._tables.values():
                table.__exit__()

    def take(self, header: Header, row: Row) -> None:
        """Take a row, which flush() writes.

        Raises:
            InputError: another program writes the file that it belongs to.
        """
        table = self._table_of(header)
        if table is None:
            self.left_out["other channels, too often" if not unfit(header) else unfit(header)] += 1
            return
        texts = [row.class_name or "", row.held or "", str(row.margin), " + ".join(flag_words(row.flags))]
        numbers = [row.action, row.faults, row.battery_mv, *row.readings.values()]
        self._waiting.append(
            (
                table,
                [
                    self._clock.stamp(row.time_s),
                    row.node,
                    str(row.sequence),
                    *map(cell, texts),
                    *("" if number is None else str(number) for number in numbers),
                ],
            )
        )

    def flush(self) -> None:
        """Write the rows taken since the last time, and see them on the disk.

        Raises:
            InputError: it is full or gone.
        """
        waiting, self._waiting = self._waiting, []
        for table, rows in groupby(waiting, key=lambda pair: pair[0]):
            table.append([row for _, row in rows])

    def _table_of(self, header: Header) -> AppendedCsv | None:
        if unfit(header):
            return None
        columns = (*FIXED, *(name for name, _ in header.channels))
        if len(set(columns)) != len(columns):
            return None
        while columns not in self._tables:
            fresh = self._tables.pop((), None)
            if fresh:
                fresh.begin(columns)
                self._tables[columns] = fresh
            elif self._used == MOST_FILES:
                return None
            else:
                self._open_next()
        return self._tables[columns]

    def _open_next(self) -> None:
        """Open the next file, new or with some channels already: under () while it has none."""
        self._used += 1
        name = self._path.name if self._used == 1 else f"{self._path.stem}-{self._used}{self._path.suffix}"
        table = AppendedCsv(self._path.with_name(name))
        columns = tuple(table.columns)
        if (columns and columns[: len(FIXED)] != FIXED) or columns in self._tables:
            table.__exit__()
            if self._used == 1:
                raise InputError(f"{table.path}: expected a file that `dibble monitor` wrote: choose another for --csv")
            return
        self.notes += table.notes
        if self._used > 1:
            self.notes.append(f"the node names other channels: its rows go to {table.path}")
        self._tables[columns] = table
