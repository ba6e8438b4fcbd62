"""`dibble collect`: readings over USB, labelled while they come."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from rich.live import Live

from dibble_tools.common.terminal import Console
from dibble_tools.console.feed import Feed, Status
from dibble_tools.console.frames import Assembler, FrameStore
from dibble_tools.console.history import History
from dibble_tools.console.labelled_rows import Collector
from dibble_tools.console.labels import QUIT
from dibble_tools.console.view import collect_view, readings_text
from dibble_tools.node.console_lines import Event, FrameRow, Row

DRAW_S = 0.2


@dataclass(frozen=True)
class End:
    """When to stop; None: not by that."""

    rows: int | None = None
    seconds: float | None = None


def collect(
    feed: Feed,
    collector: Collector,
    keys: dict[str, str],
    end: End,
    pressed: Callable[[], str],
    console: Console,
    interval_s: float | None = None,
    frames: FrameStore | None = None,
) -> None:
    """Take rows until the end, the key q, Ctrl-C or the last of them.

    Args:
        keys: key -> label.
        pressed: returns the keys pressed since it was last called.
        console: a terminal shows a view that is kept up to date, anything else a line a row.
        interval_s: of the node's readings, where it is known before.
        frames: takes the frames of an array that come with the rows.
    """
    assembler = Assembler()
    history = History(interval_s)

    def enough() -> bool:
        return end.rows is not None and collector.written >= end.rows

    def awaited() -> bool:
        """Tell whether the last row's frame, which comes after it, may still come."""
        return collector.taken is not None and (not assembler.last or assembler.last.sequence != collector.taken[0])

    screen = Live(console=console, auto_refresh=False, transient=False) if console.is_terminal else None
    until = None if end.seconds is None else time.monotonic() + end.seconds
    drawn = -DRAW_S
    hinted = False
    try:
        with screen or nullcontext():
            for line in feed:
                if isinstance(line, Status):
                    history.status = line
                    if not screen:
                        due = history.pace.text() if line.connected and not history.last else ""
                        said = f"{line.text}; a reading is due {due}" if due else line.text
                        console.print(said, markup=False, highlight=False, soft_wrap=True)
                elif isinstance(line, Event):
                    history.event(line)
                elif isinstance(line, Row) and (header := feed.reader.header):
                    if enough():
                        return
                    history.row(header, line)
                    written = collector.take(header, line)
                    if not screen:
                        said = collector.label if written else "not written"
                        shown = readings_text(line, header)[:400]
                        console.print(
                            f"{line.sequence}: {shown}: {said}", markup=False, highlight=False, soft_wrap=True
                        )
                        if collector.hint and not hinted:
                            hinted = True
                            console.print(collector.hint, markup=False, highlight=False, soft_wrap=True)
                elif isinstance(line, FrameRow):
                    frame = assembler.take(line)
                    if frame and frames and collector.taken and collector.taken[0] == frame.sequence:
                        frames.take(frame, *collector.taken[1:], collector.label)
                elif line is None:
                    collector.flush()
                    for key in pressed():
                        if key == QUIT:
                            return
                        collector.label = keys.get(key, collector.label)
                    if screen and time.monotonic() >= drawn + DRAW_S:
                        view = collect_view(history, collector, keys, feed.reader.rejected, assembler.last)
                        screen.update(view, refresh=True)
                        drawn = time.monotonic()
                    if until is not None and time.monotonic() >= until:
                        return
                if enough() and not (frames and awaited()):
                    return
    except KeyboardInterrupt:
        return
    finally:
        collector.flush()
        if frames:
            frames.flush()


@contextmanager
def keys_pressed() -> Iterator[Callable[[], str]]:
    """Give a function that returns the keys pressed since it was last called; without a terminal, none ever."""
    if not sys.stdin or not sys.stdin.isatty():
        yield lambda: ""
    elif sys.platform == "win32":
        import msvcrt

        def pressed() -> str:
            keys = ""
            while msvcrt.kbhit():
                keys += msvcrt.getwch()
            return keys

        yield pressed
    else:
        with _unix() as pressed:
            yield pressed


@contextmanager
def _unix() -> Iterator[Callable[[], str]]:
    import os
    import select
    import termios
    import tty

    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)

    def pressed() -> str:
        if not select.select([handle], [], [], 0)[0]:
            return ""
        return os.read(handle, 64).decode(errors="replace")

    try:
        tty.setcbreak(handle)  # Ctrl-C still is one
        yield pressed
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
