"""What a model that hears makes of a recording: which sounds it finds there, and what it decides on each."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from dibble.inference.decision import NO_CLASS

from dibble_tools.common.errors import InputError
from dibble_tools.data.sound.recordings import read_recording
from dibble_tools.data.sound.segments import SoundSettings, loudest, rows_of, sounds_of
from dibble_tools.model.content import Stream
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.host_model import HostModel

IDLE = "_"  # begins the names of classes on which nothing is done
REST_S = 1.0  # after acting, of a network over the stream


class Heard(NamedTuple):
    """A sound in a recording: when it ended, how long it was, and what was decided on it.

    Of a network over the stream: when the class that it holds became this one, and how long the one before was held.
    """

    end_s: float
    length_s: float
    label: str
    margin: int
    flags: int


def sense_of(model: HostModel) -> SoundSettings:
    """Return the sense of a model; raise InputError where it has none."""
    if model.content.sound is None:
        raise InputError(
            f"expected a model that hears, as `dibble train FOLDER --sound` makes, got {model.content.name!r}, which "
            f"decides on {', '.join(channel.name for channel in model.channels[:3])}"
        )
    return model.content.sound


def check_reads(model: HostModel) -> None:
    """Raise InputError where a model hears: a node decides on readings of sensors."""
    if model.content.sound is not None:
        raise InputError(
            f"the model {model.content.name!r} hears sounds: expected one that decides on readings of sensors, or a "
            "configuration with `listen`, which names a microphone: dibble drivers i2s_mic"
        )


def hear(model: HostModel, samples: np.ndarray) -> list[Heard]:
    """Return all that a node just switched on would hear in a recording at its own rate."""
    sense = sense_of(model)
    front_end = sense.front_end
    rows = rows_of(samples, front_end)
    if isinstance(model.content.family, Stream):
        return _held(model, rows)
    sounds = sounds_of(rows, sense)
    if not sounds:
        return []
    decisions = model.decide(np.array([sound.features for sound in sounds]))
    row_s = front_end.hop / front_end.rate_hz
    frame_s = front_end.size / front_end.rate_hz
    return [
        Heard((sound.end - 1) * row_s + frame_s, sound.rows * row_s, model.classes[k], int(margin), int(flags))
        for sound, k, margin, flags in zip(
            sounds, decisions.class_index, decisions.margin, decisions.flags, strict=True
        )
    ]


def _held(model: HostModel, rows: np.ndarray) -> list[Heard]:
    """Return each time that the held class became another, as a node acts on it: after acting it rests.

    While it rests it decides on, but a class on which something is done isn't told.
    """
    sense = sense_of(model)
    f = sense.front_end
    decided = model.decide(rows.astype(np.int64))
    changed = np.flatnonzero(np.diff(decided.held_index, prepend=NO_CLASS))
    found: list[Heard] = []
    since_s, rests_until_s = 0.0, 0.0
    for hop in changed.tolist():
        at_s = (hop * f.hop + f.size) / f.rate_hz
        label = model.classes[decided.held_index[hop]]
        idle = label.startswith(IDLE)
        if idle or at_s >= rests_until_s:
            found.append(Heard(at_s, at_s - since_s, label, int(decided.margin[hop]), int(decided.flags[hop])))
            rests_until_s = rests_until_s if idle else at_s + REST_S
        since_s = at_s
    return found


def hear_file(model: HostModel, path: Path) -> tuple[list[Heard], float]:
    """Return what is heard in a recording, and how many seconds it is long."""
    samples = read_recording(path, sense_of(model).front_end.rate_hz)
    return hear(model, samples), len(samples) / sense_of(model).front_end.rate_hz


def features_of_clips(clips: list[np.ndarray], sense: SoundSettings) -> tuple[np.ndarray, np.ndarray]:
    """Return (features (clips, features), int64, which of them have a sound in them): of each the loudest sound."""
    values = np.zeros((len(clips), sense.features), np.int64)
    heard = np.zeros(len(clips), bool)
    for i, clip in enumerate(clips):
        sound = loudest(rows_of(clip, sense.front_end), sense)
        if sound is not None:
            values[i], heard[i] = sound.features, True
    return values, heard


def decide_clips(model: HostModel, values: np.ndarray, heard: np.ndarray) -> Decisions:
    """Return the decision on each clip; no class where there was no sound in it."""
    columns = model.decide(values).columns()
    columns[~heard] = (NO_CLASS, 0, 0, -1, NO_CLASS)
    return Decisions(*columns.T)
