"""A CSV file that only ever grows: a row is in it whole and on the disk, or not at all."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dibble_tools.common.errors import InputError


class AppendedCsv:
    """One file, held by one program at a time; a context manager.

    Args:
        path: may be there already: its rows stay.
    Attributes:
        columns: of its header; empty while it has none.
        notes: what was found and put right.
    Raises:
        InputError: it can't be written, another program writes it, or it's no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise InputError(f"{path}: expected a CSV file to write to, got: {error.strerror}.") from None
        try:
            self._lock()
            self._mend()
            self.columns = self._header()
        except BaseException:
            os.close(self._handle)
            raise

    def __enter__(self) -> "AppendedCsv":
        return self

    def __exit__(self, *_: object) -> None:
        """Close it; a file that got no row isn't left behind."""
        if not self.columns:
            self.path.unlink(missing_ok=True)
        os.close(self._handle)

    def begin(self, columns: Sequence[str]) -> None:
        """Write the header to an empty file.

        Raises:
            InputError: the file has another header.
        """
        if self.columns and self.columns != list(columns):
            raise InputError(
                f"{self.path}: expected the columns {', '.join(columns)}, got {', '.join(self.columns)}: "
                "choose another file with --out"
            )
        if not self.columns:
            self.append([columns])
            self.columns = list(columns)

    def append(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows and see them on the disk.

        Raises:
            InputError: the disk is full or gone; the file is as before.
        """
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        data = text.getvalue().encode()
        size = os.fstat(self._handle).st_size
        try:
            while data:
                data = data[os.write(self._handle, data) :]
            os.fsync(self._handle)
        except OSError as error:
            os.ftruncate(self._handle, size)
            raise InputError(f"{self.path}: expected room for a row, got: {error.strerror}.") from None

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows below the header.

        Raises:
            InputError: one has another number of fields; names its line.
        """
        with self._open() as file:
            reader = csv.reader(file)
            next(reader, None)
            try:
                for row in reader:
                    if row and len(row) != len(self.columns):
                        raise InputError(
                            f"{self.path}, line {reader.line_num}: expected {len(self.columns)} fields as in the "
                            f"header, got {len(row)}: correct the line, or choose another file with --out"
                        )
                    if row:
                        yield row
            except (csv.Error, UnicodeDecodeError) as error:
                raise InputError(f"{self.path}, line {reader.line_num + 1}: expected CSV text, got: {error}.") from None

    def _open(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(self.path.open("rb"), "utf-8", newline="")

    def _header(self) -> list[str]:
        with self._open() as file:
            try:
                return next(csv.reader(file), [])
            except (csv.Error, UnicodeDecodeError) as error:
                raise InputError(f"{self.path}: expected a CSV file, got: {error}.") from None

    def _lock(self) -> None:
        try:
            from fcntl import LOCK_EX, LOCK_NB, flock
        except ImportError:  # Windows
            return
        try:
            flock(self._handle, LOCK_EX | LOCK_NB)
        except OSError:
            raise InputError(f"{self.path}: expected a file to write to, got one that another dibble writes.") from None

    def _mend(self) -> None:
        """Set aside what follows the last whole line: a run that was killed in the middle of a row left it."""
        with self.path.open("rb") as file:
            data = file.read()
        whole = data.rfind(b"\n") + 1
        while (
            whole and b"\0" in data[data.rfind(b"\n", 0, whole - 1) + 1 : whole]
        ):  # blocks that never reached the disk
            whole = data.rfind(b"\n", 0, whole - 1) + 1
        torn = data[whole:]
        if not torn:
            return
        aside = self.path.with_name(self.path.name + ".torn")
        with aside.open("ab") as file:
            file.write(torn + b"\n")
        os.ftruncate(self._handle, whole)
        line = data.count(b"\n", 0, whole) + 1
        self.notes.append(f"{self.path}: line {line} was torn by an interrupted run; it is set aside in {aside.name}")
