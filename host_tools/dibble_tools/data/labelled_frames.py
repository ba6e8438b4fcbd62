"""Labelled frames to learn from, of whatever kind: pictures, arrays of NumPy, tables, what a node's array sent."""

import csv
import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dibble_tools.common.errors import InputError, reason_of
from dibble_tools.common.extras import extras_named
from dibble_tools.data.frames import COLUMNS, read_frames

PICTURES = (".png", ".jpg", ".jpeg", ".bmp")
READING_MOST = 32767  # the one below stands for a missing reading
LABEL, GROUP, FRAMES = "label", "group", "frames"
GROUP_OF = re.compile(r"^(.*?)[_\-. ]*\d*$")  # a file's name without its number


@dataclass(frozen=True)
class FrameSet:
    """Labelled frames.

    Attributes:
        frames: (rows, height, width, depth): uint8 of pictures, else int64: bytes 0..255 or readings of 16 bits.
        labels, groups: of each; frames of one group were taken together, and are never split.
        names: of each, for people.
    """

    frames: np.ndarray
    labels: list[str]
    groups: list[str]
    names: list[str]

    @property
    def scaled(self) -> bool:
        """Whether readings need more than 8 bits."""
        return bool(len(self.frames)) and (self.frames.min() < 0 or self.frames.max() > 255)


def read_labelled(path: Path, *, size: tuple[int, int] | None = None, grey: bool = False) -> FrameSet:
    """Return the frames of a folder with a folder of pictures for each class, of an .npz, or of a CSV.

    What `dibble collect --frames` wrote is read as it is.

    Args:
        size: (height, width) to which pictures are brought; a CSV needs it.
        grey: colour pictures become grey ones.
    Raises:
        InputError: there are none, they differ in size or colour, or a row isn't whole.
    """
    found = _read(path, size, grey)
    least, most = int(found.frames.min(initial=0)), int(found.frames.max(initial=0))
    if max(-least, most) > READING_MOST:
        raise InputError(f"{path}: expected readings of 16 bits, within +-{READING_MOST:,}, got {least:,}..{most:,}")
    return found


def _read(path: Path, size: tuple[int, int] | None, grey: bool) -> FrameSet:
    if path.is_dir():
        return _pictures(path, size, grey)
    if path.suffix == ".npz":
        return _collected(path) if "pixels" in arrays_in(path) else _arrays(path)
    if path.suffix == ".csv":
        return _collected(path) if _head(path) == list(COLUMNS) else _table(path, size)
    raise InputError(f"{path}: expected a folder of pictures, an .npz or a .csv of frames")


def arrays_in(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npy or .npz file by their names; raise InputError where it is none."""
    try:
        loaded = np.load(path, allow_pickle=False)
        found = {FRAMES: loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{path}: expected arrays of NumPy (.npy, .npz), got none: {reason_of(error)}") from None
    if not found:
        raise InputError(f"{path}: expected arrays, got an empty file")
    return found


def _head(path: Path) -> list[str]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return next(csv.reader(file), [])
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected a CSV of frames: {reason_of(error)}") from None


def _collected(path: Path) -> FrameSet:
    """Return the frames that a node's array, or camera, sent."""
    found = read_frames(path)
    names = [f"frame {i + 1}, {time}" for i, time in enumerate(found.times)]
    pixels = found.pixels.astype(np.int64)
    return FrameSet(pixels.reshape(*pixels.shape[:3], -1), found.labels, found.groups, names)


def _arrays(path: Path) -> FrameSet:
    found = arrays_in(path)
    for name in (FRAMES, "labels"):
        if name not in found:
            raise InputError(f"{path}: expected arrays 'frames', 'labels' and 'groups', got {', '.join(found)}")
    frames, labels = found[FRAMES], found["labels"]
    if frames.ndim not in (3, 4) or frames.dtype.kind not in "iu":
        raise InputError(f"{path}: expected whole numbers (frames, height, width), got {frames.dtype} {frames.shape}")
    groups = found.get("groups", np.arange(len(frames)))
    if not len(labels) == len(groups) == len(frames):
        raise InputError(f"{path}: expected a label and a group for each of {len(frames)} frames, got {len(labels)}")
    frames = frames.astype(np.int64).reshape(*frames.shape[:3], -1)
    names = [f"frame {i}" for i in range(len(frames))]
    return FrameSet(frames, list(map(str, labels)), list(map(str, groups)), names)


def _table(path: Path, size: tuple[int, int] | None) -> FrameSet:
    with extras_named():
        import pandas as pd
    try:
        table = pd.read_csv(path, dtype=str)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path}: expected a CSV with a frame a row: {str(error).strip()}") from None
    if LABEL not in table:
        raise InputError(f"{path}: expected a column '{LABEL}', got {', '.join(map(str, table.columns[:6]))} ...")
    pixels = [name for name in table.columns if re.fullmatch(r"\D*\d+", str(name))]
    if not pixels:
        raise InputError(
            f"{path}: expected a frame's readings in numbered columns, p0, p1, ..., got "
            f"{', '.join(map(str, table.columns[:6]))} ...: readings of sensors train without --images"
        )
    if size is None or size[0] * size[1] != len(pixels):
        told = f"{size[0]} x {size[1]}" if size else "none"
        raise InputError(f"{path}: expected --size HEIGHTxWIDTH of its {len(pixels)} numbered columns, got {told}")
    numbers = table[pixels].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    broken = ~np.isfinite(numbers) | (numbers != np.round(numbers))
    if broken.any():
        row, column = np.argwhere(broken)[0]
        cell = table[pixels[column]].iloc[row]
        got = "nothing" if pd.isna(cell) else repr(cell)
        raise InputError(f"{path}, line {row + 2}, column {pixels[column]}: expected a whole number, got {got}")
    frames = numbers.astype(np.int64).reshape(-1, *size, 1)
    rows = [str(i) for i in range(len(frames))]
    groups = table[GROUP].astype(str).tolist() if GROUP in table else rows
    return FrameSet(frames, table[LABEL].astype(str).tolist(), groups, [f"line {i + 2}" for i in range(len(frames))])


def _pictures(folder: Path, size: tuple[int, int] | None, grey: bool) -> FrameSet:
    with extras_named():
        from PIL import Image, UnidentifiedImageError
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in PICTURES)
    frames, labels, groups = [], [], []
    first: tuple[Path, tuple[int, ...]] | None = None
    for file in files:
        parts = file.relative_to(folder).parts
        if len(parts) < 2:
            raise InputError(f"{file}: expected pictures in a folder for each class, {folder}/CLASS/PICTURE.png")
        try:
            with Image.open(file) as image:
                seen = image.convert("L" if grey or image.mode in ("1", "L", "LA", "I;16") else "RGB")
                seen = seen if size is None else seen.resize((size[1], size[0]), Image.Resampling.BOX)
                pixels = np.asarray(seen, dtype=np.uint8)
        except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
            raise InputError(f"{file}: expected a picture, got one that can't be read: {reason_of(error)}") from None
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        if first is None:
            first = file, pixels.shape
        elif pixels.shape[2] != first[1][2]:
            kinds = ["a grey" if depth == 1 else "a colour" for depth in (first[1][2], pixels.shape[2])]
            raise InputError(
                f"{file}: expected {kinds[0]} picture, as {first[0].name} is, got {kinds[1]} one: add --grey"
            )
        elif pixels.shape != first[1]:
            sizes = [f"{shape[0]} x {shape[1]}" for shape in (first[1], pixels.shape)]
            raise InputError(
                f"{file}: expected {sizes[0]} pixels, as {first[0].name} has, got {sizes[1]}: add --size HEIGHTxWIDTH"
            )
        frames.append(pixels)
        labels.append(parts[0])
        taken = parts[1] if len(parts) > 2 else (GROUP_OF.match(file.stem) or [""])[1]
        groups.append(f"{parts[0]}/{taken or file.stem}")
    if not frames:
        raise InputError(f"{folder}: expected pictures ({', '.join(PICTURES)}) in a folder for each class, got none")
    counts = Counter(groups)
    if len(set(counts.values())) == 1 and len(counts) == len(set(labels)):
        groups = [str(file) for file in files]  # one name for all of a class tells no recordings apart
    return FrameSet(np.stack(frames), labels, groups, [str(file.relative_to(folder)) for file in files])
