"""What a node said lately, as a screen needs it: bounded, however long it runs and whatever comes."""

from collections import deque

from dibble_tools.console.feed import Status, unfit
from dibble_tools.console.pace import Pace
from dibble_tools.node.console_lines import Event, Header, Row

KEPT = 120
EVENTS = 6


class History:
    """The last rows of one node.

    Attributes:
        status: of the connection; None: there is none.
        header, last: of the last row that can be shown.
        readings: channel -> its last ones.
        margins: the last ones.
        events: the last ones.
        rows: how many came.
        pace: how often they come.
    """

    def __init__(self, interval_s: float | None = None) -> None:
        self.status: Status | None = None
        self.header: Header | None = None
        self.last: Row | None = None
        self.readings: dict[str, deque[int | None]] = {}
        self.margins: deque[int | None] = deque(maxlen=KEPT)
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self.rows = 0
        self.pace = Pace(interval_s)

    def row(self, header: Header, row: Row) -> bool:
        """Take a row; return whether it can be shown. Another header begins anew."""
        if header is not self.header:
            if unfit(header):
                return False
            if self.header is None or header.channels != self.header.channels or header.node != self.header.node:
                self.readings = {name: deque(maxlen=KEPT) for name, _ in header.channels}
                self.margins.clear()
            self.header = header
        for name, reading in row.readings.items():
            self.readings[name].append(reading)
        self.margins.append(row.margin)
        self.last = row
        self.rows += 1
        self.pace.arrived()
        return True

    def event(self, event: Event) -> None:
        self.events.append(event)
