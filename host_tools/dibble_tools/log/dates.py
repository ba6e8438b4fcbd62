"""When records were made whose node had no clock: reckoned from the moment of a fetch, and kept for later ones."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dibble_tools.common.files import write_atomically
from dibble_tools.node.record_log import DecisionRecord

SLACK_S = 5  # between a record and the moment it is held against


@dataclass(frozen=True)
class Run:
    """Records of one run of a node, from power-on or a reset on.

    Attributes:
        first, last: their numbers.
        start_s: when the run began, seconds since 1970, UTC.
    """

    first: int
    last: int
    start_s: int


class Dates:
    """The runs known so far, kept in a file beside the segments."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._runs: dict[int, Run] = {}
        try:
            for first, last, start_s in json.loads(path.read_text(encoding="utf-8")):
                self._runs[int(first)] = Run(int(first), int(last), int(start_s))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError):
            path.replace(path.with_name(path.name + ".bad"))

    def learn(self, rows: list[DecisionRecord], starts_s: Sequence[float], now_s: float) -> int:
        """Date the last rows, if they are those of the runs that began at these moments; return how many there are.

        Args:
            starts_s: ascending; a run may have no rows.
        """
        end = len(rows)
        for start_s in reversed(starts_s):
            first = end
            later_s = now_s - start_s + SLACK_S
            while first and rows[first - 1].when is None and rows[first - 1].second <= later_s:
                first -= 1
                later_s = rows[first].second
            if first < end:
                self._keep(rows[first].sequence, rows[end - 1].sequence, start_s)
            end = first
        return len(rows) - end

    def _keep(self, first: int, last: int, start_s: float) -> None:
        """Keep a run; what was reckoned first stays: rows that were dated don't move."""
        known = self._runs.get(first)
        self._runs[first] = Run(first, last, known.start_s if known else round(start_s))
        write_atomically(
            self._path, json.dumps([[run.first, run.last, run.start_s] for run in self._runs.values()]).encode()
        )

    def dated(self, rows: list[DecisionRecord]) -> list[DecisionRecord]:
        """Return the rows with the times that are known."""
        runs = sorted(self._runs.values(), key=lambda run: run.first)
        found, place = [], 0
        for row in rows:
            while place < len(runs) and runs[place].last < row.sequence:
                place += 1
            if row.when is None and place < len(runs) and runs[place].first <= row.sequence:
                begun = datetime.fromtimestamp(runs[place].start_s, UTC).replace(tzinfo=None)
                row = replace(row, when=begun + timedelta(seconds=row.second))
            found.append(row)
        return found
