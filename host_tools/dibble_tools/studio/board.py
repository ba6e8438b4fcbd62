"""The one board of a studio: which there are, the one that is heard, and its port lent to who writes to it."""

import threading
from collections.abc import Callable
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import plain
from dibble_tools.console.feed import Status
from dibble_tools.link.ports import find_port, usb_boards, virtual_boards
from dibble_tools.studio.listener import Listener
from dibble_tools.studio.state import State

LOOK_S = 2.0
NONE, OPENING, LIVE, LOST, BUSY = "none", "opening", "live", "lost", "busy"
CHIPS = {
    NONE: "○ No board",
    OPENING: "◌ Connecting",
    LIVE: "● Live",
    LOST: "✕ Board is away",
    BUSY: "◐ At work on the board",
}
IN_USE = "✕ Port in use"


class ConnectedBoard:
    """Shows itself in the state's part "board"; any thread may call.

    Args:
        make_ear: on_status -> the Listener that hears it.
    """

    def __init__(self, state: State, make_ear: Callable[[Callable[[Status], None]], Listener]) -> None:
        self._state = state
        self._lock = threading.RLock()
        self._port: str | None = None
        self._name = ""
        self._connection = NONE
        self._said = ""
        self._ports: list[dict[str, str]] = []
        self._closing = threading.Event()
        self._listener = make_ear(self._on_status)
        self._show()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()

    def connect_first(self, port: str) -> None:
        """Connect to a port, or with "auto" to the one board there is, if there is one.

        Raises:
            InputError: a port is named, and there is none such.
        """
        try:
            found = find_port(port)
        except InputError:
            if port != "auto":
                raise
            return
        self.connect(found)

    def connect(self, port: str, name: str = "", said: bytes = b"") -> None:
        """Hear the board at a port from now on.

        Args:
            name: for people, where the port's says nothing to them.
            said: what it said before: see Listener.open.
        """
        self.check_free()
        self._listener.close()
        with self._lock:
            self._port, self._name = port, name or _name_of(port)
            self._connection, self._said = OPENING, f"connecting to {self._name}"
        self._show()
        self._listener.open(port, said)

    def announce(self, words: str) -> None:
        """Say what is done until connect(), or disconnect() where it fails.

        Raises:
            InputError: its port is lent.
        """
        with self._lock:
            self.check_free()
            self._port, self._connection, self._said = None, OPENING, words
        self._listener.close()
        self._show()

    def connect_listed(self, port: object) -> None:
        """Hear one of the boards that the page lists.

        Raises:
            InputError: it isn't one of them.
        """
        ports = [place["port"] for place in self._ports]
        if not isinstance(port, str) or port not in ports:
            raise InputError(f"expected one of the boards that are here ({', '.join(ports) or 'none'}), got {port!r}")
        self.connect(port)

    def disconnect(self) -> None:
        """Hear nothing any more.

        Raises:
            InputError: its port is lent.
        """
        with self._lock:
            self.check_free()
            self._port, self._connection, self._said = None, NONE, ""
        self._listener.close()
        self._listener.forget()
        self._show()

    def lend(self, work: str) -> str:
        """Let go of the port for a while; return it.

        Args:
            work: words on what is done there.
        Raises:
            InputError: there is no board, or the port is lent already.
        """
        with self._lock:
            self.check_free()
            if self._port is None:
                raise InputError("expected a board, but none is connected: connect one first (step 1)")
            self._connection, self._said = BUSY, work
            port = self._port
        self._listener.close()
        self._show()
        return port

    def take_back(self, said: bytes = b"") -> None:
        """Hear the board again whose port was lent; it said that meanwhile."""
        with self._lock:
            port, name = self._port, self._name
            self._connection = OPENING
        if port is not None and not self._closing.is_set():
            self.connect(port, name, said)

    def check_free(self) -> None:
        """Raise InputError while the port is lent."""
        if self._connection == BUSY:
            raise InputError(f"expected a board that is free, but {self._said}: wait until that ends, or stop it")

    def close(self) -> None:
        """Let go of everything."""
        self._closing.set()
        self._listener.close()
        self._looking.join()

    def _on_status(self, status: Status) -> None:
        with self._lock:
            if self._connection != BUSY:
                self._connection = LIVE if status.connected else LOST
                self._said = plain(status.text.replace(self._port or "", self._name), 300)
        self._show()

    def _look(self) -> None:
        """See which boards come and go for as long as none is connected."""
        while True:
            if self._port is None:
                ports = [{"port": place.port, "what": place.what} for place in (*usb_boards(), *virtual_boards())]
                if ports != self._ports:
                    self._ports = ports
                    self._show()
            if self._closing.wait(LOOK_S):
                return

    def _show(self) -> None:
        with self._lock:
            part: dict[str, Any] = {
                "state": self._connection,
                "chip": IN_USE if self._connection == LOST and "is in use" in self._said else CHIPS[self._connection],
                "words": self._said[:1].upper() + self._said[1:],
                "ports": self._ports,
            }
        self._state.put(board=part)


def _name_of(port: str) -> str:
    """Return what people call the board at a port."""
    return next((place.what for place in virtual_boards() if place.port == port), port)
