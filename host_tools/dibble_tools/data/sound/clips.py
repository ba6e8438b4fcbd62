"""A folder of clips, a folder a class, and of whom each is: what a model that hears is trained on."""

import csv
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.data.sound.recordings import SUFFIXES, is_recording, rate_of, read_recording

BACKGROUND = ("_background_", "_background_noise_")  # noise to mix in, no class
GROUPS_FILE = "groups.csv"
LEAST_HZ, MOST_HZ = 4000, 16_000  # a node's microphone, where nobody asks for more
SPEAKER = r"^(.+?)_(?:nohash_)?\d+$"  # "9a69672b_0", "anna_12", "9a69672b_nohash_3"


@dataclass(frozen=True)
class Clip:
    """A recording of one sound: where it lies in the folder, what it is, and whose (speaker, recording)."""

    path: str
    samples: np.ndarray
    label: str
    group: str


@dataclass(frozen=True)
class Clips:
    """What a folder holds.

    Attributes:
        name: the folder's.
        rate_hz: of all samples, and of the node's microphone.
        clips: by class, then by name.
        background: recordings of noise alone.
        grouped: how clips are told to belong together, for people.
        sha256: of all of it.
        notes: what is worth telling.
    """

    name: str
    rate_hz: int
    clips: list[Clip]
    background: list[np.ndarray]
    grouped: str
    sha256: str
    notes: list[str]

    @property
    def classes(self) -> list[str]:
        """The names of the classes, sorted."""
        return sorted({clip.label for clip in self.clips})


def read_clips(
    folder: Path, rate_hz: int | None, speaker: str | None = None, progress: Callable[[str], None] = lambda step: None
) -> Clips:
    """Return the clips of a folder.

    Whose a clip is, groups.csv in it tells where there is one (columns file and group; FILE is CLASS/NAME or NAME);
    else `speaker`, a pattern whose first part finds it in the file's name; else what stands before the last _NUMBER
    where names have one. Else each file is on its own.

    Args:
        rate_hz: samples a second on the node; None: as many as each recording has, 16,000 at most.
    Raises:
        InputError: it holds no classes, a file can't be read, or a pattern or a table doesn't fit.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder of clips with a folder for each class, got no folder")
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and any(map(is_recording, path.iterdir())))
    classes = [path for path in folders if path.name not in BACKGROUND]
    if len(classes) < 2:
        names = ", ".join(path.name for path in classes) or "none"
        raise InputError(
            f"{folder}: expected two folders or more of recordings ({', '.join(SUFFIXES)}), one for each class, got "
            f"{names}"
        )
    files = [(path.name, file) for path in classes for file in sorted(path.iterdir()) if is_recording(file)]
    group_of, grouped = _groups(folder, [file for _, file in files], speaker)
    rate_hz, notes = _rate([file for _, file in files], rate_hz)
    digest = hashlib.sha256()
    clips = []
    seen: dict[bytes, str] = {}
    repeats: list[tuple[str, str]] = []
    for i, (label, file) in enumerate(files):
        if i % 100 == 0:
            progress(f"reading recordings: {i} of {len(files)}")
        samples = read_recording(file, rate_hz)
        digest.update(f"{label}/{file.name}".encode() + samples.tobytes())
        first = seen.setdefault(samples.tobytes(), f"{label}/{file.name}")
        if first != f"{label}/{file.name}":
            repeats.append((f"{label}/{file.name}", first))
            continue
        clips.append(Clip(f"{label}/{file.name}", samples, label, group_of[file]))
    notes += [
        f"{len(repeats)} clips repeat another: left out, such as {repeat}, which is {first}"
        for repeat, first in repeats[:1]
    ]
    noises = [f for path in folders if path.name in BACKGROUND for f in sorted(path.iterdir()) if is_recording(f)]
    return Clips(
        folder.resolve().name,
        rate_hz,
        clips,
        [read_recording(f, rate_hz) for f in noises],
        grouped,
        digest.hexdigest(),
        notes,
    )


def _rate(files: list[Path], asked: int | None) -> tuple[int, list[str]]:
    """Return the rate of the node's microphone, and what is worth telling of it.

    Made from fewer samples a second, a recording holds none of the high frequencies that a faster microphone hears.
    """
    rates = [rate_of(file) for file in files]
    low, most = min(rates), asked or MOST_HZ
    if low >= most:
        return most, []
    name = files[rates.index(low)].name
    slow = f"{rates.count(low)} of {len(files)} recordings have {low:,} samples a second ({name})"
    if asked is None and low >= LEAST_HZ:
        return low, [f"{slow}: the node's microphone has as many, so that it hears no frequency that they lack"]
    rate_hz = asked or LEAST_HZ
    without = ": leave --rate out" if low >= LEAST_HZ else ""
    return rate_hz, [f"{slow}, the node's microphone {rate_hz:,}: it hears frequencies that they lack{without}"]


def _groups(folder: Path, files: list[Path], speaker: str | None) -> tuple[dict[Path, str], str]:
    """Return the group of each file, and how that was found."""
    table = folder / GROUPS_FILE
    if table.is_file() and speaker is None:
        return _by_table(table, files), f"by {GROUPS_FILE}"
    if speaker is not None:
        try:
            pattern = re.compile(speaker)
        except re.error as error:
            raise InputError(f"--speaker: expected a regular expression, got {speaker!r}: {error}") from None
        if not pattern.groups:
            raise InputError(f"--speaker: expected a pattern with a part in (brackets), got {speaker!r}")
        found = {file: pattern.search(file.stem) for file in files}
        strange = [file.name for file, match in found.items() if not (match and match[1])]
        if strange:
            raise InputError(
                f"--speaker {speaker!r}: expected it in each file's name, got {len(strange)} without it, such as "
                f"{strange[0]}"
            )
        return {file: str(match[1]) for file, match in found.items() if match}, f"by --speaker {speaker}"
    named = {file: re.match(SPEAKER, file.stem) for file in files}
    if all(named.values()):
        groups = {file: match[1] for file, match in named.items() if match}
        if 1 < len(set(groups.values())) < len(files):
            return groups, "by what stands before the number in a file's name"
    return {file: f"{file.parent.name}/{file.name}" for file in files}, "each file on its own"


def _by_table(table: Path, files: list[Path]) -> dict[Path, str]:
    with table.open(newline="", encoding="utf-8-sig") as text:
        rows = list(csv.DictReader(text))
    if not rows or not {"file", "group"} <= set(rows[0]):
        raise InputError(f"{table}: expected the columns file and group")
    told = {(row["file"] or "").replace("\\", "/"): row["group"] or "" for row in rows}
    found = {}
    for file in files:
        group = told.get(f"{file.parent.name}/{file.name}", told.get(file.name))
        if not group:
            raise InputError(f"{table}: expected a line with a group for {file.parent.name}/{file.name}, found none")
        found[file] = group
    return found
