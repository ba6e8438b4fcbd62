"""Listening to the board: one thread hears what the node says, and shows it to all tabs."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import plain
from dibble_tools.console.feed import Feed, Status, from_port
from dibble_tools.console.frames import Assembler
from dibble_tools.console.history import History
from dibble_tools.console.remembered import Remembered
from dibble_tools.node.console_lines import Event, FrameRow, Header, Row
from dibble_tools.studio import view_model
from dibble_tools.studio.collecting import Collecting
from dibble_tools.studio.state import State

if TYPE_CHECKING:
    from dibble_tools.console.reasons import Reasons

MOST_EVENTS = 12
JOIN_S = 5.0
RETRY_S = 2.0


class Listener:
    """Hears one port at a time.

    Args:
        on_status: called with what became of the connection.
        source: port -> pieces, as dibble_tools.console.feed yields them.
    """

    def __init__(
        self,
        state: State,
        collecting: Collecting,
        on_status: Callable[[Status], None],
        source: Callable[[str], Any] = from_port,
    ) -> None:
        self._state = state
        self._collecting = collecting
        self._on_status = on_status
        self._source = source
        self._thread: threading.Thread | None = None
        self._end = threading.Event()
        self._models: Sequence[Path] = ()
        self._reasons: list[Reasons] = []
        self._unsure_below: int | None = None
        self.forget()

    def follow(self, models: Sequence[Path]) -> None:
        """Tell reasons by these models from now on: folders, the likeliest first."""
        self._models = models

    def open(self, port: str, said: bytes = b"") -> None:
        """Begin to hear a port; what was heard before is forgotten.

        Args:
            said: what the node said at its start to another listener: it names its fields there, and again only after
                many decisions.
        """
        self.close()
        self.forget()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._hear, args=(port, said, self._end), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hear nothing any more: the port is free when this returns."""
        self._end.set()
        if self._thread:
            self._thread.join(JOIN_S)
        self._thread = None

    def forget(self) -> None:
        """Show nothing of what was heard before."""
        self._history = History()
        self._assembler = Assembler()
        self._events: deque[dict[str, Any]] = deque(maxlen=MOST_EVENTS)
        self._heard_events = 0
        self._followed: Sequence[Path] = ()
        self._waiting = False
        self._show(None)

    def _hear(self, port: str, said: bytes, end: threading.Event) -> None:
        """Hear until the end; a port that isn't there, or that another program holds, is tried again."""
        remembered = Remembered()
        while not end.is_set():
            pieces = self._source(port)
            try:
                self._listen(Feed(chain([said], pieces), remembered.headers, remembered.add), end)
            except InputError as error:
                self._on_status(Status(str(error), False))
                end.wait(RETRY_S)
            finally:
                pieces.close()

    def _listen(self, feed: Feed, end: threading.Event) -> None:
        changed = False
        for line in feed:
            if end.is_set():
                return
            if isinstance(line, Status):
                self._on_status(line)
            elif isinstance(line, Event):
                self._heard_events += 1
                text = f"{plain(line.kind, 20)}: {plain(line.text)}"
                self._events.appendleft({"number": self._heard_events, "text": text})
                changed = True
            elif isinstance(line, Row) and (header := feed.reader.header) and self._history.row(header, line):
                self._collecting.take(header, line)
                self._explain(header, line)
                changed = True
            elif isinstance(line, FrameRow):
                changed |= self._assembler.take(line) is not None
            elif line is None:
                self._collecting.flush()
                waiting = not self._history.last and feed.reader.rejected["no header yet"] > 0
                if changed or waiting != self._waiting:
                    self._waiting = waiting
                    self._show(next((r for r in self._reasons if r.last), None))
                changed = False

    def _explain(self, header: Header, row: Row) -> None:
        """Let each model say whether it would have decided so, and why."""
        if self._followed is not self._models:
            self._followed = self._models
            self._reasons, self._unsure_below = [], None
            from dibble_tools.console.reasons import Reasons
            from dibble_tools.model.host_model import HostModel  # not before: scikit-learn comes with it, for seconds

            for folder in self._models:
                model = HostModel.open(folder)
                self._reasons.append(Reasons(model))
                if self._unsure_below is None:
                    self._unsure_below = model.content.unsure_below
        for reasons in self._reasons:
            reasons.follow(row, header)

    def _show(self, reasons: "Reasons | None") -> None:
        history = self._history
        self._state.put(
            channels=view_model.channels(history),
            channels_left=view_model.channels_left(history),
            decision=view_model.decision(history, reasons.last if reasons else None, self._unsure_below),
            events=list(self._events),
            frames=view_model.frames(self._assembler.by_sensor.values(), history),
            waiting=self._waiting,
            node=plain(history.header.node, 60) if history.header else None,
            decides=bool(history.last and history.last.class_name),
        )
