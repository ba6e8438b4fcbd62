"""Hostile lines through what people run, collect and all that monitor can do; and what came of it."""

import csv
import io
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dibble_tools.console.appended_csv import AppendedCsv
from dibble_tools.console.clock import NodeClock
from dibble_tools.console.collect import End, collect
from dibble_tools.console.feed import Feed
from dibble_tools.console.labelled_rows import Collector
from dibble_tools.console.monitor import monitor
from dibble_tools.console.row_table import RowTable
from hostile_lines import MARK, Said, hostile_lines
from live_bench import Node, never
from rich.console import Console

DRAWING = re.compile(r"\x1b\[(\?25[lh]|[0-9]*[AGK])|\r")  # rich's own: cursor and line erasing
INTEGER = re.compile(r"-?[0-9]+")


@dataclass(frozen=True)
class Outcome:
    """What was counted.

    Attributes:
        true_rows, taken: that the node truly said; of them in the file.
        wrong: rows of the file that the node never said.
        rejected: lines that weren't read, by reason.
        problems: what a terminal, a program or a spreadsheet got that it shouldn't.
    """

    true_rows: int
    taken: int
    wrong: int
    rejected: Counter[str]
    problems: list[str]


def play(count: int, seed: int, folder: Path) -> Outcome:
    """Let so many lines come, and look at all that was written."""
    # Its header comes first, so that the file is the true node's.
    lines = [Said(Node("bed-1", every=5).say(None, None)), *hostile_lines(count, seed)]
    truth = {said.truth for said in lines if said.truth}
    data = b"".join(said.data for said in lines)
    feed = Feed(pieces(data, seed))
    out = io.StringIO()
    with AppendedCsv(folder / "field.csv") as table:
        collector = Collector(table, NodeClock(None), "dry")
        collect(feed, collector, {"d": "dry"}, End(), never, terminal(out, False))
    wrong, taken = compare(folder / "field.csv", truth)
    problems = controls("collect", out.getvalue())
    spoken: list[str] = []
    with RowTable(folder / "rows.csv") as rows:
        monitor(Feed(pieces(data, seed)), terminal(out, False), say=lambda o: spoken.append(json.dumps(o)), table=rows)
    for text in spoken:
        problems += [] if text.isascii() and text.isprintable() and json.loads(text) else [f"json: {text[:80]!r}"]
    for screen in (False, True):
        out = io.StringIO()
        monitor(Feed(pieces(data, seed)), terminal(out, screen))
        problems += controls("screen" if screen else "lines", out.getvalue())
        problems += ["markup was followed"] if f"[bold red]{MARK}" not in out.getvalue() and not screen else []
    for path in folder.glob("*.csv"):
        problems += formulas(path)
    names = {path.name for path in folder.iterdir()}
    problems += [f"file {name}" for name in names if not re.fullmatch(r"(field|rows(-\d)?)\.csv", name)]
    return Outcome(len(truth), taken, wrong, feed.reader.rejected, problems)


def terminal(out: io.StringIO, screen: bool) -> Console:
    return Console(file=out, force_terminal=screen, color_system=None, width=100, highlight=False)


def pieces(data: bytes, seed: int) -> Iterator[bytes]:
    """Cut what comes into pieces, as a port does."""
    chance = random.Random(seed)
    at = 0
    while at < len(data):
        size = chance.randint(1, 4096)
        yield data[at : at + size]
        at += size


def compare(path: Path, truth: set) -> tuple[int, int]:
    """Return how many rows of a collected file nobody said, and how many somebody did."""
    known = {(NodeClock(None).stamp(time_s), node, *readings) for node, time_s, readings in truth}
    wrong = taken = 0
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        assert next(reader)[2:-1] == ["soil_moisture_permille", "wind_direction_deg"]
        for time, node, *readings, label in reader:
            row = (time, node, *(int(reading) if reading else None for reading in readings))
            taken += row in known
            wrong += row not in known or label != "dry"
    return wrong, taken


def controls(what: str, text: str) -> list[str]:
    """Return what a terminal would take for a command."""
    left = DRAWING.sub("", text)
    bad = [character for character in set(left) if not character.isprintable() and character != "\n"]
    return [f"{what}: {bad!r}"] if bad else []


def formulas(path: Path) -> list[str]:
    """Return the cells that a spreadsheet would compute."""
    with path.open(newline="", encoding="utf-8") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    return [
        f"{path.name}: {cell[:40]!r}"
        for cell in cells
        if (cell.lstrip()[:1] in ("=", "+", "-", "@") and not INTEGER.fullmatch(cell)) or not cell.isprintable()
    ]
