"""Bytes of a file become a table of cells, whatever the encoding, separator and line ends."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dibble_tools.common.errors import InputError

MISSING_CELLS = ("", "NA", "N/A", "nan", "NaN", "null", "None", "-", "?")
SEPARATORS = ("\t", ";", ",", " ")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass
class Table:
    """A text cut into cells, and where they were."""

    file: str
    separator: str
    header: list[str]
    body: str  # the text below the header
    width: int  # fields in the longest row; those beyond the header are empty
    lines: np.ndarray  # of each record, where it starts in the file
    full: np.ndarray  # which records aren't blank
    cells: pd.DataFrame | None = None

    def error(self, row: int, name: str, text: str) -> InputError:
        """Return the error for one cell."""
        return InputError(f"{self.file}, line {self.lines[row]}, column {name!r}: {text}")

    def parse(self, numbers: Sequence[str], texts: Sequence[str]) -> None:
        """Let pandas read the cells of these columns, as numbers where it can."""
        places = {name: self.header.index(name) for name in [*numbers, *texts]}
        kinds: dict[Any, Any] = {places[name]: str for name in texts}
        missing: dict[Any, list[str]] = {places[name]: list(MISSING_CELLS) for name in numbers}
        try:
            self.cells = pd.read_csv(
                io.StringIO(self.body),
                sep=self.separator,
                header=None,
                names=range(self.width),
                usecols=sorted(places.values()),
                dtype=kinds,
                na_values=missing,
                keep_default_na=False,
                skip_blank_lines=False,
                skipinitialspace=True,
                low_memory=False,
            )
        except pd.errors.ParserError as error:
            line = self.lines[-1]
            raise InputError(f"{self.file}, line {line}: expected a closing quote, got: {error}.") from None
        self.keep(self.full)

    def keep(self, rows: np.ndarray) -> None:
        """Keep, or reorder, these rows (mask or indices)."""
        assert self.cells is not None
        self.cells = self.cells.iloc[rows]
        self.lines = self.lines[rows]

    def column(self, name: str) -> pd.Series:
        """Return the cells of one column as pandas read them."""
        assert self.cells is not None
        return self.cells[self.header.index(name)]

    def texts(self, name: str) -> np.ndarray:
        """Return the cells of one column as a str array without space around them."""
        index, cells = pd.factorize(self.column(name).astype(object))
        return np.array([*(str(cell).strip() for cell in cells), ""], dtype=str)[index]  # -1, the last: NaN


def bytes_of(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(f"expected a CSV file, got the folder {path}: name one file in it.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"expected a CSV file, found nothing at {path}: check the name and the folder.") from None
    except OSError as error:
        raise InputError(f"expected a readable CSV file at {path}, got: {error.strerror}.") from None


def decode(data: bytes, file: str, notes: list[str]) -> str:
    """Return the text of a CSV file, its lines ended by \\n, or say what kind of file it is instead."""
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{file}: expected a whole gzip file, got a damaged one ({error}).") from None
    if data[:4] == b"PK\x03\x04":
        raise InputError(f"{file}: expected a CSV file, got a zip file or spreadsheet (xlsx, ods): save it as CSV.")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        text = data.decode("cp1252", errors="replace")
        line = data.count(b"\n", 0, error.start) + 1
        notes.append(f"line {line} isn't UTF-8: the file is read as Windows text (cp1252)")
    if re.search("[\x00-\x08\x0e-\x1f\ufffd]", text):
        raise InputError(f"{file}: expected a CSV file, which is text, got a binary file.")
    if not text.strip():
        raise InputError(f"{file}: expected a header line and rows, got an empty file.")
    if form := re.match(r"\s*(?:(<)|\{|\[\s*[\[{])", text):
        raise InputError(f"{file}: expected a CSV file, got {'HTML or XML' if form[1] else 'JSON'}: save it as CSV.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _fields(line: str, separator: str) -> list[str]:
    if separator == " ":
        line = re.sub(r"[ \t]+", " ", line.strip())
    return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])


def _separator(text: str) -> str | None:
    """Return the separator that cuts the header and the first rows into equally many fields; None: no cut."""
    head = [line for line in text.split("\n", 40)[:40] if line.strip()][:20]
    wide = []
    for separator in SEPARATORS:
        header, *rows = (_fields(line, separator) for line in head)
        while header and not header[-1]:
            header.pop()
        if len(header) < 2 or (rows and all(len(row) < 2 for row in rows)):
            continue
        wide.append(separator)
        if all(len(row) >= len(header) and not any(row[len(header) :]) for row in rows):
            return separator
    return wide[0] if wide else None


def scan(text: str, file: str, alone: bool) -> Table:
    """Return the table with its header and the place of each record, its cells still unread.

    Args:
        alone: one column is enough.
    """
    separator = _separator(text)
    if separator is None and not alone:
        line = text.strip().split("\n")[0][:60]
        raise InputError(f"{file}: expected columns separated by comma, semicolon, tab or space, got one: {line!r}.")
    if separator == " ":
        text = "\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n"))
    separator = separator or ","
    header: list[str] = []
    lines, full, start, top, width = [], [], 1, 0, 0
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    try:
        for row in reader:
            some = any(map(str.strip, row))
            if header:
                lines.append(start)
                full.append(some)
                if len(row) != len(header) and some and (len(row) < len(header) or any(row[len(header) :])):
                    raise InputError(
                        f"{file}, line {start}: expected {len(header)} fields as in the header, "
                        f"got {len(row)}: look for a missing or extra separator, or a text that needs quotes."
                    )
            elif some:
                header, top = [name.strip() for name in row], reader.line_num
                while not header[-1]:
                    header.pop()
            width = max(width, len(row))
            start = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{file}, line {start}: expected a closing quote, got: {error}.") from None
    if all(NUMBER.fullmatch(name.replace(",", ".")) or name in MISSING_CELLS for name in header):
        raise InputError(f"{file}: expected column names in line 1, got numbers: add a header line.")
    twice = [name for i, name in enumerate(header) if name and name in header[:i]]
    if twice:
        raise InputError(f"{file}: expected different column names, got {twice[0]!r} twice: rename one.")
    if not any(full):
        raise InputError(f"{file}: expected rows below the header, got none.")
    body = text.split("\n", top)[top]
    return Table(file, separator, header, body, width, np.array(lines, np.int64), np.array(full))
