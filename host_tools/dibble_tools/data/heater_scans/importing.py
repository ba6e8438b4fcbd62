"""Files of AI-Studio, whatever they are -> recordings; what can't be read is told, and the rest is taken."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.data.heater_scans.profiles import Profile
from dibble_tools.data.heater_scans.rawdata import (
    CONFIG,
    LABELS,
    OLD_LABELS,
    RAW,
    Part,
    config_of,
    read_json,
    read_labels,
    read_part,
    sessions,
    stem_of,
)
from dibble_tools.data.heater_scans.recording import Recording
from dibble_tools.data.heater_scans.studio_project import StudioNetwork, read_project

KINDS = (RAW, LABELS, OLD_LABELS, CONFIG)


@dataclass
class Found:
    """What files hold.

    Attributes:
        networks: AI-Studio's own, of projects.
        configured: profiles of `.bmeconfig` files.
        problems: why a file was passed over.
        notes: copies, labels that come from elsewhere.
    """

    recordings: list[Recording] = field(default_factory=list)
    networks: list[StudioNetwork] = field(default_factory=list)
    configured: list[Profile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_files_of_studio(paths: Sequence[Path]) -> Found:
    """Return what files and folders hold; labels beside a recording are found by themselves.

    Raises:
        InputError: a path isn't there, or no file can be read.
    """
    found = Found()
    parts: list[Part] = []
    labels: dict[Path, dict[int, str]] = {}
    digests: dict[str, Path] = {}
    looked: set[Path] = set()
    for path in [one for given in paths for one in _files(given)]:
        try:
            if path.is_dir() or path.suffix == ".db":
                recordings, networks = read_project(path)
                found.recordings += recordings
                found.networks += networks
                continue
            kind = _kind(path)
            if kind in (LABELS, OLD_LABELS):
                labels[path] = read_labels(path)
                continue
            if kind == CONFIG:
                found.configured += list(dict.fromkeys(config_of(read_json(path), path.name)[0].values()))
                continue
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest in digests and path.stat().st_size:
                found.notes.append(f"{path.name}: a copy of {digests[digest].name}, byte for byte: passed over")
                continue
            digests[digest] = path
            parts.append(read_part(path))
            looked.add(path.parent)
            beside = path.with_name(stem_of(path, RAW) + LABELS)
            if beside not in labels and beside.is_file():
                labels[beside] = read_labels(beside)
        except InputError as error:
            found.problems.append(str(error))
    _lonely_labels(parts, labels, found.notes)
    found.recordings += sessions(parts, labels)
    _name_apart(found.recordings)
    if not found.recordings and not found.configured:
        raise InputError("; ".join(found.problems) or f"expected a recording ({RAW}, or a project.db), got none")
    return found


def _name_apart(recordings: list[Recording]) -> None:
    """Give recordings of one name that of their folder before it, and a number where that doesn't help."""
    for names in (lambda one, i: f"{one.folder}/{one.name}", lambda one, i: f"{one.name} {i}"):
        counts = Counter(one.name for one in recordings)
        for i, one in enumerate(recordings, start=1):
            if counts[one.name] > 1:
                one.name = names(one, i)


def _files(path: Path) -> list[Path]:
    """Return the files of a path: of a folder the projects in it, which know the classes; else all recordings."""
    if not path.exists():
        raise InputError(f"{path}: expected a file or folder of AI-Studio, got none")
    if not path.is_dir():
        return [path]
    inside = sorted(p for p in path.rglob("*") if p.is_file() and (_kind_or_none(p) in (RAW, LABELS, OLD_LABELS)))
    found = [p for p in sorted(path.rglob("project.db")) if p.is_file()] or inside
    if not found:
        raise InputError(f"{path}: expected a folder with {RAW} files or a project.db, got none in it")
    return found


def _kind_or_none(path: Path) -> str | None:
    name = path.name.lower().removesuffix(".gz")
    return next((kind for kind in KINDS if name.endswith(kind)), None)


def _kind(path: Path) -> str:
    kind = _kind_or_none(path)
    if kind:
        return kind
    if path.name.lower().endswith(".udf"):
        raise InputError(
            f"{path.name}: expected {RAW}, got .udf of the BME690 kit, which is binary: AI-Studio's tools "
            f"make a {RAW} of it"
        )
    if path.suffix.lower() == ".csv":
        raise InputError(f"{path.name}: expected a file of AI-Studio, got a CSV: `dibble train` reads it as it is")
    return RAW  # whatever its name: what is inside decides


def _lonely_labels(parts: list[Part], labels: dict[Path, dict[int, str]], notes: list[str]) -> None:
    """Take the only label file of a folder for a recording that has none of its own name."""
    for part in parts:
        stem = stem_of(part.path, RAW)
        if any(path.parent == part.path.parent and stem_of(path, path.suffix) == stem for path in labels):
            continue
        beside = sorted(part.path.parent.glob(f"*{LABELS}"))
        if not (part.rows["tag"] > 0).any() or any(path.parent == part.path.parent for path in labels):
            continue
        if len(beside) == 1:
            labels[beside[0]] = read_labels(beside[0])
            notes.append(f"{part.path.name}: its labels are those of {beside[0].name}, the only such file beside it")
