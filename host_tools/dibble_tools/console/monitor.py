"""`dibble monitor`: what a node decides, and why, as it happens: a live view, JSON lines, a CSV."""

import time
from collections.abc import Callable
from contextlib import nullcontext

from rich.live import Live
from rich.text import Text

from dibble_tools.common.safe_text import plain
from dibble_tools.common.terminal import Console
from dibble_tools.console.feed import Feed, Status
from dibble_tools.console.frames import Assembler
from dibble_tools.console.history import History
from dibble_tools.console.json_lines import event_object, frame_object, row_object, status_object
from dibble_tools.console.reasons import Reasons
from dibble_tools.console.row_table import RowTable
from dibble_tools.console.view import line_of, monitor_view
from dibble_tools.node.console_lines import Event, FrameRow, Header, Line, Rejected, Row

DRAW_S = 0.2


def monitor(
    feed: Feed,
    console: Console,
    *,
    say: Callable[[dict[str, object]], None] | None = None,
    table: RowTable | None = None,
    reasons: Reasons | None = None,
    rows: int | None = None,
    seconds: float | None = None,
    interval_s: float | None = None,
) -> History:
    """Watch until the end of what there is, Ctrl-C, or so many rows or seconds; return what was seen last.

    Args:
        say: takes an object a line instead of a view.
        console: a terminal shows a view that is kept up to date, anything else a line a decision.
        table: takes the rows too.
        reasons: tells why, for an additive model.
        interval_s: of the node's readings, where it is known before.
    Raises:
        InputError: the table can't be written.
    """
    history = History(interval_s)
    assembler = Assembler()
    screen = Live(console=console, auto_refresh=False) if say is None and console.is_terminal else None
    until = None if seconds is None else time.monotonic() + seconds
    drawn = -DRAW_S
    try:
        with screen or nullcontext():
            for line in feed:
                spoken: dict[str, object] | None = None
                if isinstance(line, Status):
                    history.status = line
                    spoken = status_object(line)
                elif isinstance(line, Event):
                    history.event(line)
                    spoken = event_object(line)
                elif isinstance(line, Row) and (header := feed.reader.header):
                    spoken = _take(header, line, history, table, reasons)
                elif isinstance(line, FrameRow):
                    spoken = frame_object(frame) if (frame := assembler.take(line)) else None
                elif line is None:
                    if table:
                        table.flush()
                    if screen and time.monotonic() >= drawn + DRAW_S:
                        screen.update(
                            monitor_view(history, feed.reader.rejected, reasons, assembler.last), refresh=True
                        )
                        drawn = time.monotonic()
                elif isinstance(line, Rejected):
                    continue
                if spoken and say:
                    say(spoken)
                elif spoken and not screen and not isinstance(line, FrameRow):
                    console.print(_line(line, history, reasons), soft_wrap=True)
                if (rows and history.rows >= rows) or (until is not None and time.monotonic() >= until):
                    break
            if screen:
                screen.update(monitor_view(history, feed.reader.rejected, reasons, assembler.last), refresh=True)
    except KeyboardInterrupt:
        pass
    return history


def _line(line: Line | Status | None, history: History, reasons: Reasons | None) -> Text:
    """Return what a screen isn't there for, as one line."""
    if isinstance(line, Row):
        return line_of(line, history.header, reasons)
    if isinstance(line, Event):
        return Text(f"{plain(line.kind, 20)}  {plain(line.text)}")
    if not isinstance(line, Status):
        return Text()
    due = history.pace.text() if line.connected and not history.last else ""
    return Text(f"{line.text}; a reading is due {due}" if due else line.text)


def _take(
    header: Header, row: Row, history: History, table: RowTable | None, reasons: Reasons | None
) -> dict[str, object] | None:
    if not history.row(header, row):
        return None
    if reasons:
        reasons.follow(row, header)
    if table:
        table.take(header, row)
    return row_object(row, reasons.last if reasons else None)
