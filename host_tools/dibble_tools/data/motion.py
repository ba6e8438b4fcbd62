"""Slow streams -> numbers, as a node's senses/motion.py has them: for whole recordings, in NumPy.

A recording of raw samples, a row each, becomes a file of readings that `dibble train` takes.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from dibble.senses.motion import LEAST, MOST, OCTAVES, channels

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically

LIMIT = 32767


def motion_of(samples: np.ndarray) -> list[int]:
    """Return what a node tells of samples (count, axes) since its last reading: means, spans, octaves.

    Raises:
        InputError: there are fewer than the last octave takes.
    """
    x = np.asarray(samples, np.int64)[:MOST]
    if len(x) < LEAST:
        raise InputError(f"expected at least {LEAST} samples for a reading, got {len(x)}: a longer --every")
    told = [*(x.sum(axis=0) // len(x)).tolist(), *(x.max(axis=0) - x.min(axis=0)).tolist()]
    count = len(x)
    for octave in range(OCTAVES):
        pairs = count >> (octave + 1)
        a, b = x[: 2 * pairs : 2], x[1 : 2 * pairs : 2]
        told.append(int(np.abs(b - a).sum()) // pairs)
        x = (a + b) >> 1
    return told


def readings_of_recordings(
    files: Sequence[Path],
    out: Path,
    *,
    axes: Sequence[str],
    unit: str,
    scale: float,
    each: int,
    label: str | None,
    group: str | None,
) -> int:
    """Write the readings that a node would have made of raw samples; return how many rows.

    Args:
        files: CSV, a sample a row, in the order of their coming; a file is a recording: no reading reaches over two.
        axes: columns of the axes, at most three; scale: what one of their units is in `unit`.
        each: samples of a reading.
        label: column of what it was; a reading that holds several is left out. group: column of the animal or place;
            None: the file's name.
    Raises:
        InputError: a column isn't there, a cell is no number, or there is no reading.
    """
    names = [name for name, _ in channels(tuple("xyz"[: len(axes)]), unit)]
    head = [*names, *([label] if label else []), group or "recording"]
    rows: list[list[object]] = []
    for file in files:
        samples, labels, groups = _columns(file, axes, scale, label, group)
        for at in range(0, len(samples) - each + 1, each):
            part = slice(at, at + each)
            own = Counter(labels[part]), Counter(groups[part])
            if len(own[0]) > 1 or len(own[1]) > 1:
                continue
            told = motion_of(samples[part])
            rows.append([*told, *([labels[at]] if label else []), groups[at]])
    if not rows:
        raise InputError(f"expected {each} samples of one kind in a row, found none: a shorter --every?")
    lines = [",".join(head), *(",".join(map(str, row)) for row in rows)]
    write_atomically(out, ("\n".join(lines) + "\n").encode())
    return len(rows)


def _columns(
    file: Path, axes: Sequence[str], scale: float, label: str | None, group: str | None
) -> tuple[np.ndarray, list[str], list[str]]:
    try:
        with file.open(newline="", encoding="utf-8") as opened:
            table = list(csv.DictReader(opened))
    except OSError as error:
        raise InputError(f"{file}: expected a CSV of samples: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: expected a CSV of samples in UTF-8, got other bytes") from None
    there = list(table[0]) if table else []
    for name in (*axes, *([label] if label else []), *([group] if group else [])):
        if name not in there:
            raise InputError(f"{file}: expected a column {name!r}, got {', '.join(map(str, there)) or 'none'}")
    samples = np.zeros((len(table), len(axes)), np.int64)
    for i, row in enumerate(table):
        for k, name in enumerate(axes):
            try:
                value = round(float(row[name]) * scale)
            except (TypeError, ValueError, OverflowError):
                raise InputError(f"{file}, line {i + 2}: expected a number as {name}, got {row[name]!r}") from None
            if abs(value) > LIMIT:
                raise InputError(f"{file}, line {i + 2}: expected at most {LIMIT} after --scale, got {value}")
            samples[i, k] = value
    labels = [row[label] if label else "" for row in table]
    groups = [row[group] if group else file.stem for row in table]
    for text in {*labels, *groups}:
        if "," in text or '"' in text or "\n" in text:
            raise InputError(f"{file}: expected a label and a group without commas and quotes, got {text!r}")
    return samples, labels, groups
