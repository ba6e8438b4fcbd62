"""Bytes of a file become a table of cells, whatever the encoding, separator and line ends."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dibble_tools.common.errors import InputError
from dibble_tools.data.dialects import NUMBER, SEPARATORS, fields, plain

MISSING_CELLS = (
    *("", "NA", "N/A", "n/a", "nan", "NaN", "NAN", "null", "NULL", "None", "-", "--", "---", "?", "#N/A"),
    *("unavailable", "unknown", "Unavailable", "Unknown"),
)


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
    units: dict[str, str] = field(default_factory=dict)  # by column, where the file tells them
    left_out: dict[str, str] = field(default_factory=dict)  # columns that are no readings, and why
    zone_minutes: int = 0  # of its times, east of UTC
    notes: list[str] = field(default_factory=list)  # how it is read, for people
    cells: pd.DataFrame | None = None

    def error(self, row: int, name: str, text: str) -> InputError:
        """Return the error for one cell."""
        return InputError(f"{self.file}, line {self.lines[row]}, column {name!r}: {text}")

    def parse(self, numbers: Sequence[str], texts: Sequence[str]) -> None:
        """Let pandas read the cells of these columns, as numbers where it can."""
        places = {name: self.header.index(name) for name in [*numbers, *texts]}
        # With decimal commas about, a column of 1.234 has to be looked at as it is written.
        whole = self.separator != "," and re.search(r"\d,\d", self.body) is not None
        kinds: dict[Any, Any] = {places[name]: str for name in ([*numbers, *texts] if whole else texts)}
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

    def join(self, name: str, other: str) -> None:
        """Put the texts of another column behind those of one: a date and its time of day."""
        assert self.cells is not None
        joined = np.char.add(np.char.add(self.texts(name), " "), self.texts(other))
        self.cells = self.cells.copy()
        self.cells[self.header.index(name)] = joined

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


def decode(data: bytes, file: str) -> tuple[str, list[str]]:
    """Return the text of a CSV file, its lines ended by \\n, and notes on how it is read.

    Raises:
        InputError: it's another kind of file; says which.
    """
    notes = []
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
        name, text = _decoded(data)
        line = data.count(b"\n", 0, error.start) + 1
        notes.append(f"line {line} isn't UTF-8: the file is read as {name}")
    text, torn = _without_nuls(text)
    notes += torn
    if re.search("[\x00-\x08\x0e-\x1f\ufffd]", text):
        raise InputError(f"{file}: expected a CSV file, which is text, got a binary file.")
    if not text.strip():
        raise InputError(f"{file}: expected a header line and rows, got an empty file.")
    if form := re.match(r"\s*(?:(<)|\{|\[\s*[\[{])", text):
        raise InputError(f"{file}: expected a CSV file, got {'HTML or XML' if form[1] else 'JSON'}: save it as CSV.")
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def _decoded(data: bytes) -> tuple[str, str]:
    """Return (the encoding's name for people, the text) of bytes that aren't UTF-8.

    Chinese text (GBK) has its characters in pairs of high bytes, of which the first of a common one is at most 0xD7;
    Western text has lone ones, and its small letters begin at 0xE0.
    """
    runs = re.findall(rb"[\x80-\xff]+", data)
    if all(len(run) % 2 == 0 and min(run) >= 0xA1 and max(run[::2]) <= 0xD7 for run in runs):
        try:
            return "Chinese text (GBK)", data.decode("gbk")
        except UnicodeDecodeError:
            pass
    return "Windows text (cp1252)", data.decode("cp1252", errors="replace")


def _without_nuls(text: str) -> tuple[str, list[str]]:
    """Return a text without the lines that a power cut filled with NULs, and a note; one full of them as it is."""
    if "\0" not in text:
        return text, []
    lines = text.split("\n")
    torn = [i for i, line in enumerate(lines) if "\0" in line]
    if len(torn) * 4 > len(lines):
        return text, []
    for i in torn:
        lines[i] = ""
    where = f"line {torn[0] + 1}" + (f" and {len(torn) - 1} more" if len(torn) > 1 else "")
    return "\n".join(lines), [f"{where}: zeros in place of text, as a power cut leaves them: left out"]


def _separator(text: str) -> str | None:
    """Return the separator that cuts the header and the first rows into equally many fields; None: no cut."""
    head = [line for line in text.split("\n", 40)[:40] if line.strip()][:20]
    wide = []
    for separator in SEPARATORS:
        header, *rows = (fields(line, separator) for line in head)
        while header and not header[-1]:
            header.pop()
        if len(header) < 2 or (rows and all(len(row) < 2 for row in rows)):
            continue
        wide.append(separator)
        if all(len(row) >= len(header) and not any(row[len(header) :]) for row in rows):
            return separator
    return wide[0] if wide else None


def scan(text: str, file: str, alone: bool, notes: Sequence[str] = ()) -> Table:
    """Return the table with its header and the place of each record, its cells still unread.

    Args:
        alone: one column is enough.
        notes: on the text.
    """
    found = plain(text, file)
    text = found.text
    separator = found.separator or _separator(text)
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
    places = np.array(lines, np.int64) - found.lines_above
    table = Table(file, separator, header, body, width, places, np.array(full), found.units, found.left_out)
    table.zone_minutes = found.zone_minutes
    table.notes = [*notes, *found.notes]
    return table
