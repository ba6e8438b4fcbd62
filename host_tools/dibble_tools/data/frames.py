"""Frames of arrays, labelled: a CSV of a row a frame, or an .npz. What a network over frames is trained from."""

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically

NPZ = ".npz"
COLUMNS = ("time", "node", "recording", "sensor", "unit", "step", "label", "rows", "columns", "pixels")
_TEXTS = ("times", "nodes", "recordings", "labels")
MOST_PIXELS = 96 * 96
PIXEL_LIMIT = 32767


@dataclass(frozen=True)
class Frames:
    """Frames of one kind of array.

    Attributes:
        pixels: int16 (frames, rows, columns): what each pixel is above its background, in steps; of a camera its
            codes, and where these are colours (frames, rows, columns, 3).
        labels, times, nodes, recordings: of each frame; a recording is an unbroken run of one label, by number.
        sensor, unit, step: driver of the array; a step is so many of the unit.
    """

    pixels: np.ndarray
    labels: list[str]
    times: list[str]
    nodes: list[str]
    recordings: list[str]
    sensor: str
    unit: str
    step: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def groups(self) -> list[str]:
        """What is kept whole when frames are split: frames of one recording are nearly the same."""
        return [f"{node} {recording}" for node, recording in zip(self.nodes, self.recordings, strict=True)]

    def joined(self, more: "Frames") -> "Frames":
        """Return these frames and more of the same array.

        Raises:
            InputError: they are of another kind.
        """
        own, other = ((f.sensor, *f.pixels.shape[1:], f.unit, f.step) for f in (self, more))
        if own != other:
            raise InputError(f"expected frames of {_kind(self)}, got such of {_kind(more)}: choose another file")
        return replace(
            self,
            pixels=np.concatenate([self.pixels, more.pixels]),
            labels=self.labels + more.labels,
            times=self.times + more.times,
            nodes=self.nodes + more.nodes,
            recordings=self.recordings + more.recordings,
        )


def _kind(frames: Frames) -> str:
    size = " x ".join(map(str, frames.pixels.shape[1:]))
    return f"{frames.sensor}, {size} in {frames.step} {frames.unit}"


def read_frames(path: Path) -> Frames:
    """Return the frames of a file, .npz or CSV.

    Raises:
        InputError: it isn't such a file, or a frame isn't whole; says where.
    """
    try:
        return _read_npz(path) if path.suffix == NPZ else _read_csv(path)
    except OSError as error:
        raise InputError(f"{path}: expected a file of frames, got: {error.strerror}.") from None


def write_frames(path: Path, frames: Frames) -> None:
    """Write frames to a file, whole or not at all, in the format that its name ends in."""
    write_atomically(path, _npz(frames) if path.suffix == NPZ else _csv(frames))


def csv_row(frames: Frames, i: int) -> list[str]:
    """Return the fields of one frame, as COLUMNS names them."""
    rows, columns = frames.pixels.shape[1:3]
    return [
        *(frames.times[i], frames.nodes[i], frames.recordings[i], frames.sensor, frames.unit, str(frames.step)),
        *(frames.labels[i], str(rows), str(columns), " ".join(map(str, frames.pixels[i].ravel().tolist()))),
    ]


def _csv(frames: Frames) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(csv_row(frames, i) for i in range(len(frames)))
    return text.getvalue().encode()


def _npz(frames: Frames) -> bytes:
    data = io.BytesIO()
    contents: dict[str, Any] = {name: np.array(getattr(frames, name), dtype=np.str_) for name in (*_TEXTS, "groups")}
    contents |= {name: np.array(getattr(frames, name)) for name in ("pixels", "sensor", "unit", "step")}
    np.savez_compressed(data, **contents)
    return data.getvalue()


def _read_npz(path: Path) -> Frames:
    try:
        with np.load(path, allow_pickle=False) as found:
            missing = [name for name in ("pixels", *_TEXTS, "sensor", "unit", "step") if name not in found]
            if missing:
                raise InputError(
                    f"{path}: expected frames as of `dibble collect --frames`, got none of {', '.join(missing)}"
                )
            pixels = found["pixels"]
            texts = {name: [str(text) for text in found[name]] for name in _TEXTS}
            one = Frames(
                pixels.astype(np.int16),
                **texts,
                sensor=str(found["sensor"]),
                unit=str(found["unit"]),
                step=int(found["step"]),
            )
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{path}: expected an .npz of frames, got: {str(error)[:100]}") from None
    lengths = {len(texts[name]) for name in _TEXTS}
    if pixels.ndim not in (3, 4) or not np.issubdtype(pixels.dtype, np.integer) or lengths != {len(pixels)}:
        raise InputError(
            f"{path}: expected integer pixels (frames, rows, columns), or of colours (…, 3), and a label of each, "
            f"got {pixels.dtype} {pixels.shape} and {len(one)} labels"
        )
    if pixels.size and int(np.abs(pixels.astype(np.int64)).max()) > PIXEL_LIMIT:
        raise InputError(f"{path}: expected pixels within {PIXEL_LIMIT}, got {int(np.abs(pixels).max())}")
    return one


def _read_csv(path: Path) -> Frames:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        reader = csv.reader(file)
        try:
            header = next(reader, [])
            if tuple(header) != COLUMNS:
                raise InputError(
                    f"{path}: expected the columns {','.join(COLUMNS)} of `dibble collect --frames`, got "
                    f"{','.join(header)[:100] or 'an empty file'}"
                )
            rows = [(reader.line_num, row) for row in reader if row]
        except csv.Error as error:
            raise InputError(f"{path}, line {reader.line_num}: expected CSV text, got: {error}") from None
    kinds = {tuple(row[i] for i in (3, 4, 5, 7, 8)) for _, row in rows if len(row) == len(COLUMNS)}
    frames, fields = [], []
    for line, row in rows:
        frames.append(_pixels(path, line, row))
        fields.append(row)
    if not rows:
        raise InputError(f"{path}: expected frames, got none")
    if len(kinds) > 1:
        raise InputError(f"{path}: expected frames of one array, got {len(kinds)} kinds: split the file by `sensor`")
    columns = [list(column) for column in zip(*fields, strict=True)]
    times, nodes, recordings, labels = (columns[i] for i in (0, 1, 2, 6))
    sensor, unit, step = (columns[i][0] for i in (3, 4, 5))
    return Frames(np.stack(frames), labels, times, nodes, recordings, sensor, unit, int(step))


def _pixels(path: Path, line: int, row: Sequence[str]) -> np.ndarray:
    def refused(expected: str, got: str) -> InputError:
        return InputError(f"{path}, line {line}: expected {expected}, got {got}")

    if len(row) != len(COLUMNS):
        raise refused(f"{len(COLUMNS)} fields", str(len(row)))
    try:
        step, rows, columns = int(row[5]), int(row[7]), int(row[8])
        pixels = np.array(row[9].split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise refused("whole numbers", repr(row[9][:40])) from None
    depth = 3 if len(pixels) == 3 * rows * columns else 1
    if step < 1 or rows < 1 or columns < 1 or len(pixels) != rows * columns * depth or rows * columns > MOST_PIXELS:
        raise refused(f"{row[7]} x {row[8]} pixels", str(len(pixels)))
    if np.abs(pixels).max() > PIXEL_LIMIT:
        raise refused(f"pixels within {PIXEL_LIMIT}", str(int(np.abs(pixels).max())))
    return pixels.reshape((rows, columns, 3) if depth == 3 else (rows, columns)).astype(np.int16)
