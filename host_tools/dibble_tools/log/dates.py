"""When records were made whose node had no clock: reckoned from the moment of a fetch, and kept for later ones."""

import json
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

    def learn(self, rows: list[DecisionRecord], start_s: float, now_s: float) -> int:
        """Date the last rows, if they are those of the run that began at `start_s`; return how many there are."""
        count = 0
        later_s = now_s - start_s + SLACK_S
        for row in reversed(rows):
            if row.when is not None or row.second > later_s:
                break
            later_s = row.second
            count += 1
        if count:
            first, last = rows[-count].sequence, rows[-1].sequence
            known = self._runs.get(first)  # the first reckoning stays: rows that were dated don't move
            self._runs[first] = Run(first, last, known.start_s if known else round(start_s))
            write_atomically(
                self._path, json.dumps([[run.first, run.last, run.start_s] for run in self._runs.values()]).encode()
            )
        return count

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
