"""`dibble label`: a log and a file of observations become labelled rows, joined by time."""

import csv
import io
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import cell, plain
from dibble_tools.console.labels import SKIP
from dibble_tools.console.row_table import FIXED
from dibble_tools.data.csv_table import Table, bytes_of, decode, scan
from dibble_tools.data.dialects import NUMBER
from dibble_tools.data.times import TimeOptions, parse_times
from dibble_tools.log.table import COLUMNS

LABEL = "label"
UTC = TimeOptions()
NOT_CHANNELS = {*COLUMNS, *FIXED} - {"time", "node"}


@dataclass
class Joined:
    """Labelled rows, and what found no partner.

    Attributes:
        columns, rows: of the CSV.
        unlabelled: rows of the log that no observation speaks of.
        untimed: rows of the log without a time.
        unused: lines of the observations that speak of no row.
        counts: label -> rows.
    """

    columns: list[str]
    rows: list[list[str]]
    unlabelled: int
    untimed: int
    unused: list[int]
    counts: dict[str, int]

    def training(self) -> str:
        """Return what `dibble train` has to be told of the column node, if there is one."""
        if "node" not in self.columns:
            return ""
        place = self.columns.index("node")
        return "--group node" if len({row[place] for row in self.rows}) > 1 else "--ignore node"

    def csv(self) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return out.getvalue().encode()


def join(log: Path, observations: Path, tolerance_s: float, zone: str = "") -> Joined:
    """Label the rows of a log.

    Args:
        log: CSV with a column time, as `dibble fetch` and `dibble monitor --csv` write it; what else the node decided
            is left out.
        observations: CSV of time,label: each speaks of the rows nearest to it, up to the tolerance; or of
            from,to,label: each speaks of the rows from its start until before its end.
        zone: of the observations' times that name none: Europe/Berlin, +02:00; "": UTC.
    Raises:
        InputError: either isn't such a file, or two observations contradict each other; names the lines.
    """
    rows, said = read(log), read(observations)
    kept = channels_of(rows)
    texts = rows.texts("time")
    times, bad = times_in(rows, "time", empty=True)
    order = np.argsort(times[~bad], kind="stable")
    places = np.flatnonzero(~bad)[order]
    left = pd.DataFrame({"at": times[places], "place": places})
    labels, used = labels_of(left, said, tolerance_s, zone)
    wanted = labels != ""
    counts: dict[str, int] = {}
    out = []
    cells = {name: rows.texts(name) for name in kept if name != "time"}
    for place, label in zip(left["place"].to_numpy()[wanted], labels[wanted], strict=True):
        if label == SKIP:
            continue
        out.append([texts[place], *(str(cells[name][place]) for name in kept if name != "time"), cell(str(label))])
        counts[str(label)] = counts.get(str(label), 0) + 1
    lines = [int(line) for line, was in zip(said.lines, used, strict=True) if not was]
    return Joined(
        ["time", *(name for name in kept if name != "time"), LABEL],
        out,
        int((~wanted).sum()),
        int(bad.sum()),
        lines,
        counts,
    )


def labels_of(left: pd.DataFrame, said: Table, tolerance_s: float, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the label of each row, "" where none is meant, and which observations were used; see `join`.

    Args:
        left: "at", the rows' times in ms, ascending.
    """
    if {"from", "to", LABEL} <= set(said.header):
        return _within(left, said, TimeOptions(zone=zone))
    if {"time", LABEL} <= set(said.header):
        return _nearest(left, said, int(1000 * tolerance_s), TimeOptions(zone=zone))
    raise InputError(
        f"{said.file}: expected the columns time,label or from,to,label, got {plain(', '.join(said.header))}"
    )


def _within(left: pd.DataFrame, said: Table, options: TimeOptions) -> tuple[np.ndarray, np.ndarray]:
    """Return the label of each row that lies in an interval, "" of the others; and which intervals were used."""
    starts, ends = times_in(said, "from", options)[0], times_in(said, "to", options)[0]
    for i in np.flatnonzero(ends <= starts)[:1]:
        raise said.error(int(i), "to", "expected a time after that in column 'from': correct it")
    order = np.argsort(starts, kind="stable")
    for before, after in pairwise(order):
        if starts[after] < ends[before]:
            raise InputError(
                f"{said.file}: expected intervals that don't overlap, got lines {said.lines[before]} and "
                f"{said.lines[after]}: correct one, the end of an interval doesn't belong to it"
            )
    right = pd.DataFrame({"at": starts[order], "end": ends[order], "i": order, LABEL: _labels(said)[order]})
    found = pd.merge_asof(left, right, on="at", direction="backward")
    inside = (found["i"].notna() & (found["at"] < found["end"])).to_numpy()
    used = np.zeros(len(starts), bool)
    used[found["i"].to_numpy()[inside].astype(int)] = True
    return np.where(inside, found[LABEL].fillna("").to_numpy(str), ""), used


def _nearest(left: pd.DataFrame, said: Table, tolerance_ms: int, options: TimeOptions) -> tuple[np.ndarray, np.ndarray]:
    """Return the label of each row near an observation, "" of the others; and which observations were used."""
    times, labels = times_in(said, "time", options)[0], _labels(said)
    order = np.argsort(times, kind="stable")
    for before, after in pairwise(order):
        if times[before] == times[after] and labels[before] != labels[after]:
            raise InputError(
                f"{said.file}: expected one label a moment, got two in lines {said.lines[before]} and "
                f"{said.lines[after]}: keep one"
            )
    right = pd.DataFrame({"at": times[order], "i": order, LABEL: labels[order]})
    sides = [
        pd.merge_asof(left, right.assign(when=right["at"]), on="at", direction=side, tolerance=tolerance_ms)
        for side in ("backward", "forward")
    ]
    far = [(side["when"] - side["at"]).abs().fillna(np.inf).to_numpy() for side in sides]
    named = [side[LABEL].fillna("").to_numpy(str) for side in sides]
    index = [side["i"].fillna(-1).to_numpy(int) for side in sides]
    tied = (far[0] == far[1]) & (named[0] != named[1])  # as near to one as to the other: of neither
    chosen = np.where(tied, "", np.where(far[0] <= far[1], named[0], named[1]))
    used = np.zeros(len(times), bool)
    which = np.where(far[0] <= far[1], index[0], index[1])
    used[which[(chosen != "") & (which >= 0)]] = True
    return chosen, used


def _labels(said: Table) -> np.ndarray:
    labels = said.texts(LABEL)
    for i in np.flatnonzero(labels == "")[:1]:
        raise said.error(int(i), LABEL, "expected a label, got an empty cell: fill it in, or drop the line")
    return labels


def times_in(
    table: Table, name: str, options: TimeOptions = UTC, *, empty: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return a column's times in ms and which rows have none, where these may be `empty`; a wrong one is an error."""
    texts = table.texts(name)
    there = texts != "" if empty else np.ones(len(texts), bool)
    times = np.zeros(len(texts), np.int64)
    bad = ~there
    if there.any():
        times[there], wrong = parse_times(texts[there], options)
        for i in np.flatnonzero(there)[wrong][:1]:
            raise table.error(
                int(i), name, f"expected a time such as 2026-05-01 06:30, got {plain(str(texts[i]), 40)!r}"
            )
        if NUMBER.fullmatch(str(texts[there][0])):
            raise table.error(0, name, "expected a timestamp such as 2026-05-01 06:30, got a number")
    return times, bad


def read(path: Path) -> Table:
    """Return a CSV's header and texts."""
    table = scan(decode(bytes_of(path), path.name)[0], path.name, alone=False)
    table.parse([], [name for name in table.header if name])
    return table


def channels_of(rows: Table) -> list[str]:
    """Return the columns of a log that belong into a training file."""
    if "time" not in rows.header:
        raise InputError(f"{rows.file}: expected a column time, got {plain(', '.join(rows.header))}")
    if LABEL in rows.header:
        raise InputError(f"{rows.file}: expected a log without labels, got a column {LABEL}")
    return [name for name in rows.header if name and name not in NOT_CHANNELS]
