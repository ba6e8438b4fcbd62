"""What a model that hears makes of a recording: which sounds it finds there, and what it decides on each."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from dibble.inference.decision import NO_CLASS
from dibble.senses.gate import FLOOR_HOPS, Gate
from dibble.senses.listener import Listener

from dibble_tools.common.errors import InputError
from dibble_tools.data.sound.recordings import read_recording
from dibble_tools.data.sound.segments import SoundSettings, loudest, rows_of, sounds_of
from dibble_tools.model.content import Stream
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.host_model import HostModel

IDLE = "_"  # begins the names of classes on which nothing is done
REST_MS = 1000  # after acting: config.listen's default
ACTS, RESTS, UNSURE, OTHER, SKIPPED = "acts", "rests", "unsure", "nothing to act on", "stopped"


class Heard(NamedTuple):
    """A sound in a recording: when it ended, how long it was, what was decided on it, and what became of it.

    Of a network over the stream: when it was acted on, or the held class became one on which nothing is done; and how
    long after the one before. What a first model stopped has no label.
    """

    end_s: float
    length_s: float
    label: str
    margin: int
    flags: int
    fate: str


@dataclass(frozen=True)
class Cascade:
    """What lies before a model on a node, and how long that rests: see config.listen.

    Attributes:
        gate_permille: of the quiet's span that a hop's samples span to be heard; 0: all are.
        before: the model that decides first (voice.dib); None: there is none.
        skip: its class after which the other isn't asked.
        rest_ms: after acting.
    """

    gate_permille: int = 0
    before: HostModel | None = None
    skip: str = ""
    rest_ms: int = REST_MS


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


def hear(model: HostModel, samples: np.ndarray, cascade: Cascade = Cascade()) -> list[Heard]:
    """Return all that a node just switched on hears in a recording at its own rate, frame by frame as samples come.

    Raises:
        InputError: it doesn't hear, or the model before it is another kind or has no class to skip.
    """
    sense = sense_of(model)
    skip = _skipped(model, cascade)
    f = sense.front_end
    # A node's frames end with its hops; the first of all, which aren't whole, it leaves out.
    rows = rows_of(np.concatenate([np.zeros(f.size - f.hop, np.int16), samples]), f)
    each_hop = isinstance(model.content.family, Stream)
    hops = _loud_hops(model, samples, len(rows), cascade.gate_permille)
    if each_hop:
        return _held(model, rows[hops], hops, cascade, skip)
    sounds = sounds_of(rows[hops], sense)
    if not sounds:
        return []
    features = np.array([sound.features for sound in sounds])
    decisions = model.decide(features)
    stopped = np.zeros(len(sounds), bool)
    if cascade.before is not None:
        first = cascade.before.decide(features)
        stopped = (first.flags == 0) & (first.class_index == skip)
    found, rests_until = [], 0.0
    for i, sound in enumerate(sounds):
        end_s = (int(hops[sound.end - 1]) + 1) * f.hop / f.rate_hz
        label, flags = model.classes[decisions.class_index[i]], int(decisions.flags[i])
        fate = ACTS
        if stopped[i]:
            label, fate = "", SKIPPED
        elif flags or decisions.held_index[i] != decisions.class_index[i]:
            fate = UNSURE
        elif label.startswith(IDLE):
            fate = OTHER
        elif end_s < rests_until:
            fate = RESTS
        else:
            rests_until = end_s + cascade.rest_ms / 1000
        found.append(Heard(end_s, sound.rows * f.hop / f.rate_hz, label, int(decisions.margin[i]), flags, fate))
    return found


def _skipped(model: HostModel, cascade: Cascade) -> int:
    """Return the index of the first model's class after which the other isn't asked; -1 where there is no first."""
    before = cascade.before
    if before is None:
        return -1
    same = isinstance(before.content.family, Stream) == isinstance(model.content.family, Stream)
    if sense_of(before) != sense_of(model) or not same:
        raise InputError(
            f"expected two models with the same front end, both for single sounds or both for streams: "
            f"{before.content.name!r} and {model.content.name!r} differ"
        )
    if cascade.skip not in before.classes:
        raise InputError(
            f"listen.skip: expected a class of {before.content.name!r} ({', '.join(before.classes)}), got "
            f"{cascade.skip!r}"
        )
    return before.classes.index(cascade.skip)


def _loud_hops(model: HostModel, samples: np.ndarray, count: int, permille: int) -> np.ndarray:
    """Return the hops (from 0) of which frames are made: all, or those for which the firmware's own gate opens."""
    f = sense_of(model).front_end
    short = -(-(f.size - f.hop) // f.hop)
    if not permille:
        return np.arange(short, count)
    gate = Gate(permille, *Listener(model.model).gone_on)
    heard, quiet = [], 0
    for hop in range(count):
        if not gate.opens(samples[hop * f.hop : (hop + 1) * f.hop].tolist()):
            quiet += 1
            if quiet % FLOOR_HOPS:
                continue
        heard.append(hop)
    return np.array([hop for hop in heard if hop >= short], np.int64)


def _held(model: HostModel, rows: np.ndarray, hops: np.ndarray, cascade: Cascade, skip: int) -> list[Heard]:
    """Return what a node that decides at each of these hops does: it acts on a class it holds and then rests."""
    f = sense_of(model).front_end
    found: list[Heard] = []
    since_s, rests_until_s = 0.0, 0.0
    for first, end in _asked(rows, cascade.before, skip, model):
        decided = model.decide(rows[first:end].astype(np.int64))
        held, now = decided.held_index, decided.class_index
        changed = np.diff(held, prepend=NO_CLASS) != 0
        idle = np.array([name.startswith(IDLE) for name in model.classes] + [True])[np.minimum(now, len(model.classes))]
        told = (held == now) & (now != NO_CLASS) & (decided.flags == 0)
        for i in np.flatnonzero(told & (changed | ~idle) & _scored(model, end - first)).tolist():
            at_s = (int(hops[first + i]) + 1) * f.hop / f.rate_hz
            if not idle[i] and at_s < rests_until_s:
                continue
            fate = OTHER if idle[i] else ACTS
            label = model.classes[now[i]]
            found.append(Heard(at_s, at_s - since_s, label, int(decided.margin[i]), int(decided.flags[i]), fate))
            rests_until_s = rests_until_s if idle[i] else at_s + cascade.rest_ms / 1000
            since_s = at_s
    return found


def _asked(rows: np.ndarray, before: HostModel | None, skip: int, model: HostModel) -> list[tuple[int, int]]:
    """Return the runs of rows (first, end) on which a network over the stream decides, each from a fresh start."""
    if before is None:
        return [(0, len(rows))]
    goes_on = Listener(model.model).gone_on[0]
    decided = before.decide(rows.astype(np.int64))
    worth = _scored(before, len(rows)) & ((decided.flags != 0) | (decided.class_index != skip))
    runs: list[tuple[int, int]] = []
    left = first = 0
    for row, is_worth in enumerate(worth.tolist()):
        if is_worth:
            if not left:
                first = row
            left = goes_on
        elif left:
            left -= 1
            if not left:
                runs.append((first, row))
    return [*runs, (first, len(rows))] if left else runs


def _scored(model: HostModel, count: int) -> np.ndarray:
    """Return at which of so many rows a network over the stream scores anew; its strides leave out others."""
    family = model.content.family
    assert isinstance(family, Stream)
    stride = int(np.prod([layer.stride for layer in family.layers]))
    return (np.arange(count) + 1) % stride == 0


def hear_file(model: HostModel, path: Path, cascade: Cascade = Cascade()) -> tuple[list[Heard], float]:
    """Return what is heard in a recording, and how many seconds it is long."""
    samples = read_recording(path, sense_of(model).front_end.rate_hz)
    return hear(model, samples, cascade), len(samples) / sense_of(model).front_end.rate_hz


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
