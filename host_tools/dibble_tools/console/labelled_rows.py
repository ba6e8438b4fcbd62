"""Rows of a node become labelled rows of a CSV that trains without editing: each once, in order, or not at all."""

import re
from collections import Counter
from datetime import datetime

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import plain
from dibble_tools.console.appended_csv import AppendedCsv
from dibble_tools.console.clock import NodeClock
from dibble_tools.console.feed import unfit
from dibble_tools.console.labels import SKIP
from dibble_tools.data.channels import unit_of
from dibble_tools.node.console_lines import Header, Row

TIME, NODE, LABEL = "time", "node", "label"
MOST_NODES = 255
BREAK_S = 1800  # between two rows of a label, from which on they are of two recordings
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class Collector:
    """Writes rows to a table.

    Args:
        table: takes them; may hold some already.
        clock: tells their time.
        label: of the rows that come now; it may be set at any time. SKIP: they aren't written.
    Attributes:
        counts: label -> rows in the file.
        recordings: label -> how often it was recorded anew: after another label, or after BREAK_S.
        left_out: why -> rows that weren't written.
        written: rows written by this run.
        header: under which the last row came.
        taken: (sequence, time, node) of the last row, where it was taken; else None.
    Raises:
        InputError: what is in the file already isn't of this kind.
    """

    def __init__(self, table: AppendedCsv, clock: NodeClock, label: str) -> None:
        self.label = label
        self.counts: Counter[str] = Counter()
        self.recordings: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.written = 0
        self.header: Header | None = None
        self.taken: tuple[int, str, str] | None = None
        self._table = table
        self._clock = clock
        self._judged: tuple[Header, str] | None = None  # and why its rows aren't taken
        self._waiting: list[list[str]] = []
        self._last: dict[str, str] = {}  # node -> time of its last row
        self._last_label: dict[str, str] = {}
        self._behind = ("", "")  # time of a row that is older than its node's last in the file, and that one's
        if table.columns:
            self._resume()

    def take(self, header: Header, row: Row) -> bool:
        """Take a row, which flush() writes, or count why not; return whether it was taken.

        Raises:
            InputError: the first header of this run isn't that of the file, or the disk is full.
        """
        self.taken = None
        reason = self._judge(header) or self._unfit(row)
        if reason:
            self.left_out[reason] += 1
            return False
        time = self._clock.stamp(row.time_s)
        if not time:
            reason = "the node's clock isn't set"
        elif time <= self._last.get(row.node, ""):
            reason = "not after the node's last row in the file"
            self._behind = time, self._last[row.node]
        elif row.node not in self._last and len(self._last) == MOST_NODES:
            reason = f"more than {MOST_NODES} nodes"
        elif self.label == SKIP:
            reason = "skipped"
        if reason:
            self.left_out[reason] += 1
            return False
        readings = ["" if reading is None else str(reading) for reading in row.readings.values()]
        self._table.begin(_columns(header))
        self._waiting.append([time, row.node, *readings, self.label])
        self._count(row.node, time, self.label)
        self.taken = row.sequence, time, row.node
        self.written += 1
        return True

    def flush(self) -> None:
        """Write the rows taken since the last time, and see them on the disk.

        Raises:
            InputError: it is full or gone.
        """
        if self._waiting:
            self._table.append(self._waiting)
            self._waiting = []

    @property
    def hint(self) -> str:
        """What to do where rows aren't written because the node's clock is behind the file; "" where it isn't."""
        now, last = self._behind
        if not now or now == last:
            return ""
        return (
            f"the node's clock says {now}, the file ends at {last}: it was set back, or a virtual board ran fast; "
            "rows count again from there on, or at once in another file (--out)"
        )

    @property
    def in_one_go(self) -> str:
        """What to do about labels that were recorded once only; "" where there are none, or one label alone."""
        once = sorted(label for label, times in self.recordings.items() if times == 1)
        if len(self.counts) < 2 or not once:
            return ""
        return (
            f"recorded in one go: {', '.join(once)}: a model may tell that hour's air or light instead; record each "
            "label several times, in turn"
        )

    def training(self) -> str:
        """Return the options with which `dibble train` takes the file."""
        options = [f"--label {LABEL} --time {TIME}"]
        options.append(f"--group {NODE}" if len(self._last) > 1 else f"--ignore {NODE}")
        if "battery_mv" in self._table.columns:
            options.append("--ignore battery_mv")
        return " ".join([*options, *self.units()])

    def units(self) -> list[str]:
        """Return the options that tell `dibble train` the units which channels' names don't end in."""
        channels = self.header.channels if self.header else ()
        # The node holds a model's units against its sensors'.
        return [f"--channel '{name}={unit}:1'" for name, unit in channels if unit_of(name) != unit and _is_word(unit)]

    def _judge(self, header: Header) -> str:
        """Return why a header's rows aren't taken."""
        if self._judged is None or self._judged[0] is not header:
            reason = unfit(header)
            if not reason and {TIME, NODE, LABEL} & {name for name, _ in header.channels}:
                reason = f"channel named {TIME}, {NODE} or {LABEL}"
            if not reason and self._table.columns and _columns(header) != self._table.columns:
                if self.header is None:
                    self._table.begin(_columns(header))  # raises
                reason = "other channels than the file's"
            if not reason:
                self.header = header
            self._judged = header, reason
        return self._judged[1]

    def _unfit(self, row: Row) -> str:
        return "" if any(reading is not None for reading in row.readings.values()) else "no reading"

    def _resume(self) -> None:
        columns = self._table.columns
        if columns[:2] != [TIME, NODE] or columns[-1] != LABEL or len(columns) < 4:
            raise InputError(
                f"{self._table.path}: expected a file that `dibble collect` wrote, with the columns {TIME}, {NODE}, "
                f"channels, {LABEL}, got {', '.join(columns)[:200]}: choose another file with --out"
            )
        for time, node, *_, label in self._table.rows():
            if not STAMP.fullmatch(time):
                raise InputError(
                    f"{self._table.path}: expected times such as 2026-05-01 06:30:00, got {plain(time, 40)!r}: "
                    "did a spreadsheet rewrite them? Choose another file with --out"
                )
            self._count(node, max(time, self._last.get(node, "")), label)

    def _count(self, node: str, time: str, label: str) -> None:
        """Count a row, and the recording that it begins."""
        if label:
            self.counts[label] += 1
            if self._last_label.get(node) != label or _seconds_between(self._last[node], time) > BREAK_S:
                self.recordings[label] += 1
        self._last_label[node], self._last[node] = label, time


def _seconds_between(first: str, second: str) -> float:
    """Return how much later the second of two times is, 0 where either is none."""
    try:
        return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()
    except ValueError:
        return 0.0


def _columns(header: Header) -> list[str]:
    return [TIME, NODE, *(name for name, _ in header.channels), LABEL]


def _is_word(unit: str) -> bool:
    return unit.isascii() and unit.replace("_", "").isalnum()
