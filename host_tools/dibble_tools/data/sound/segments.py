"""Single sounds out of recordings, and their features: by the firmware's own senses/segment.py."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from dibble.senses import segment

from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from dibble_tools.data.sound.front_end import FrameSettings, band_codes, frames_of

QUIET_PART = 8  # of a clip: its floor is what an eighth of its rows are quieter than


class SegmentSettings(NamedTuple):
    """The gate of a model: see dibble.senses.segment.SegmentSpec, in the order of the file."""

    rows: int = 10
    on: int = 12
    reach: int = 48
    tail: int = 12
    least: int = 4
    most: int = 120


@dataclass(frozen=True)
class SoundSettings:
    """A sense: its front end, and the gate of one that hears single sounds; without it, each frame is a row."""

    front_end: FrameSettings
    gate: SegmentSettings | None = None

    def __post_init__(self) -> None:
        """Raise InputError where a node couldn't do it."""
        g = self.gate
        if g is None:
            return
        if not all(0 <= value <= 255 for value in g) or not segment.holds(node_gate(g)):
            raise InputError(
                "expected 2 rows or more, a tail shorter than the longest sound, and numbers up to 255; got "
                + ", ".join(f"{name} {value}" for name, value in g._asdict().items())
            )
        if self.features > 255:
            raise InputError(f"expected at most 255 features of a sound, got {self.features}: fewer rows or bands")

    @property
    def features(self) -> int:
        """How many features a sound has; codes in a row, where there are no single sounds."""
        if self.gate is None:
            return self.front_end.bands
        return segment.features_of(node_gate(self.gate), self.front_end.bands)


@dataclass(frozen=True)
class Sound:
    """A single sound of a recording.

    Attributes:
        end: the row after which the gate closed; rows: how many it took, less its quiet ends.
        features: int64.
        loudness: by which its rows are louder than the floor, all together.
    """

    end: int
    rows: int
    features: np.ndarray
    loudness: int


def node_gate(gate: SegmentSettings) -> segment.SegmentSpec:
    """Return the firmware's own form of a gate."""
    return segment.SegmentSpec(*gate)


def rows_of(samples: np.ndarray, settings: FrameSettings) -> np.ndarray:
    """Return the codes of a recording (rows, bands), uint8, a row each hop."""
    return band_codes(frames_of(samples, settings), settings)


def sounds_of(rows: np.ndarray, settings: SoundSettings, floor: int | None = None) -> list[Sound]:
    """Return the single sounds in a recording's rows, those that end with it included.

    Args:
        floor: before it begins; None: of a node that was just switched on.
    """
    bands = settings.front_end.bands
    assert settings.gate is not None
    push, values = segment.build(node_gate(settings.gate), bands)
    push(None if floor is None else floor)
    found = []
    silence = [bytes(bands)] * settings.gate.tail
    for i, row in enumerate([*(bytes(row) for row in rows), *silence]):
        took = push(row)
        if took:
            features = np.array(values, np.int64)
            found.append(Sound(min(i + 1, len(rows)), took, features, took * int(features[-1])))
    return found


def quiet_level(rows: np.ndarray) -> int:
    """Return the floor of a short clip, whose beginning may be loud already."""
    return int(np.sort(rows.sum(axis=1, dtype=np.int64))[len(rows) // QUIET_PART])


def loudest(rows: np.ndarray, settings: SoundSettings) -> Sound | None:
    """Return the sound that a clip is of: the loudest and longest; None where there is none."""
    found = sounds_of(rows, settings, quiet_level(rows)) if len(rows) else []
    return max(found, key=lambda sound: sound.loudness, default=None)


def sound_channels(settings: SoundSettings) -> list[Channel]:
    """Return the channels that a sense implies: of each row the bands, then length and level; or of one row alone."""
    front_end = settings.front_end
    if settings.gate is None:
        return [Channel(f"band {band}", "", 1, 0, 0, 255) for band in range(front_end.bands)]
    names = [f"row {row} band {band}" for row in range(settings.gate.rows) for band in range(front_end.bands)]
    return [Channel(name, "", 1, 0, 0, 255) for name in (*names, "length", "level")]
