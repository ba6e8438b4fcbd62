"""Rows of a recording -> whole scans: one sensor's steps from the first to the last, of one label, without an error.

Nothing is left out silently: each scan that isn't taken has a reason, and all add up.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from dibble_tools.data.heater_scans.profiles import UNKNOWN, Profile
from dibble_tools.data.heater_scans.recording import Recording

CUT, HOLE, ERROR, CHANGE, NO_READING = (
    "cut off where the recording began or ended",
    "a step is missing",
    "an error code other than 0",
    "its label changes inside",
    "a step without a reading",
)
PAUSE = 0.5  # of a scan's time: a longer one before a scan is sleep


@dataclass(frozen=True)
class Scan:
    """One scan.

    Attributes:
        place: in the row of scans since the sensor slept, from 1.
        last: the sensor sleeps after it.
        specimen: the stretch of one label that it is from, numbered within its session.
        ohm: of each step.
        air: C, hPa and % at its first step.
    """

    session: str
    sensor: str
    profile: Profile
    place: int
    last: bool
    specimen: str
    label: str
    day: str
    folder: str
    start_ms: float
    ohm: tuple[float, ...]
    air: tuple[float, float, float]
    index: int = 0  # of its sensor on the board


@dataclass
class Assembled:
    """What came of recordings.

    Attributes:
        scans: whole ones.
        dropped: how many weren't, by reason.
        strays: rows of a step that the profile hasn't.
    """

    scans: list[Scan] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    strays: int = 0

    @property
    def counted(self) -> int:
        return len(self.scans) + sum(self.dropped.values())


def assemble(recordings: list[Recording]) -> Assembled:
    """Return the scans of recordings, in the order of their sensors and times."""
    found = Assembled()
    for recording in recordings:
        specimens = _specimens(recording)
        for sensor in np.unique(recording.rows["sensor"]).tolist():
            places = np.flatnonzero(recording.rows["sensor"] == sensor)
            _of_sensor(recording, sensor, places, specimens, found)
    return found


def _specimens(recording: Recording) -> np.ndarray:
    """Return the number of the stretch of one label that each row is in, from 1 within its label."""
    tags = recording.rows["tag"]
    seen: Counter[int] = Counter()
    numbers = np.zeros(len(tags), np.int64)
    changes = np.flatnonzero(np.diff(tags)) + 1
    for start, end in zip([0, *changes], [*changes, len(tags)], strict=True):
        if start < end:
            seen[int(tags[start])] += 1
            numbers[start:end] = seen[int(tags[start])]
    return numbers


def _pieces(steps: np.ndarray, times: np.ndarray, longest_ms: float) -> Iterator[tuple[int, int]]:
    """Yield where a sensor's scans begin and end: steps rise, none is further than a scan from the one before."""
    breaks = (np.diff(steps) <= 0) | (np.diff(times) > longest_ms) | (np.diff(times) < 0)
    edges = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(steps)]
    yield from ((a, b) for a, b in pairwise(edges) if b > a)


def _of_sensor(recording: Recording, sensor: int, places: np.ndarray, specimens: np.ndarray, found: Assembled) -> None:
    profile = recording.profiles.get(sensor, UNKNOWN)
    count = len(profile.steps)
    rows = recording.rows[places]
    known = (rows["step"] >= 0) & (rows["step"] < count)
    found.strays += int((~known).sum())
    rows, places = rows[known], places[known]
    pieces = list(_pieces(rows["step"], rows["time_ms"], 1500 * profile.seconds))
    place, slept_ms = 0, None
    waiting: Scan | None = None
    for number, (start, end) in enumerate(pieces):
        piece = rows[start:end]
        began_ms = float(piece["time_ms"][0])
        pause_ms = 0.0 if slept_ms is None else began_ms - slept_ms
        asleep = slept_ms is None or pause_ms > 1000 * PAUSE * profile.seconds
        if waiting:
            found.scans.append(_with_last(waiting, asleep))
            waiting = None
        place = 1 if asleep else place + 1
        slept_ms = float(piece["time_ms"][-1])
        reason = _reason(piece, count, first=number == 0, last=number == len(pieces) - 1)
        if reason:
            found.dropped[reason] += 1
            continue
        label = recording.labels.get(int(piece["tag"][0]), "" if not piece["tag"][0] else f"label {piece['tag'][0]}")
        stretch = f"{recording.name}: {label or 'no label'} {specimens[places[start]]}"
        air = tuple(float(piece[name][0]) for name in ("celsius", "hectopascal", "percent"))
        waiting = Scan(
            recording.name,
            recording.sensors.get(sensor, str(sensor)),
            profile,
            place,
            False,
            stretch,
            label,
            recording.day,
            recording.folder,
            began_ms,
            tuple(piece["ohm"].tolist()),
            (air[0], air[1], air[2]),
            sensor,
        )
    if waiting:
        found.scans.append(_with_last(waiting, True))


def _with_last(scan: Scan, last: bool) -> Scan:
    return Scan(**{**vars(scan), "last": last})


def _reason(piece: np.ndarray, count: int, *, first: bool, last: bool) -> str:
    """Return why a piece is no scan to take; "": it is one."""
    if len(piece) < count:
        cut = (first and piece["step"][0] > 0) or (last and piece["step"][-1] < count - 1)
        return CUT if cut else ERROR if piece["error"].any() else HOLE
    if piece["error"].any():
        return ERROR
    if (piece["tag"] != piece["tag"][0]).any():
        return CHANGE
    if not (np.isfinite(piece["ohm"]) & (piece["ohm"] > 0)).all():
        return NO_READING
    return ""
