"""What a node says from its start until it works, as a deploy waits for it."""

import time
from dataclasses import dataclass, field

from dibble_tools.link.session import LinkError, Session
from dibble_tools.node.console_lines import Event, Header, LineReader, Row

WAIT_S = 60.0  # some sensors warm up first
STARTS = b"Ctrl-C within"  # of the line with which a node starts
KEPT_BYTES = 4000


@dataclass
class FirstRun:
    """What a node said.

    Attributes:
        works: it completed a cycle.
        model: name and CRC-32 of the one it runs, "" if none.
        events: kind and text, in order.
        headers: what its rows hold.
        said: the end of all, as text.
    """

    works: bool = False
    model: str = ""
    events: list[tuple[str, str]] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    said: str = ""

    @property
    def errors(self) -> list[str]:
        return [text for kind, text in self.events if kind == "error"]


def wait_for_node(session: Session, timeout_s: float = WAIT_S) -> FirstRun:
    """Listen to a node that was restarted until it has completed a cycle, has failed, or for so many seconds."""
    found = FirstRun()
    reader = LineReader()
    deadline = time.monotonic() + timeout_s
    said = b""
    while not found.works and not found.errors and said.count(STARTS) < 2 and time.monotonic() < deadline:
        try:
            data = session.listen(0.2)
        except LinkError as error:
            said += str(error).encode()
            break
        said = (said + data)[-KEPT_BYTES:]
        for line in reader.feed(data):
            if isinstance(line, Event):
                found.events.append((line.kind, line.text))
                if line.kind == "model":
                    found.model = line.text
            if isinstance(line, Header):
                found.headers.append(line)
            found.works |= isinstance(line, Row)
    found.said = said.decode("utf-8", "replace").replace("\r\n", "\n")
    return found
