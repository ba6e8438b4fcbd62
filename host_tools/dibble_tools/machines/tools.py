"""The compilers and simulators that a check needs: found, or named with what installs them; run in bounded time."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from dibble_tools.common.errors import InputError

PACKAGES = {
    "gcc": "gcc",
    "avr-gcc": "gcc-avr avr-libc",
    "avr-size": "binutils-avr",
    "simavr": "simavr",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "arm-none-eabi-size": "binutils-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
}
SHOWN = 3000
NO_ROOM = ("will not fit", "overflowed by", "is not within region", "is too large")  # what compilers and linkers say


class ToolMissing(InputError):
    """A compiler or simulator isn't installed; the message holds the command that installs it."""


class ToolError(Exception):
    """A compiler or simulator ran and failed; the message ends with what it said."""


class TooLarge(ToolError):
    """The program doesn't fit the machine: not a fault of either."""


def find(name: str) -> str:
    """Return the path of a command; raise ToolMissing where there is none."""
    path = shutil.which(name)
    if path is None:
        raise ToolMissing(
            f"expected the command {name} on the PATH, found none; on Debian: apt-get install {PACKAGES[name]}"
        )
    return path


def run(command: Sequence[str], folder: Path, *, feed: bytes = b"", timeout_s: float = 120) -> str:
    """Run a command, the first word looked up with find(), in a folder; return what it printed.

    Raises:
        ToolMissing: it isn't installed.
        TooLarge: the linker has no room in flash or RAM.
        ToolError: it failed, or took more than timeout_s.
    """
    words = [find(command[0]), *command[1:]]
    try:
        done = subprocess.run(words, cwd=folder, input=feed, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise ToolError(f"{command[0]} was still running after {timeout_s} s") from None
    said, complaint = (data.decode("utf-8", "replace") for data in (done.stdout, done.stderr))
    if done.returncode:
        kind = TooLarge if any(sign in complaint for sign in NO_ROOM) else ToolError
        raise kind(f"{command[0]} ended with code {done.returncode}\n{(complaint or said)[-SHOWN:].strip()}")
    return said + complaint  # simavr writes the serial line to stderr
