"""A node at the far end of a pseudo-terminal, and lines as the firmware itself writes them."""

import contextlib
import os
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

from dibble.inference.decision import NO_CLASS
from dibble.report.frame_lines import write_frame
from dibble.report.serial_line import SerialLines
from dibble_tools.console.feed import Feed, from_port

DAY_S = 86400
START_S = 9824 * DAY_S  # 2026-11-24
CHANNELS = (("soil_moisture_permille", "permille"), ("wind_direction_deg", "deg"))
CLASSES = ("irrigate", "ok")


class Node:
    """Writes a console as the firmware does.

    Args:
        every: decisions between two lines that name the fields.
    """

    def __init__(
        self,
        name: str = "bed-1",
        channels: Sequence[tuple[str, str]] = CHANNELS,
        every: int = 50,
        start_s: int = START_S,
        classes: Sequence[str] = CLASSES,
    ) -> None:
        self._out: list[str] = []
        self._lines = SerialLines(self._out.append, name, classes, channels, every)
        self._start_s = start_s
        self.sequence = 0

    def say(self, *readings: int | None, class_index: int = NO_CLASS, margin: int = 0, flags: int = 0) -> bytes:
        """Return what it says on its next readings, a minute after those before."""
        self.sequence += 1
        decision = SimpleNamespace(class_index=class_index, held_index=class_index, margin=margin, flags=flags)
        self._lines.decision(
            SimpleNamespace(
                sequence=self.sequence,
                time_s=self._start_s + 60 * self.sequence,
                decision=decision,
                action=0,
                faults=0,
                battery_mv=3700,
                readings=readings,
            )
        )
        return self._taken()

    def frame(self, array: object, sensor: str = "amg8833") -> bytes:
        """Return an array's frame as it writes it after the readings just said."""
        write_frame(self._lines, sensor, self.sequence, array)
        return self._taken()

    def event(self, kind: str, text: str) -> bytes:
        self._lines.event(kind, self._start_s, text)
        return self._taken()

    def _taken(self) -> bytes:
        text = "".join(self._out).replace("\n", "\r\n")
        self._out.clear()
        return text.encode()


class Line:
    """A pseudo-terminal; `link` is the name under which its far end is opened, as long as it is plugged in."""

    def __init__(self, folder: Path) -> None:
        self.link = folder / "port"
        self.near = -1
        self.plug()

    def plug(self) -> None:
        self.near, far = os.openpty()
        tty.setraw(far)
        self.link.symlink_to(os.ttyname(far))
        os.close(far)

    def unplug(self) -> None:
        self.link.unlink()
        os.close(self.near)

    def say(self, data: bytes) -> None:
        os.write(self.near, data)

    def heard(self) -> bytes:
        """Return what came from the other side."""
        os.set_blocking(self.near, False)
        with contextlib.suppress(BlockingIOError, OSError):
            return os.read(self.near, 1000)
        return b""


def listen(line: Line) -> Feed:
    """Return what comes from a line."""
    return Feed(from_port(str(line.link), find=lambda port: port))


def feed_of(*pieces: bytes) -> Feed:
    """Return what a node said in these pieces."""
    return Feed(iter(pieces))


def never() -> str:
    """Press no key."""
    return ""


def keys_at(pressed: dict[int, str]) -> Callable[[], str]:
    """Return a function that presses these keys at its n-th call."""
    calls = iter(range(10**6))
    return lambda: pressed.get(next(calls), "")
