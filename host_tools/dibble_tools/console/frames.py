"""Rows of an array's frame put together, shown, and written with their label."""

from collections import Counter
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
from rich.text import Text

from dibble_tools.common.errors import InputError
from dibble_tools.common.quantities import reading_text
from dibble_tools.common.safe_text import is_fit_name, plain
from dibble_tools.console.labels import SKIP
from dibble_tools.data.frames import NPZ, Frames, read_frames, write_frames
from dibble_tools.node.console_lines import FrameRow

# From the coldest to the hottest place: a ramp that also tells in grey.
RAMP = ("#000004", "#280b54", "#65156e", "#9f2a63", "#d44842", "#f57d15", "#fac228", "#fcffa4")
# Steps that the ramp spans at least: or the noise of an empty scene would glow. Some 2 C.
LEAST_SPAN, LEAST_COUNTS = 8, 30
FLUSHED_AT = 50  # frames that wait for the file at most


@dataclass(frozen=True)
class HeardFrame:
    """One frame of one array: pixels int16 (rows, columns), in steps of so many of the unit above the background.

    Of a camera's picture the pixels are codes of 0..255, and where it is in colour (rows, columns, 3).
    """

    sensor: str
    sequence: int
    unit: str
    step: int
    pixels: np.ndarray
    is_picture: bool = False


class Assembler:
    """Puts rows together; a frame of which a row is missing is never one.

    Attributes:
        last: the last whole frame; None before the first.
        by_sensor: the last whole frame of each sensor.
        torn: frames of which rows were missing.
    """

    def __init__(self) -> None:
        self.last: HeardFrame | None = None
        self.by_sensor: dict[str, HeardFrame] = {}
        self.torn = 0
        self._rows: list[FrameRow] = []

    def take(self, row: FrameRow) -> HeardFrame | None:
        """Return the frame whose last row this is, None else."""
        if row.row == 0 or not self._follows(row):
            self.torn += bool(self._rows)
            self._rows = []
            if row.row:
                return None
        self._rows.append(row)
        if row.row + 1 < row.rows:
            return None
        pixels = np.array([one.pixels for one in self._rows], dtype=np.int16)
        pixels = pixels.reshape(row.rows, row.columns, 3) if row.depth == 3 else pixels
        self._rows = []
        self.last = HeardFrame(row.sensor, row.sequence, row.unit, row.step, pixels, row.depth > 0)
        self.by_sensor[row.sensor] = self.last
        return self.last

    def _follows(self, row: FrameRow) -> bool:
        if not self._rows:
            return False
        before = self._rows[-1]
        same = ("sensor", "sequence", "rows", "columns", "unit", "step", "depth")
        return row.row == before.row + 1 and all(getattr(row, name) == getattr(before, name) for name in same)


def picture(frame: HeardFrame) -> Text:
    """Return a frame as colours, two rows of pixels to a line, and what its darkest and brightest are."""
    pixels = frame.pixels
    wide = 2 if pixels.shape[1] <= 16 else 1
    colours = _colours(frame)
    text = Text()
    for upper in range(0, len(pixels), 2):
        lower = min(upper + 1, len(pixels) - 1)
        for top, bottom in zip(colours[upper], colours[lower], strict=True):
            text.append("▀" * wide, f"{top} on {bottom}")
        text.append("\n")
    ends = " to ".join(reading_text(int(value) * frame.step, frame.unit) for value in (pixels.min(), pixels.max()))
    text.append(f"{plain(frame.sensor, 30)}: {ends}" + (" above its background" * (not frame.is_picture)), "dim")
    return text


def least_span(frame: HeardFrame) -> int:
    """Return how many of an array's steps the ramp spans at least."""
    return LEAST_COUNTS if frame.unit == "counts" else LEAST_SPAN


def _colours(frame: HeardFrame) -> list[list[str]]:
    """Return the colour of each pixel: a picture's own, an array's on a ramp from its coldest to its hottest."""
    pixels = frame.pixels.astype(int)
    if frame.is_picture:
        rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
        return [["#" + bytes(pixel).hex() for pixel in row] for row in rgb.tolist()]
    low, span = int(pixels.min()), max(int(pixels.max()) - int(pixels.min()), least_span(frame))
    return [[RAMP[shade] for shade in row] for row in ((pixels - low) * (len(RAMP) - 1) // span).tolist()]


class FrameStore:
    """Writes labelled frames to a file; those that are there already stay.

    Attributes:
        written: frames written by this run.
        left_out: why -> frames that weren't.
    Raises:
        InputError: the file holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self.left_out: Counter[str] = Counter()
        if path.suffix not in (NPZ, ".csv"):
            raise InputError(f"--frames: expected a name that ends in .npz or .csv, got {path.name}")
        self._kept = read_frames(path) if path.exists() else None
        self._waiting: list[Frames] = []
        self._recording = max((int(r) for r in self._kept.recordings if r.isdigit()), default=0) if self._kept else 0
        self._label = ""

    def take(self, frame: HeardFrame, time: str, node: str, label: str) -> None:
        """Take a frame under a label; a change of the label begins a recording.

        Raises:
            InputError: the file's frames are of another array.
        """
        if label == SKIP:
            self._label = ""
            self.left_out["skipped"] += 1
            return
        if not time or not is_fit_name(node) or not is_fit_name(frame.sensor):
            self.left_out["without a row of its own, or the node's clock isn't set"] += 1
            return
        if label != self._label:
            self._recording += 1
            self._label = label
        one = Frames(
            frame.pixels[None], [label], [time], [node], [str(self._recording)], frame.sensor, frame.unit, frame.step
        )
        first = self._waiting[0] if self._waiting else self._kept
        if first:
            first.joined(one)  # raises
        self._waiting.append(one)
        self.written += 1
        if len(self._waiting) >= FLUSHED_AT:
            self.flush()

    def flush(self) -> None:
        """Write what waits: the file is as before, or has it all."""
        if self._waiting:
            waiting = reduce(Frames.joined, self._waiting)
            self._kept = self._kept.joined(waiting) if self._kept else waiting
            self._waiting = []
            write_frames(self.path, self._kept)
