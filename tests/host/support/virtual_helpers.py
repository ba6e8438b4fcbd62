"""What the tests of the virtual board share: their own registry, mpremote as people run it, an independent reader."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dibble_tools.virtual_board.board import VirtualBoard
from dibble_tools.virtual_board.registry import running
from littlefs import LittleFS
from mpremote.transport_serial import SerialTransport
from patience import PATIENCE_S


@contextlib.contextmanager
def own_registry(folder: Path) -> Iterator[None]:
    """Keep this process's boards apart from those of others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        yield


def mpremote(board: VirtualBoard, *arguments: str, folder: Path | None = None) -> str:
    """Run the command mpremote, without `resume`; return what it printed."""
    command = [sys.executable, "-m", "mpremote", "connect", os.path.realpath(board.port), *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.replace("\r\n", "\n")


@contextlib.contextmanager
def raw_repl(board: VirtualBoard, *, soft_reset: bool = True) -> Iterator[SerialTransport]:
    """Open the board's raw REPL, as mpremote does."""
    transport = SerialTransport(os.path.realpath(board.port), timeout=PATIENCE_S)
    try:
        transport.enter_raw_repl(soft_reset=soft_reset)
        yield transport
    finally:
        transport.serial.close()


def interrupted(transport: SerialTransport, code: str, after_s: float = 0.0) -> tuple[str, str]:
    """Run code on the board, press Ctrl-C; return what it printed, and its traceback."""
    transport.exec_raw_no_follow(code)
    time.sleep(after_s)
    transport.serial.write(b"\x03")
    output, error = transport.follow(PATIENCE_S)
    return output.decode(), error.decode()


def read_until(transport: SerialTransport, ending: bytes) -> bytes:
    data: bytes = transport.read_until(1, ending, timeout=PATIENCE_S)
    assert data.endswith(ending), data
    return data


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it doesn't come about"
        time.sleep(0.005)


def image_of(board: VirtualBoard) -> Path:
    return next(Path(found.image) for found in running() if found.name == board.name)


def files_of(image: Path) -> dict[str, bytes]:
    """Return the files in the root of a flash image, read by littlefs-python."""
    content = image.read_bytes()
    fs = LittleFS(block_size=4096, block_count=len(content) // 4096, prog_size=256, mount=False)
    fs.context.buffer = bytearray(content)
    fs.mount()
    return {name: _read(fs, name) for name in fs.listdir("/")}


def _read(fs: LittleFS, name: str) -> bytes:
    with fs.open(name, "rb") as file:
        data: bytes = file.read()
        return data
