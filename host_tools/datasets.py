"""A file of readings becomes a checked table: what is wrong with it is said with its line and column."""

import csv
import difflib
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from host_tools.errors import InputError

MISSING_CELLS = ("", "NA", "N/A", "nan", "NaN", "null", "None", "-", "?")
SEPARATORS = ("\t", ";", ",", " ")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
LIKE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
ZONE = r"[T ]\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$"
DATE = r"\d{4}[-/]?\d\d[-/]?\d\d"


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
    data = _bytes_of(path)
    text = _decode(data, path.name, notes)
    table = _scan(text, path.name, alone=columns is not None)
    channels = _channels(table, label, time, group, ignore, columns, notes)
    table.parse(channels, [name for name in (label, time, group) if name is not None])
    if label is not None:
        _drop_unlabelled(table, label, notes)
    groups = None if group is None else _groups(table, group, notes)
    if groups is not None:
        order = np.argsort(pd.factorize(groups.astype(object))[0], kind="stable")
        groups = groups[order]
        table.keep(order)
    channels, values = _values(table, channels, columns is None, notes)
    labels = None if label is None else _class_names(table.texts(label))
    times = None if time is None else _times(table, time, notes)
    if time is not None and times is not None:
        kept = _in_order(table, time, times, groups, values, labels, notes)
        table.keep(kept)
        values, times = values[kept], times[kept]
        labels = None if labels is None else labels[kept]
        groups = None if groups is None else groups[kept]
    name = re.sub(r"(\.(csv|tsv|txt))?(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    digest = hashlib.sha256(data).hexdigest()
    return Dataset(name, channels, values, labels, times, groups, table.lines, notes, digest)


def parse_times(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return times in ms, and which texts are no time; all are of the kind of the first.

    Args:
        texts: str array: numbers of seconds, or ISO timestamps; without a zone they are taken as UTC.
    """
    series = pd.Series(texts, dtype=object).str.replace(",", ".")
    if len(texts) and NUMBER.fullmatch(series.iloc[0]):
        numbers = pd.to_numeric(series, errors="coerce").to_numpy(np.float64)
        bad = ~(np.abs(numbers) < 1e14)
        return np.floor(np.where(bad, 0, numbers) * 1000 + 0.5).astype(np.int64), bad
    series = series.where(series.str.match(DATE).astype(bool))
    times, bad = np.zeros(len(series), np.int64), np.ones(len(series), bool)
    zoned = series.str.contains(ZONE, na=False).astype(bool)
    for rows in (zoned, ~zoned):  # together, pandas 2.2 gives the zone of one row to the next
        stamps = pd.to_datetime(series[rows], format="ISO8601", utc=True, errors="coerce").dt.as_unit("ms")
        times[rows], bad[rows] = stamps.astype(np.int64), stamps.isna()
    return times, bad


def time_text(ms: int) -> str:
    """Return a time for people: a timestamp, or seconds where the clock clearly starts near zero."""
    return pd.Timestamp(ms, unit="ms").isoformat(" ") if abs(ms) > 10**11 else f"{ms / 1000:.15g} s"


def listed(name: str, names: Sequence[str]) -> str:
    """Return a sentence that lists what there is, and what the name may have meant."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    more = f" and {len(names) - 30} more" if len(names) > 30 else ""
    return f"there are: {', '.join(names[:30])}{more}." + (f" Did you mean {near[0]!r}?" if near else "")


def _channels(
    table: "_Table",
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
            raise InputError(
                f"{table.file}: expected one role for column {name!r}, got {roles[name]} and {role}."
            )
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


def _drop_unlabelled(table: "_Table", label: str, notes: list[str]) -> None:
    labelled = table.texts(label) != ""
    if not labelled.any():
        raise InputError(f"{table.file}, column {label!r}: expected class names, got only empty cells.")
    if not labelled.all():
        lines = table.lines[~labelled]
        notes.append(
            f"{len(lines)} rows without a label in column {label!r} left out, the first in line {lines[0]}"
        )
        table.keep(labelled)


def _class_names(texts: np.ndarray) -> np.ndarray:
    """Return labels; whole numbers lose the .0 that pandas and spreadsheets add."""
    names, index = np.unique(texts, return_inverse=True)
    return np.array([re.sub(r"^([+-]?\d+)\.0+$", r"\1", name) for name in names], dtype=str)[index]


def _groups(table: "_Table", group: str, notes: list[str]) -> np.ndarray | None:
    groups = table.texts(group)
    empty = np.flatnonzero(groups == "")
    if len(empty) == len(groups):
        notes.append(f"column {group!r} is empty: rows are taken as ungrouped")
        return None
    if len(empty):
        raise table.error(empty[0], group, "expected the name of a group, got an empty cell: fill it in.")
    return groups


def _times(table: "_Table", time: str, notes: list[str]) -> np.ndarray:
    texts = table.texts(time)
    times, bad = parse_times(texts)
    if bad.any():
        row = int(np.argmax(bad))
        raise table.error(
            row,
            time,
            f"expected seconds or a timestamp such as 2013-01-31 06:00, got {str(texts[row])!r}: "
            "write every time so, or drop the row.",
        )
    if NUMBER.fullmatch(texts[0].replace(",", ".")) and times.max() > 10**14:
        notes.append(
            f"column {time!r} is read as seconds, but {texts[0]} looks like milliseconds: divide it by 1000"
        )
    return times


def _in_order(
    table: "_Table",
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
            raise table.error(
                row, time, f"expected a time after {before!r} ({where}), got {after!r}: {hint}."
            )
        hint = "keep one of the two, or name the column that tells series apart with --group"
        raise table.error(
            row, time, f"expected one row a moment, got {after!r} with other content in {where}: {hint}."
        )
    repeat = np.concatenate(([False], together & (step == 0)))
    if repeat.any():
        notes.append(
            f"{repeat.sum()} rows repeat the row before: left out, the first in line {table.lines[repeat][0]}"
        )
    return ~repeat


def _values(
    table: "_Table", channels: list[str], training: bool, notes: list[str]
) -> tuple[list[str], np.ndarray]:
    """Return the channels that have any reading, and their numbers as float64 (rows, channels)."""
    parsed: dict[str, np.ndarray] = {}
    for name in channels:
        cells = table.column(name)
        if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
            parsed[name] = cells.to_numpy(np.float64)
    texts = [name for name in channels if name not in parsed]
    pointed = bool(texts) and any(np.any(values[np.isfinite(values)] % 1) for values in parsed.values())
    for name in texts:
        parsed[name] = _numbers(table, name, pointed, training, notes)
    kept = []
    for name in channels:
        values = parsed[name]
        if np.isinf(values).any():
            row = int(np.argmax(np.isinf(values)))
            raise table.error(
                row, name, f"expected a finite number, got {values[row]}: leave the cell empty."
            )
        if not np.isnan(values).all():
            kept.append(name)
        else:
            notes.append(f"column {name!r} is empty" + (": left out" if training else ""))
    if not kept:
        raise InputError(
            f"{table.file}: expected readings, got only empty cells in {', '.join(channels[:30])}."
        )
    kept = kept if training else channels
    return kept, np.column_stack([parsed[name] for name in kept])


def _numbers(table: "_Table", name: str, pointed: bool, training: bool, notes: list[str]) -> np.ndarray:
    """Return the numbers of a column that pandas left as text: decimal commas, or a mistake to name.

    Args:
        pointed: other columns use a decimal point, so 1,234 may well be a thousand.
    """
    index, cells = pd.factorize(table.texts(name).astype(object))  # each distinct cell is looked at once
    texts = ["" if cell in MISSING_CELLS else cell for cell in cells]
    commas = [text for text in texts if DECIMAL_COMMA.fullmatch(text)]
    if commas and not any("." in text and NUMBER.fullmatch(text) for text in texts):
        unclear = pointed or table.separator == ","
        if not (unclear and all(LIKE_THOUSANDS.fullmatch(text) for text in commas)):
            notes.append(f"column {name!r}: numbers such as {commas[0]} are read with a decimal comma")
            texts = [text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text for text in texts]
    wrong = np.array([text != "" and not NUMBER.fullmatch(text) for text in texts])[index]
    if not wrong.any():
        return np.array([float(text) if text else np.nan for text in texts])[index]
    row = int(np.argmax(wrong))
    text = texts[index[row]]
    given = np.array([text != "" for text in texts])[index]
    if "\n" in text:
        hint = "look for a stray quote before the line ends"
    elif re.fullmatch(r"[+-]?\d{1,3}([ ,.'’\u00a0]\d{3})+([.,]\d+)?", text):
        hint = "write numbers without thousands separators, and with one decimal sign in the whole file"
    elif not training or wrong.sum() * 2 < given.sum():
        hint = "correct the cell, or leave it empty when there was no reading"
    elif re.match(DATE, text):
        hint = f"name it with --time {name!r}, or leave it out with --ignore {name!r}"
    else:
        hint = f"if the column isn't a reading, name it with --label, --group or --time, or --ignore {name!r}"
    raise table.error(row, name, f"expected a number, got {text[:40]!r}: {hint}.")


# From here on: bytes to cells.


@dataclass
class _Table:
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


def _bytes_of(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(f"expected a CSV file, got the folder {path}: name one file in it.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"expected a CSV file, found nothing at {path}: check the name and the folder."
        ) from None
    except OSError as error:
        raise InputError(f"expected a readable CSV file at {path}, got: {error.strerror}.") from None


def _decode(data: bytes, file: str, notes: list[str]) -> str:
    """Return the text of a CSV file, its lines ended by \\n, or say what kind of file it is instead."""
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{file}: expected a whole gzip file, got a damaged one ({error}).") from None
    if data[:4] == b"PK\x03\x04":
        raise InputError(
            f"{file}: expected a CSV file, got a zip file or spreadsheet (xlsx, ods): save it as CSV."
        )
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
        raise InputError(
            f"{file}: expected a CSV file, got {'HTML or XML' if form[1] else 'JSON'}: save it as CSV."
        )
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


def _scan(text: str, file: str, alone: bool) -> _Table:
    """Return the table with its header and the place of each record, its cells still unread.

    Args:
        alone: one column is enough.
    """
    separator = _separator(text)
    if separator is None and not alone:
        line = text.strip().split("\n")[0][:60]
        raise InputError(
            f"{file}: expected columns separated by comma, semicolon, tab or space, got one: {line!r}."
        )
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
    return _Table(file, separator, header, body, width, np.array(lines, np.int64), np.array(full))
