"""Cells become numbers and times, or an error that names the cell."""

import re

import numpy as np
import pandas as pd

from dibble_tools.common.errors import InputError
from dibble_tools.data.csv_table import MISSING_CELLS, NUMBER, Table

DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
LIKE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
ZONE = r"[T ]\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$"
DATE = r"\d{4}[-/]?\d\d[-/]?\d\d"


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


def times_of(table: Table, time: str, notes: list[str]) -> np.ndarray:
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
        notes.append(f"column {time!r} is read as seconds, but {texts[0]} looks like milliseconds: divide it by 1000")
    return times


def values_of(table: Table, channels: list[str], training: bool, notes: list[str]) -> tuple[list[str], np.ndarray]:
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
            raise table.error(row, name, f"expected a finite number, got {values[row]}: leave the cell empty.")
        if not np.isnan(values).all():
            kept.append(name)
        else:
            notes.append(f"column {name!r} is empty" + (": left out" if training else ""))
    if not kept:
        raise InputError(f"{table.file}: expected readings, got only empty cells in {', '.join(channels[:30])}.")
    kept = kept if training else channels
    return kept, np.column_stack([parsed[name] for name in kept])


def _numbers(table: Table, name: str, pointed: bool, training: bool, notes: list[str]) -> np.ndarray:
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
