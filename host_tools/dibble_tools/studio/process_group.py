"""A job's process and all that it starts, ended together: a group where there are such, a tree on Windows."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

WINDOWS = sys.platform == "win32"
KILL_AFTER_S = 10.0


def started(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Return a process of a group of its own, with pipes to its stdin and from its stdout."""
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, start_new_session=True)


def interrupt(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to end with what it has, as Ctrl-C does; its children aren't asked.

    Windows has no such signal for one process: there an empty line to its stdin says it.
    """
    if WINDOWS:
        assert process.stdin
        with contextlib.suppress(OSError):
            process.stdin.write(b"\n")
            process.stdin.flush()
    else:
        process.send_signal(signal.SIGINT)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process with all that it started: politely where that can be, then at once."""
    if WINDOWS:
        _end_tree(process.pid)
        process.wait()
        return
    for number, wait_s in ((signal.SIGTERM, KILL_AFTER_S), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)


def end_own() -> None:
    """End this process, which is a started() one, with all that it started."""
    if WINDOWS:
        _end_tree(os.getpid())
    else:
        os.killpg(0, signal.SIGKILL)


def _end_tree(pid: int) -> None:
    subprocess.run(["taskkill", "/PID", str(pid), "/T", "/F"], capture_output=True, check=False)
