"""Labelling while readings come: the page's buttons around dibble_tools.console.labelled_rows."""

import shlex
import threading
from collections.abc import Callable

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import plain
from dibble_tools.console.appended_csv import AppendedCsv
from dibble_tools.console.clock import NodeClock
from dibble_tools.console.labelled_rows import Collector
from dibble_tools.console.labels import SKIP, check_label
from dibble_tools.node.console_lines import Header, Row
from dibble_tools.studio.project import CSV_FILE, Project
from dibble_tools.studio.state import State

ENOUGH_ROWS = 30  # of each label, for a first model


class Collecting:
    """Writes rows to the project's field.csv under the label that was pressed last; any thread may call.

    Shows itself in the state's part "collect".
    """

    def __init__(self, project: Project, state: State, on_pause: Callable[[], object] = lambda: None) -> None:
        self._project = project
        self._on_pause = on_pause
        self._state = state
        self._lock = threading.RLock()
        self._table: AppendedCsv | None = None
        self._collector: Collector | None = None
        self._counts: dict[str, int] = {}
        self._problem = ""
        self.look()

    def label(self, label: object) -> None:
        """Write the rows that come from now on under a label.

        Raises:
            InputError: it can't be a label, or field.csv can't be written.
        """
        name = check_label(label if isinstance(label, str) else "")
        if name == SKIP:
            raise InputError(f"expected a label, got {SKIP!r}: press Pause where nothing is to be written")
        with self._lock:
            self._problem = ""
            if self._collector is None:
                self._table = AppendedCsv(self._project.csv)
                try:
                    self._collector = Collector(self._table, NodeClock(), name)
                except BaseException:
                    self._close()
                    raise
            self._collector.label = name
            self._show()

    def take(self, header: Header, row: Row) -> None:
        """Write a row, where a label is pressed."""
        with self._lock:
            if self._collector is None:
                return
            try:
                self._collector.take(header, row)
            except InputError as error:
                self._fail(error)

    def flush(self) -> None:
        """See on the disk what was taken since the last time, and show how much there is."""
        with self._lock:
            if self._collector is None:
                return
            try:
                self._collector.flush()
            except InputError as error:
                self._fail(error)
            self._show()

    def pause(self) -> None:
        """Write nothing more."""
        with self._lock:
            self.flush()
            self._close()
            self._on_pause()
            self.look()

    def look(self) -> None:
        """Read field.csv anew."""
        with self._lock:
            self._counts = self._project.collected()
            self._show()

    @property
    def is_on(self) -> bool:
        """Rows are written."""
        return self._collector is not None

    def channels(self) -> list[str]:
        """Return what `dibble train` has to be told of units that names don't end in, as its --channel takes it."""
        with self._lock:
            units = self._collector.units() if self._collector else []
            return [shlex.split(option)[1] for option in units]

    def _fail(self, error: InputError) -> None:
        self._close()
        self._problem = f"Not writing any more: {error}. To begin a new {CSV_FILE}, rename the old one."
        self._show()

    def _close(self) -> None:
        if self._table is not None:
            self._table.__exit__()
        self._table = self._collector = None

    def _show(self) -> None:
        collector = self._collector
        counts = dict(collector.counts.most_common()) if collector else self._counts
        label = collector.label if collector else None
        self._state.put(
            collect={
                "label": label,
                "words": self._problem or (f"Writing “{label}” to {CSV_FILE}" if label else ""),
                "labels": [
                    {"name": name, "words": _rows(counts.get(name, 0))}
                    for name in sorted({*counts, label} if label else counts)
                ],
                "rows": sum(counts.values()),
                "rows_words": _all_rows(counts),
                "left_out": _left_out(collector) if collector else "",
                "enough": _enough(counts),
            }
        )


def _rows(count: int) -> str:
    return "1 reading" if count == 1 else f"{count:,} readings"


def _all_rows(counts: dict[str, int]) -> str:
    if not counts:
        return "No labelled readings yet: collect some first."
    return f"{_rows(sum(counts.values()))}: " + ", ".join(
        f"{count:,} {plain(name, 60)}" for name, count in counts.items()
    )


def _enough(counts: dict[str, int]) -> str:
    if len(counts) < 2:
        return "A model tells labels apart, so it takes at least two."
    fewest = min(counts, key=lambda name: counts[name])
    if counts[fewest] < ENOUGH_ROWS:
        few = f"“{plain(fewest, 60)}” has {counts[fewest]}"
        return f"A first model takes some {ENOUGH_ROWS} readings of each label; {few}."
    return "✔ Enough for a first model. Readings of other days and weathers make it better."


def _left_out(collector: Collector) -> str:
    reasons = ", ".join(f"{count} × {plain(reason)}" for reason, count in collector.left_out.most_common(4))
    return ". ".join(filter(None, (reasons and f"Not written: {reasons}", collector.hint)))
