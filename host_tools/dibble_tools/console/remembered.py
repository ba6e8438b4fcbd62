"""Headers heard before, so that a node which named its fields long ago is understood at once.

A row's checksum goes on from that of its header, so a remembered one fits the rows that were written under it only.
"""

import json
import os
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically
from dibble_tools.console.feed import unfit
from dibble_tools.node.console_lines import Header

MOST = 32


class Remembered:
    """The last headers, in a file of this user.

    Attributes:
        headers: the newest first.
        interval_s: how often the node of the newest reads; None: not known.
    """

    def __init__(self, path: Path | None = None) -> None:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        self._path = path or Path(state) / "dibble" / "headers.json"
        self.headers: list[Header] = []
        self._intervals: dict[str, float] = {}  # node -> seconds
        self._left = MOST
        try:
            for node, channels, crc, *interval in json.loads(self._path.read_text(encoding="utf-8"))[:MOST]:
                header = Header(str(node), tuple((str(name), str(unit)) for name, unit in channels), int(crc))
                self.headers += [] if unfit(header) else [header]
                self._intervals |= {header.node: float(interval[0])} if interval and interval[0] else {}
        except (OSError, ValueError, TypeError):
            self.headers = []  # it will be written anew

    @property
    def interval_s(self) -> float | None:
        return self._intervals.get(self.headers[0].node) if self.headers else None

    def add(self, header: Header, interval_s: float | None = None) -> None:
        """Remember a header, and how often its node reads; where that can't be written, only until the end."""
        known = header in self.headers[:1] and interval_s in (None, self._intervals.get(header.node))
        if unfit(header) or known or self._left == 0:
            return
        self._left -= 1  # a board that names other fields again and again doesn't wear the disk
        self.headers = [header, *(other for other in self.headers if other != header)][:MOST]
        self._intervals |= {header.node: interval_s} if interval_s else {}
        entries = [(h.node, h.channels, h.crc, self._intervals.get(h.node)) for h in self.headers]
        try:
            write_atomically(self._path, json.dumps(entries).encode())
        except InputError:
            return
