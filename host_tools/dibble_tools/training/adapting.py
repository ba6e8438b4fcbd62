"""A trained model fitted to one node by a few labelled readings of its own, without training.

Two things are tried, each alone and together: raising each class's score (how often it happens here, how a probe leans)
and moving each channel (a sensor, or a place, that reads higher). What cross-validation over the labelled rows shows no
use of isn't taken: few labels can harm a model that is right already.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from dibble.inference.fixed_point import MISSING

from dibble_tools.common import portable
from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_together
from dibble_tools.data.datasets import CsvOptions
from dibble_tools.model.adapted import adapted, check_adaptable, moved, takes_biases
from dibble_tools.model.content import Content
from dibble_tools.model.evaluator import feature_values
from dibble_tools.model.host_model import CARD_FILE, MODEL_FILE, HostModel
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.rows import check_labels, read_rows

NOTHING, RAISED, MOVED, BOTH = "nothing", "scores raised", "channels moved", "scores raised, channels moved"
LEAST = 4  # labelled rows
PARTS = 5
SPREAD = 0.1  # of a channel's range: a move of so much costs half a nat
STEPS = (2.0, 1.0, 0.5, 0.25, 0.125, -0.125, -0.25, -0.5, -1.0, -2.0)  # of that
SWEEPS, NEWTON = 4, 30
ERRORS = 1.0  # standard errors of the difference, by which a change has to help


@dataclass(frozen=True)
class Labelled:
    """A node's rows, in order: ints (rows, channels), the time since the row before, and which are labelled, with what.

    Attributes:
        rows: positions of the labelled ones; y: class indices of these.
    """

    readings: np.ndarray
    elapsed_ms: np.ndarray | None
    rows: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Change:
    """What is done to a model: class scores raised by nats, channels moved by steps."""

    nats: np.ndarray
    shifts: np.ndarray


@dataclass(frozen=True)
class Adapted:
    """A model for the node, and what is known of it.

    Attributes:
        how: NOTHING, RAISED, MOVED or BOTH.
        before, after: share of labelled rows decided right, cross-validated where something was changed.
    """

    model: HostModel
    how: str
    change: Change
    before: float
    after: float


def read_labelled(
    model: HostModel, path: Path, label: str, *, time: str | None, group: str | None, options: CsvOptions
) -> tuple[Labelled, list[str]]:
    """Return a file's rows, those without a label between the others too, and what is to be told of it.

    Raises:
        InputError: a model of another kind; or it isn't such a file, or its labels aren't the model's classes.
    """
    check_adaptable(model.content)
    every = read_rows(model, path, time=time, group=group, options=options)
    some = read_rows(model, path, label=label, time=time, group=group, options=options)
    check_labels(some.ds, label, model.classes)
    place = {line: i for i, line in enumerate(np.asarray(every.ds.lines).tolist())}
    rows = np.array([place[line] for line in np.asarray(some.ds.lines).tolist()])
    assert some.ds.labels is not None
    y = np.array([model.classes.index(name) for name in some.ds.labels.tolist()])
    order = np.argsort(rows)
    return Labelled(every.readings, every.elapsed_ms, rows[order], y[order]), every.ds.notes


def adapt(model: HostModel, labelled: Labelled, unit: float | None = None) -> Adapted:
    """Return the model as it suits the node best, by its own labels.

    Args:
        unit: score steps a nat, which the card has as margin_unit; None: guessed from the margins.
    Raises:
        InputError: too few labels, or a model of another kind.
    """
    check_adaptable(model.content)
    usable = (labelled.readings[labelled.rows] != MISSING).all(axis=1)
    labelled = replace(labelled, rows=labelled.rows[usable], y=labelled.y[usable])
    if len(labelled.y) < LEAST or len(np.unique(labelled.y)) < 2:
        raise InputError(
            f"expected at least {LEAST} labelled rows without a missing reading, of two classes or more, "
            f"got {len(labelled.y)} of {len(np.unique(labelled.y))}"
        )
    if unit is None:
        unit = max(float(np.median(model.decide(labelled.readings, labelled.elapsed_ms).margin)), 1.0) / 2
    fitting = _Fitting(model.content, labelled, unit)
    kinds = [RAISED, MOVED, BOTH] if takes_biases(model.content) else [MOVED]
    parts = _parts(labelled.y)
    plain = fitting.nothing
    nats, right = fitting.judged(plain)
    best, before, how, after = nats, float(right.mean()), NOTHING, float(right.mean())
    for kind in kinds:
        own, own_right = np.empty(len(nats)), np.empty(len(nats), dtype=bool)
        for held in parts:
            fit = np.setdiff1d(np.arange(len(nats)), held)
            each, each_right = fitting.judged(fitting.fit(kind, fit))
            own[held], own_right[held] = each[held], each_right[held]
        gain = best - own
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        if gain.mean() > ERRORS * error and own_right.mean() >= after:
            best, how, after = own, kind, float(own_right.mean())
    change = plain if how == NOTHING else fitting.fit(how, np.arange(len(nats)))
    biases = np.rint((change.nats - change.nats.min()) * unit).astype(int).tolist()
    blob = model.blob if how == NOTHING else adapted(model.blob, change.shifts.tolist(), biases)
    return Adapted(HostModel.tested(blob), how, change, before, after)


def _parts(y: np.ndarray) -> list[np.ndarray]:
    """Return positions to hold out in turn: of each class's rows, in order, neighbours together."""
    place = np.empty(len(y), dtype=int)
    for k in np.unique(y):
        mine = np.flatnonzero(y == k)
        place[mine] = np.arange(len(mine)) * PARTS // len(mine)
    return [np.flatnonzero(place == part) for part in range(PARTS) if (place == part).any()]


class _Fitting:
    """What is computed of the labelled rows."""

    def __init__(self, content: Content, labelled: Labelled, unit: float) -> None:
        self.content, self.labelled, self.unit = content, labelled, unit
        self.y = labelled.y
        self.classes = len(content.classes)
        self.spread = np.maximum([SPREAD * span for span in content.spans], 1.0)
        self.nothing = Change(np.zeros(self.classes), np.zeros(len(content.channels), dtype=np.int64))
        self._kept: dict[bytes, np.ndarray] = {}

    def scores(self, shifts: np.ndarray) -> np.ndarray:
        """Return scores in nats (labelled rows, classes) with the channels moved."""
        key = shifts.tobytes()
        if key not in self._kept:
            content = moved(self.content, shifts.tolist())
            low = np.array([channel.low for channel in content.channels])
            high = np.array([channel.high for channel in content.channels])
            rows = self.labelled
            clamped = np.clip(rows.readings, low, high) - low
            values = feature_values(content, np.where(rows.readings == MISSING, -1, clamped), rows.elapsed_ms)
            self._kept[key] = class_scores(content, values[rows.rows]) / self.unit
        return self._kept[key]

    def judged(self, change: Change) -> tuple[np.ndarray, np.ndarray]:
        """Return each labelled row's cross-entropy, and whether it is decided right."""
        scores = self.scores(change.shifts) + change.nats
        nats = -portable.log_softmax(scores)[np.arange(len(self.y)), self.y]
        return nats, scores.argmax(axis=1) == self.y

    def fit(self, how: str, rows: np.ndarray) -> Change:
        """Return the change that suits some of the labelled rows best; each is held back by what it costs."""
        change = self._raised(self.nothing, rows) if how in (RAISED, BOTH) else self.nothing
        if how == RAISED:
            return change
        best = self._loss(change, rows)
        for _ in range(SWEEPS):
            before = best
            for channel in range(len(self.spread)):
                for step in STEPS:
                    shifts = change.shifts.copy()
                    shifts[channel] += round(step * self.spread[channel])
                    tried = replace(change, shifts=shifts)
                    if how == BOTH:
                        tried = self._raised(tried, rows)
                    loss = self._loss(tried, rows)
                    if loss < best:
                        best, change = loss, tried
            if best == before:
                break
        return change

    def _loss(self, change: Change, rows: np.ndarray) -> float:
        held = float((change.nats**2).sum() + ((change.shifts / self.spread) ** 2).sum()) / 2
        return float(self.judged(change)[0][rows].sum()) + held

    def _raised(self, change: Change, rows: np.ndarray) -> Change:
        """Return the change with the class scores raised as suits rows best: ridge regression's, by Newton steps."""
        scores, targets = self.scores(change.shifts)[rows], np.eye(self.classes)[self.y[rows]]
        nats = np.zeros(self.classes)
        for _ in range(NEWTON):
            chances = portable.softmax(scores + nats)
            slope = (chances - targets).sum(axis=0) + nats
            curve = np.diag(chances.sum(axis=0) + 1) - chances.T @ chances
            step = np.linalg.solve(curve, slope)
            nats = nats - step
            if np.abs(step).max() < 1e-6:
                break
        return replace(change, nats=nats)


def save(found: Adapted, card: Mapping[str, Any], source: str, folder: Path) -> None:
    """Write the model to a folder, with the card of the one it came from, which tells what was done."""
    about = {
        "how": found.how,
        "by": source,
        "right_before": round(found.before, 4),
        "right_after": round(found.after, 4),
        "nats": [round(float(value), 4) for value in found.change.nats],
        "steps": found.change.shifts.tolist(),
    }
    digest = hashlib.sha256(found.model.blob).hexdigest()
    notes = [*card.get("notes", []), f"adapted to a node by {source}: figures are of the model that it came from"]
    told = {**card, "adapted": about, "notes": notes}
    told["model"] = {**card.get("model", {}), "sha256": digest, "bytes": len(found.model.blob)}
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    write_together({folder / CARD_FILE: text.encode(), folder / MODEL_FILE: found.model.blob}, [])


def words(found: Adapted) -> list[str]:
    """Return what was done, for people: a line each."""
    content: Content = found.model.content
    lines = [f"{found.how}: of the labelled rows {found.before:.0%} were right"]
    if found.how == NOTHING:
        return [lines[0] + "; no change helps clearly by cross-validation: the model stays as it is"]
    lines[0] += f", {found.after:.0%} by models adapted without them"
    for channel, shift in zip(content.channels, found.change.shifts.tolist(), strict=True):
        if shift:
            lines.append(f"  {channel.name}: read as {abs(shift)} steps {'lower' if shift > 0 else 'higher'}")
    if np.ptp(found.change.nats):
        rise: Sequence[float] = (found.change.nats - found.change.nats.mean()).tolist()
        told = ", ".join(f"{name} {value:+.2f}" for name, value in zip(content.classes, rise, strict=True))
        lines.append(f"  scores, in nats: {told}")
    return lines
