"""The project's CSV files as the page shows and labels them: rows by number, each change undoable by the file before.

A file without a column `label`, such as a fetched log, stays as it is: its labels go to a file beside it.
"""

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from dibble_tools.common.errors import InputError, reason_of
from dibble_tools.common.files import write_atomically
from dibble_tools.common.safe_text import plain
from dibble_tools.console.labelled_rows import LABEL, NODE, TIME
from dibble_tools.console.row_table import FIXED
from dibble_tools.data.channels import unit_of
from dibble_tools.log.table import COLUMNS
from dibble_tools.studio.project import Project
from dibble_tools.studio.timeline import TOGETHER, places_of

MOST_BYTES = 50_000_000
MOST_FILES = 50
BEFORE = ".bak"
FLAGS = "flags"  # a decision's, in a log
NOT_CHANNELS = {*COLUMNS, *FIXED, TIME, NODE, LABEL}
LABELLED = "-labelled.csv"
SUGGESTED, NEAR_S = 10, 60.0  # rows to suggest at once, and how near a label speaks of them


@dataclass
class FileTable:
    """One CSV file.

    Attributes:
        name: for the page: its path from the project's folder.
        columns, rows: as they are written.
    """

    name: str
    path: Path
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)

    @property
    def channels(self) -> list[tuple[str, str]]:
        """(name, unit) of each column of readings."""
        return [(name, unit_of(name) or "") for name in self.columns if name not in NOT_CHANNELS]

    def texts(self, column: str) -> list[str]:
        """Return a column; "" in each row where there is none."""
        if column not in self.columns:
            return [""] * len(self.rows)
        place = self.columns.index(column)
        return [row[place] for row in self.rows]

    def readings(self, column: str) -> list[float | None]:
        """Return a column of numbers; None where there is none."""
        return [_number(text) for text in self.texts(column)]

    def csv(self) -> bytes:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([self.columns, *self.rows])
        return out.getvalue().encode()


class OtherTables(Protocol):
    """Tables that aren't files of the project: nodes of a fleet. Each may raise InputError: there is no such node."""

    def table(self, name: str) -> FileTable: ...

    def version(self, name: str) -> str: ...

    def label(self, name: str, first: int, last: int, label: str) -> None: ...


class Tables:
    """All CSV files of a project, and the nodes of its fleet that were opened; any thread may call.

    Attributes:
        others: the fleet; None: there is none.
        opened: names of its nodes that the page shows.
    """

    def __init__(self, project: Project) -> None:
        self.others: OtherTables | None = None
        self.opened: list[str] = []
        self._project = project
        self._seen: dict[str, dict[str, Any]] = {}

    def paths(self) -> dict[str, Path]:
        """Return the files in the project's folder, and in its folder of logs, by their names for the page."""
        folder = self._project.folder
        found = [*sorted(folder.glob("*.csv")), *sorted((folder / "log").glob("*.csv"))]
        inside = [path for path in found if path.is_file() and path.resolve().is_relative_to(folder)]
        return {path.relative_to(folder).as_posix(): path for path in inside[:MOST_FILES]}

    def described(self) -> list[dict[str, Any]]:
        """Return what the page tells of each file."""
        files = [self._described(name, path) for name, path in self.paths().items()]
        if not self.others:
            return files
        opened = [self._told(name, self.others.version(name)) for name in self.opened]
        return files + [{**told, "labelled": False} for told in opened]  # no file that could be trained from

    def path(self, name: object) -> Path:
        """Return one of paths().

        Raises:
            InputError: there is none of that name.
        """
        found = self.paths()
        if not isinstance(name, str) or name not in found:
            there = ", ".join(found) or "none yet: collect readings, fetch a log, or put CSV files into its folder"
            raise InputError(f"expected a file of this project ({there}), got {name!r}")
        return found[name]

    def table(self, name: object) -> FileTable:
        """Return a file's rows.

        Raises:
            InputError: there is no such file, or it isn't one.
        """
        if self.others and name in self.opened:
            return self.others.table(str(name))
        path = self.path(name)
        try:
            if path.stat().st_size > MOST_BYTES:
                raise InputError(
                    f"{name}: expected at most {MOST_BYTES // 1_000_000} MB, got more: label it by commands"
                )
            with path.open(encoding="utf-8-sig", newline="") as file:
                columns, *rows = list(csv.reader(file)) or [[]]
        except (OSError, csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"{name}: expected a CSV file, got: {reason_of(error)}") from None
        rows = [row for row in rows if row]
        odd = next((i for i, row in enumerate(rows) if len(row) != len(columns)), None)
        if not columns or odd is not None:
            what = f"row {odd + 2} of another length" if odd is not None else "nothing"
            raise InputError(f"{name}: expected a header and rows as long as it is, got {what}")
        return FileTable(str(name), path, columns, rows)

    def content(self, name: object) -> bytes:
        """Return a table as the CSV that it is, or would be.

        Raises:
            InputError: there is no such table.
        """
        return self.table(name).csv() if name in self.opened else self.path(name).read_bytes()

    def label(self, name: object, first: int, last: int, label: str) -> str:
        """Label rows; return the name of the file that holds the labels now.

        Args:
            first, last: numbers of rows, from 0.
            label: checked; "": they have none any more.
        Raises:
            InputError: no such file or rows, or it can't be written.
        """
        if self.others and name in self.opened:
            self.others.label(str(name), first, last, label)
            return str(name)
        table = self.table(name)
        _check_span(table, first, last)
        if LABEL not in table.columns:
            table = self._labelled(table)
        place = table.columns.index(LABEL)
        for row in table.rows[first : last + 1]:
            row[place] = label
        self._write(table)
        return table.path.relative_to(self._project.folder).as_posix()

    def delete(self, name: object, first: int, last: int) -> None:
        """Take rows out of a file.

        Raises:
            InputError: no such file or rows, it has no labels, or it can't be written.
        """
        table = self.table(name)
        _check_span(table, first, last)
        if name in self.opened:
            raise InputError(f"{name}: expected a file, got a node of the fleet: its records stay whole")
        if LABEL not in table.columns:
            raise InputError(f"{name}: expected a file with labels, got a log: it stays whole, label a part of it")
        del table.rows[first : last + 1]
        self._write(table)

    def undo(self, name: object) -> None:
        """Take back the last change of a file, and again: it comes back.

        Raises:
            InputError: there is no such file, or nothing to take back.
        """
        path = self.path(name)
        before = path.with_name(path.name + BEFORE)
        try:
            old, new = before.read_bytes(), path.read_bytes()
        except OSError:
            raise InputError(f"{name}: expected a change to take back, got none") from None
        write_atomically(before, new)
        write_atomically(path, old)

    def suggested(self, name: object) -> list[dict[str, Any]]:
        """Return which rows are worth a label most, in the order of their times, each with the row's number and why.

        Raises:
            InputError: no such file, or not one to choose from.
        """
        from dibble_tools.log.suggest import suggest  # not before: pandas comes with it

        table = self.table(name)
        beside = self._beside(table)
        labelled = table if LABEL in table.columns or not beside.is_file() else self.table(beside.name)
        known = [pair for pair in zip(labelled.texts(TIME), labelled.texts(LABEL), strict=True) if all(pair)]
        left = [i for i, column in enumerate(table.columns) if column != LABEL]
        log = FileTable(table.name, table.path, [table.columns[i] for i in left])
        log.rows = [[row[i] for i in left] for row in table.rows]
        with TemporaryDirectory(prefix="dibble-") as folder:
            parts = Path(folder) / "log.csv", Path(folder) / "observations.csv"
            for part, rows in zip(
                parts, (log, FileTable("", parts[1], [TIME, LABEL], [*map(list, known)])), strict=True
            ):
                part.write_bytes(rows.csv())
            found = suggest(parts[0], SUGGESTED, parts[1] if known else None, NEAR_S)
        of = {text: i for i, text in enumerate(found.columns)}
        return [
            {
                "row": place,
                "time": plain(row[of["time"]], 40),
                "why": plain(row[of["why"]], 80),
                "said": plain(row[of["said"]], 60) if "said" in of else "",
            }
            for place, row in sorted(zip(found.places, found.rows, strict=True))
        ]

    def _beside(self, table: FileTable) -> Path:
        """Return where the labels of a log go."""
        return self._project.folder / f"{Path(table.name).stem}{LABELLED}"

    def _labelled(self, table: FileTable) -> FileTable:
        """Return the file of a log's labels: its rows, as far as they train, in a file of the project."""
        path = self._beside(table)
        keep = [name for name, _ in table.channels]
        columns = [TIME, NODE, *keep, LABEL]
        times, nodes = table.texts(TIME), table.texts(NODE)
        node = self._project.node
        channels = [table.texts(name) for name in keep]
        rows = [
            [time, given or node, *readings, ""] for time, given, *readings in zip(times, nodes, *channels, strict=True)
        ]
        if path.is_file():  # what was labelled before stays
            there = self.table(path.name)
            if there.columns != columns:
                raise InputError(f"{path.name}: expected the columns of {table.name}, got others: rename it first")
            labels = dict(zip(there.texts(TIME), there.texts(LABEL), strict=True))
            for row in rows:
                row[-1] = labels.get(row[0], "")
        return FileTable(path.name, path, columns, rows)

    def _write(self, table: FileTable) -> None:
        try:
            if table.path.exists():
                write_atomically(table.path.with_name(table.path.name + BEFORE), table.path.read_bytes())
            write_atomically(table.path, table.csv())
        except OSError as error:
            raise InputError(f"{table.name}: expected a place to write to, got: {error.strerror}") from None

    def _described(self, name: str, path: Path) -> dict[str, Any]:
        state = path.stat()
        return self._told(name, f"{state.st_mtime_ns}-{state.st_size}")

    def _told(self, name: str, version: str) -> dict[str, Any]:
        """Return what the page tells of a table of this version."""
        known = self._seen.get(name)
        if known and known["version"] == version:
            return known
        told: dict[str, Any] = {"name": name, "version": version, "rows": 0, "labelled": False}
        try:
            table = self.table(name)
        except InputError as error:
            told |= {"words": plain(str(error), 300)}
        else:
            counts = Counter(label for label in table.texts(LABEL) if label)
            words = ", ".join(f"{count:,} {plain(label, 40)}" for label, count in counts.most_common(12))
            unlabelled = len(table.rows) - sum(counts.values())
            if unlabelled:
                words = (
                    f"{words}, {unlabelled:,} without a label"
                    if words
                    else f"{unlabelled:,} readings, none labelled yet"
                )
            told |= {"rows": len(table.rows), "labelled": bool(counts), "words": words or "no readings"}
        self._seen[name] = told
        return told


def rows_json(table: FileTable) -> dict[str, Any]:
    """Return what the page needs of a table beside its picture: the time, the place and the label of each row."""
    return {
        "places": [round(place, 2) for place in places_of(table.texts(TIME)).tolist()],
        "together": TOGETHER,
        "name": table.name,
        "times": [plain(text, 40) for text in table.texts(TIME)],
        "labels": [plain(text, 60) for text in table.texts(LABEL)],
    }


def _check_span(table: FileTable, first: int, last: int) -> None:
    if not 0 <= first <= last < len(table.rows):
        raise InputError(
            f"{table.name}: expected rows from 0 to {len(table.rows) - 1}, got {first} to {last}: choose the part again"
        )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None
