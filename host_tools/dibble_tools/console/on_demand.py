"""Readings when they are asked for, not when the node wakes: its program stands still meanwhile."""

import time
from collections.abc import Callable, Generator
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.console.feed import POLL_S, Piece, Status
from dibble_tools.link.session import RemoteError, Session

READ_S = 60.0  # a gas sensor may heat, an anemometer count
MOST_ANSWER = 16384
LEAST_S, MOST_S = 1.0, 3600.0


def from_board(
    port: str,
    every_s: float,
    instead: dict[int, dict[str, Any]] | None = None,
    opened: Callable[[str], Session] = Session.open,
) -> Generator[Piece, None, None]:
    """Yield a board's readings as its node would write them, one each so many seconds; b"" in between.

    The node is stopped, its outputs are off, and it runs again at the end.

    Args:
        every_s: from one to the next; they take as long as the sensors need.
        instead: settings to take instead of the configuration's: a sensor's place -> {name: value}.
    Raises:
        InputError: there is no node on the board, or it doesn't answer.
    """
    if not LEAST_S <= every_s <= MOST_S:
        raise InputError(f"--every: expected {LEAST_S:g} to {MOST_S:g} seconds, got {every_s:g}")
    with opened(port) as session:
        try:
            session.run("readings.readings_begin", max(1, round(every_s)), instead or {}, timeout_s=READ_S)
        except RemoteError as error:
            raise InputError(
                f"{port}: expected a board with dibble's firmware and its config.json, got: {error}: "
                "bring them to it first: dibble deploy --config config.json"
            ) from None
        yield Status(f"connected to {port}, its node stands still and is read each {every_s:g} s", True)
        while True:
            due = time.monotonic() + every_s
            try:
                said = session.run("readings.readings_take", timeout_s=READ_S, most=MOST_ANSWER)
            except RemoteError as error:
                raise InputError(f"{port}: expected readings, got: {error}") from None
            yield said.encode() + b"\n"
            while (left := due - time.monotonic()) > 0:
                session.stay()
                time.sleep(min(POLL_S, left))
                yield b""
