"""Cells become numbers, or an error that names the cell; what only looks like a reading is told."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from dibble_tools.common.errors import InputError
from dibble_tools.data.csv_table import MISSING_CELLS, Table
from dibble_tools.data.dialects import NUMBER
from dibble_tools.data.times import DATE

DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
LIKE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
DOTTED_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
DOTTED_AND_COMMA = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+,\d+")
SWITCHES = {"on": 1.0, "off": 0.0, "true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
TRACE = ("T", "Trace")  # of rain: less than the gauge measures
NONE = "none"
LEAST_ALIKE = 3  # rows
# What drivers and loggers write where there was no reading: DS18B20, PT100, Campbell, weather stations, 16 bits.
MARKS = (-127, -200, -242, -99, -99.9, -999, -999.9, -9999, -9999.9, -99999, -6999, -7999, -32768)
HIGH_MARKS = (999, 999.9, 9999, 99999, 999999, 6999, 7999, 32767, 65535)


def values_of(table: Table, channels: list[str], training: bool, na: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Return the channels that have any reading, and their numbers as float64 (rows, channels).

    Args:
        na: what stands for no reading, beside empty cells and words such as NaN; "none" lets every number count.
    """
    parsed: dict[str, np.ndarray] = {}
    for name in channels:
        cells = table.column(name)
        if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
            parsed[name] = cells.to_numpy(np.float64)
    texts = {name: _distinct(table, name, na) for name in channels if name not in parsed}
    pointed = bool(texts) and any(np.any(values[np.isfinite(values)] % 1) for values in parsed.values())
    pointed |= any(_has_decimal_point(distinct) for distinct, _ in texts.values())
    comma = any(_has_decimal_comma(distinct) for distinct, _ in texts.values())
    if training:
        texts = _without_constant_words(table, texts)
        channels = [name for name in channels if name in parsed or name in texts]
    for name, (distinct, index) in texts.items():
        parsed[name] = _numbers(table, name, distinct, index, pointed, comma, training)
    kept = []
    for name in channels:
        values = parsed[name] = _without_marks(table, name, parsed[name], na)
        if np.isinf(values).any():
            row = int(np.argmax(np.isinf(values)))
            raise table.error(row, name, f"expected a finite number, got {values[row]}: leave the cell empty.")
        if not np.isnan(values).all():
            kept.append(name)
        else:
            table.notes.append(f"column {name!r} is empty" + (": left out" if training else ""))
    if not kept:
        raise InputError(f"{table.file}: expected readings, got only empty cells in {', '.join(channels[:30])}.")
    kept = kept if training else channels
    return kept, np.column_stack([parsed[name] for name in kept])


def _distinct(table: Table, name: str, na: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Return the different cells of a column, "" for those without a reading, and which of them each row has."""
    index, cells = pd.factorize(table.texts(name).astype(object))
    return ["" if cell in MISSING_CELLS or cell in na else cell for cell in cells], index


def _without_constant_words(
    table: Table, texts: dict[str, tuple[list[str], np.ndarray]]
) -> dict[str, tuple[list[str], np.ndarray]]:
    """Leave out columns that say the same word in every row: a device's name, a unit, an end of record."""
    kept = {}
    for name, (distinct, index) in texts.items():
        said = {text for text in distinct if text}
        word = next(iter(said), "")
        if len(said) == 1 and len(index) >= LEAST_ALIKE and not any(map(str.isdigit, word[:1])):
            table.notes.append(f"column {name!r} always says {word[:40]!r}: left out")
        else:
            kept[name] = (distinct, index)
    return kept


def _has_decimal_comma(texts: Sequence[str]) -> bool:
    commas = [text for text in texts if DECIMAL_COMMA.fullmatch(text) or DOTTED_AND_COMMA.fullmatch(text)]
    return bool(commas) and not all(LIKE_THOUSANDS.fullmatch(text) for text in commas)


def _has_decimal_point(texts: Sequence[str]) -> bool:
    return any("." in text and NUMBER.fullmatch(text) and not DOTTED_THOUSANDS.fullmatch(text) for text in texts)


def _without_marks(table: Table, name: str, values: np.ndarray, na: Sequence[str]) -> np.ndarray:
    """Return the numbers with those taken as missing that stand for no reading: as told, or far off and well known."""
    told = [float(text) for text in na if NUMBER.fullmatch(text)]
    for mark in told:
        values = np.where(values == mark, np.nan, values)
    if NONE in na:
        return values
    for marks, end in ((MARKS, np.nanmin), (HIGH_MARKS, np.nanmax)):
        there = values[np.isfinite(values)]
        if not len(there) or (extreme := float(end(there))) not in marks:
            continue
        rest = there[there != extreme]
        span = float(np.ptp(rest)) if len(rest) else 0.0
        if len(rest) * 2 > len(there) and span > 0 and np.abs(rest - extreme).min() > span:
            table.notes.append(
                f"column {name!r}: {extreme:g} in {(values == extreme).sum()} rows, far from all others, is taken as "
                "no reading; --na none takes it as it is"
            )
            values = np.where(values == extreme, np.nan, values)
    return values


def _numbers(
    table: Table,
    name: str,
    texts: list[str],
    index: np.ndarray,
    pointed: bool,
    comma: bool,
    training: bool,
) -> np.ndarray:
    """Return the numbers of a column that pandas left as text: decimal commas, switches, or a mistake to name.

    Args:
        texts, index: its different cells, and which of them each row has.
        pointed: other columns use a decimal point, so 1,234 may well be a thousand.
        comma: the file has decimal commas, so 1.234 may well be a thousand.
    """
    said = [text for text in texts if text]
    if said and all(text.lower() in SWITCHES for text in said):
        table.notes.append(f"column {name!r}: {' and '.join(sorted(said))} are read as 1 and 0")
        return np.array([SWITCHES.get(text.lower(), np.nan) for text in texts])[index]
    if any(text in TRACE for text in said) and any(NUMBER.fullmatch(text) for text in said):
        table.notes.append(f"column {name!r}: {next(text for text in said if text in TRACE)}, a trace, is read as 0")
        texts = ["0" if text in TRACE else text for text in texts]
    if comma:
        dotted = [text for text in texts if "." in text]
        if dotted and all(DOTTED_THOUSANDS.fullmatch(t) or DOTTED_AND_COMMA.fullmatch(t) for t in dotted):
            table.notes.append(
                f"column {name!r}: {dotted[0]} is read as {dotted[0].replace('.', '')}, its point for thousands"
            )
            texts = [text.replace(".", "") if text in dotted else text for text in texts]
    commas = [text for text in texts if DECIMAL_COMMA.fullmatch(text)]
    if commas and not any("." in text and NUMBER.fullmatch(text) for text in texts):
        unclear = pointed or table.separator == ","
        if not (unclear and all(LIKE_THOUSANDS.fullmatch(text) for text in commas)):
            table.notes.append(f"column {name!r}: numbers such as {commas[0]} are read with a decimal comma")
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
