"""Orders to a running board: one line of JSON each way over a Unix socket."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError, reason_of

ANSWER_S = 15.0
MOST_BYTES = 4096


class Order:
    """What somebody asks of the board, and the way to answer."""

    def __init__(self, connection: socket.socket, content: dict[str, Any]) -> None:
        self._connection = connection
        self.content = content
        self.kind = str(content.get("order"))

    def answer(self, **content: Any) -> None:
        with contextlib.suppress(OSError), self._connection:
            self._connection.sendall(json.dumps(content).encode() + b"\n")


class Control:
    """The board's side."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        with _short(path) as short:
            self._socket.bind(short)
        self._socket.listen()

    def fileno(self) -> int:
        return self._socket.fileno()

    def accept(self) -> Order | None:
        """Return the order of one who waits; None: nothing that can be read."""
        connection = self._socket.accept()[0]
        connection.settimeout(1.0)
        try:
            content = json.loads(_line(connection))
        except (OSError, ValueError):
            content = None
        if not isinstance(content, dict):
            connection.close()
            return None
        return Order(connection, content)


def order(path: Path, kind: str, **more: Any) -> dict[str, Any]:
    """Give a board an order; return its answer.

    Args:
        path: of its socket.
    Raises:
        InputError: the board doesn't answer, or can't do that.
    """
    try:
        with _short(path) as short, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_S)
            connection.connect(short)
            connection.sendall(json.dumps({"order": kind, **more}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(_line(connection))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path.parent.name}: expected a virtual board that answers, got: {reason_of(error)}"
        ) from None
    if "error" in answer:
        raise InputError(f"{path.parent.name}: {answer['error']}")
    return answer


def _line(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n") and len(data) < MOST_BYTES:
        piece = connection.recv(MOST_BYTES)
        if not piece:
            break
        data += piece
    return data


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Give a path that fits in a socket's address, however deep the folder lies."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
