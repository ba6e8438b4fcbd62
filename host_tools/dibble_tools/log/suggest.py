"""`dibble label --suggest`: which rows of a log are worth a label most.

Those that the node was least sure of, and those unlike any labelled or suggested before, spread over the days:
each is chosen for its doubt times its distance from all others that are known.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.stats import rankdata

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import cell
from dibble_tools.data.csv_table import Table
from dibble_tools.log.join import LABEL, channels_of, labels_of, read, times_in

SURE = 0.25  # what the surest row's label is worth beside 1 + SURE of the least sure's
CLOSE = 0.75  # of doubt: the quarter of the rows with the least margins
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Suggested:
    """Rows worth a label, the most telling first.

    Attributes:
        columns, rows: of the CSV, with an empty label to fill in.
        free: rows of the log that could have been chosen.
        places: of `rows` in the log, from 0.
    """

    columns: list[str]
    rows: list[list[str]]
    free: int
    places: list[int]

    def csv(self) -> bytes:
        """Return the file's bytes: observations, once the labels are filled in."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([self.columns, *self.rows])
        return out.getvalue().encode()


def suggest(log: Path, count: int, observations: Path | None, tolerance_s: float, zone: str = "") -> Suggested:
    """Return the rows of a log to label next.

    Args:
        log: CSV with a column time; with margin and flags, as `dibble fetch` writes them, doubt counts.
        observations: what was labelled already: rows that it speaks of are left out, and what is like them counts less.
        tolerance_s: a label speaks of rows so near: none of them is suggested, too.
        zone: of the times written; "": UTC, as the log has them.
    """
    rows = read(log)
    channels = [name for name in channels_of(rows) if name not in ("time", "node")]
    readings = np.column_stack([_numbers(rows, name) for name in channels]) if channels else np.zeros((0, 0))
    times, untimed = times_in(rows, "time", empty=True)
    places = np.flatnonzero(~untimed)[np.argsort(times[~untimed], kind="stable")]
    if not channels or not len(places):
        raise InputError(f"{log}: expected rows with a time and readings, got none")
    at, readings = times[places], readings[places]
    whole = ~np.isnan(readings).any(axis=1)
    known = np.zeros(len(places), bool)
    if observations is not None:
        known = labels_of(pd.DataFrame({"at": at}), read(observations), tolerance_s, zone)[0] != ""
    doubt = _doubt(rows, places)
    free = whole & ~known
    chosen = choose(doubt, _spots(readings), at, known & whole, free, int(1000 * tolerance_s), count)
    said = {name: rows.texts(name) for name in ("class", "margin", "flags") if name in rows.header}
    texts = {name: rows.texts(name) for name in channels}
    out = []
    for i in chosen:
        place = places[i]
        flags = str(said["flags"][place]) if "flags" in said else ""
        why = flags or ("a close call" if doubt[i] >= CLOSE else "unlike the others")
        what = [cell(str(said[name][place])) for name in ("class", "margin") if name in said]
        out.append([_when(int(at[i]), zone), "", why, *what, *(str(texts[name][place]) for name in channels)])
    heads = ["said" if name == "class" else name for name in ("class", "margin") if name in said]
    return Suggested(["time", LABEL, "why", *heads, *channels], out, int(free.sum()), [int(places[i]) for i in chosen])


def choose(
    doubt: np.ndarray,
    spots: np.ndarray,
    times_ms: np.ndarray,
    known: np.ndarray,
    free: np.ndarray,
    tolerance_ms: int,
    count: int,
) -> list[int]:
    """Return rows to label, the most telling first.

    Args:
        doubt: 0..1 of each row; spots: (rows, channels), no two farther apart than 1.
        times_ms: of each row, ascending.
        known: rows with a label already; free: those that may be chosen.
    """
    free = free.copy()
    far = np.ones(len(doubt))
    if known.any():
        far = np.minimum(far, cKDTree(spots[known]).query(spots)[0])
    days = np.unique(times_ms // DAY_MS, return_inverse=True)[1]
    on_day = np.bincount(days[known], minlength=days.max(initial=0) + 1).clip(max=1)
    chosen: list[int] = []
    while len(chosen) < count and free.any():
        worth = np.where(free, (SURE + doubt) * far / (1 + on_day[days]), -1.0)
        best = int(worth.argmax())
        chosen.append(best)
        free &= np.abs(times_ms - times_ms[best]) > tolerance_ms
        far = np.minimum(far, np.sqrt(((spots - spots[best]) ** 2).sum(axis=1)))
        on_day[days[best]] += 1
    return chosen


def _doubt(rows: Table, places: np.ndarray) -> np.ndarray:
    """Return how unsure the node was of each row: by the rank of its margin, 1 where it raised a flag."""
    doubt = np.zeros(len(places))
    if "margin" in rows.header:
        margins = _numbers(rows, "margin")[places]
        there = ~np.isnan(margins)
        if len(np.unique(margins[there])) > 1:
            doubt[there] = 1 - (rankdata(margins[there]) - 0.5) / there.sum()
    if "flags" in rows.header:
        doubt[rows.texts("flags")[places] != ""] = 1
    return doubt


def _spots(readings: np.ndarray) -> np.ndarray:
    """Return readings by rank within each channel, so that any unit counts alike."""
    ranks = (rankdata(np.nan_to_num(readings), axis=0) - 0.5) / len(readings)
    return ranks / np.sqrt(readings.shape[1])


def _numbers(rows: Table, name: str) -> np.ndarray:
    """Return a column's numbers, NaN where there is none."""
    return pd.to_numeric(pd.Series(rows.texts(name)), errors="coerce").to_numpy(np.float64)


def _when(ms: int, zone: str) -> str:
    stamp = pd.Timestamp(ms, unit="ms", tz="UTC")
    if not zone:
        return str(stamp.tz_localize(None).isoformat(" ", timespec="seconds"))
    try:
        return str(stamp.tz_convert(zone).isoformat(" ", timespec="seconds"))
    except (ValueError, KeyError, ZoneInfoNotFoundError):
        raise InputError(f"--time-zone: expected such as Europe/Berlin or +02:00, got {zone!r}") from None


def reasons(rows: Sequence[Sequence[str]]) -> str:
    """Return how many rows are suggested for which reason, for people."""
    names = [row[2] for row in rows]
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
