"""`dibble train --images`: labelled frames -> a convolutional network, and its card."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from dibble import __version__

from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import Dataset
from dibble_tools.data.labelled_frames import FrameSet, read_labelled
from dibble_tools.data.splits import check_classes, folds, split
from dibble_tools.families.maps.network import Shape
from dibble_tools.families.maps.tables import Frame, MapsTables
from dibble_tools.families.maps.training import BATCH, Augmentation, fit, shares, tables_of
from dibble_tools.model.content import Maps
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.model.limits import Limits, estimate
from dibble_tools.model.maps_file import export_maps, maps_spec
from dibble_tools.model.metrics import evaluation, unsure_below
from dibble_tools.report.verdict import verdict_of
from dibble_tools.training.intervals import interval
from dibble_tools.training.result import Clock, Progress, Trained

DEFAULT_BYTES = 6144
EPOCHS_MOST, EPOCHS_LEAST = 120, 6
STEPS_LEAST = 240  # of a student's training, whatever the time
TEACHER_LEAST = 0.8  # of the frames it learned from that a teacher has to know, to teach
SMALL = 12  # a side: such an array has as few readings as the other families take
BLOCKS: tuple[tuple[int, tuple[tuple[int, int], ...]], ...] = (
    (8, ((16, 2),)),
    (8, ((16, 1), (24, 2))),
    (8, ((16, 2), (32, 2))),
    (16, ((32, 2), (32, 1))),
    (16, ((32, 2), (48, 2))),
)
TEACHER = 24, ((48, 2), (64, 1), (64, 2))
SHARES = 0.25, 0.45  # of the time: the teacher's, the search's
FOLDS = 4
SEEN_BY_RANGE = 0.002  # of readings that lie beyond each end of the codes


@dataclass(frozen=True)
class ImageOptions:
    """What `dibble train --images` is asked for; its help text has the meaning of each."""

    size: tuple[int, int] | None = None
    grey: bool = False
    test_groups: Sequence[str] = ()
    limits: Limits = field(default_factory=lambda: Limits(max_bytes=DEFAULT_BYTES))
    budget_s: float = 60.0
    sure: float = 0.6
    flip: bool = True
    seed: int = 0
    name: str | None = None


@dataclass(frozen=True)
class ImageCandidate:
    """A shape that was tried: how often it was right on a fold held out, and what it takes."""

    shape: Shape
    accuracy: float
    bytes: int
    instructions: int
    margins: np.ndarray
    correct: np.ndarray


@dataclass(frozen=True)
class Examples:
    """Held-out frames with what was decided on them, for people.

    Attributes:
        frames: codes (rows, height, width, depth).
        maps: by how much the decided class's lead falls where a patch of a frame is covered (rows, height, width).
    """

    frames: np.ndarray
    true: list[str]
    decided: list[str]
    names: list[str]
    maps: np.ndarray


def train_images(
    path: Path, options: ImageOptions, progress: Progress = lambda step, share: None
) -> tuple[Trained, Examples]:
    """Return a model trained on labelled frames, with its card, and examples of what it decides.

    Frames of one group are never split. Some groups are held out; a larger network, the teacher, is fitted to the
    others; then shapes within the limits compete on a fold of them, and the best is fitted to all but those held out,
    which judge it.

    Raises:
        InputError: something in the frames or the options has to change.
    """
    return _ImageTraining(path, options, progress).run()


class _ImageTraining:
    """One training: what it is of, and the notes that come up on the way."""

    def __init__(self, path: Path, options: ImageOptions, progress: Progress) -> None:
        self.path, self.options, self.progress = path, options, progress
        progress("reading the frames", 0.0)
        self.clock = Clock(options.budget_s)
        self.set = read_labelled(path, size=options.size, grey=options.grey)
        self.classes = sorted(set(self.set.labels))
        self.y = np.array([self.classes.index(label) for label in self.set.labels])
        self.notes: list[str] = []
        self.rng = np.random.default_rng(options.seed)
        height, width, depth = self.set.frames.shape[1:]
        if max(height, width) <= SMALL:
            self.notes.append(
                f"{height} x {width} are {height * width * depth} numbers: the other families know as much from so "
                "few, in a smaller model: give them as a CSV, without --images"
            )
        self.ds = Dataset(
            options.name or path.stem,
            [str(i) for i in range(self.set.frames[0].size)],
            self.set.frames.reshape(len(self.y), -1).astype(float),
            np.array(self.set.labels),
            None,
            np.array(self.set.groups),
            np.arange(len(self.y)),
            self.notes,
            _sha256(self.set),
        )
        self.split = split(self.ds, test_groups=options.test_groups, seed=options.seed)
        self.notes += check_classes(self.ds, self.split.train, self.split.test)
        self.frame = self._frame(self.set.frames[self.split.train])
        self.codes = self.frame.codes(self.set.frames)
        self.x = (self.codes / 255).astype(np.float32)
        self.augmentation = Augmentation(flip=options.flip)

    def run(self) -> tuple[Trained, Examples]:
        """Fit the teacher, choose a shape, fit it, judge it."""
        train = np.flatnonzero(self.split.train)
        fitted, held = self._fold()
        taught = self._teach(fitted)
        candidates = self._search(fitted, held, taught)
        best = max(candidates, key=lambda c: (round(c.accuracy, 2), -c.instructions))
        unsure, _ = unsure_below(best.margins, best.correct, self.options.sure)
        self.progress(f"fitting {best.shape}", self.clock.used())
        tables = self._fit(best.shape, train, taught, 1.0)
        model = self._model(tables, int(unsure))
        card = self._card(best, candidates, model, tables)
        said = verdict_of(card)
        trained = Trained(model, {**card, "verdict": said.to_json() if said else None}, self.notes)
        return trained, self._examples(model, tables)

    def _frame(self, frames: np.ndarray) -> Frame:
        height, width, depth = frames.shape[1:]
        if not self.set.scaled:
            return Frame(height, width, depth)
        if depth != 1:
            raise InputError(f"{self.path}: expected one reading a pixel of 16 bits, got {depth}")
        low, high = (int(np.quantile(frames, q)) for q in (SEEN_BY_RANGE, 1 - SEEN_BY_RANGE))
        span = max(high - low, 1)
        shift = max(0, min(16, int(np.floor(np.log2(255 * span / 255)))))
        multiplier = int(np.clip(round(255 * 2**shift / span), 1, 255))
        return Frame(height, width, depth, True, low, multiplier, shift)

    def _fold(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that candidates are fitted to, and those that choose among them."""
        for inner, outer in folds(self.ds, self.split.train, FOLDS, seed=self.options.seed):
            return inner, outer
        raise InputError(f"{self.path}: expected frames of at least two groups to train on: take some on other days")

    def _teach(self, fitted: np.ndarray) -> np.ndarray | None:
        self.progress("fitting a larger network, the teacher", self.clock.used())
        shape = Shape(*TEACHER, first_stride=self._strides()[0])
        layers = self._layers(shape, fitted, None, SHARES[0])
        told = shares(layers, self.x)
        known = float(np.mean(told[fitted].argmax(axis=1) == self.y[fitted]))
        return told if known >= TEACHER_LEAST else None

    def _strides(self) -> tuple[int, ...]:
        side = max(self.frame.shape[:2])
        return (1, 2) if side <= SMALL else (2, 3) if side <= 48 else (4, 3)

    def _search(self, fitted: np.ndarray, held: np.ndarray, taught: np.ndarray | None) -> list[ImageCandidate]:
        shapes = [Shape(*blocks, first_stride=stride) for blocks in BLOCKS for stride in self._strides()]
        small = [(shape, *self._needs(shape)) for shape in shapes]
        within = [entry for entry in small if self.options.limits.hold(entry[1], entry[2])]
        if not within:
            least = min(entry[1] for entry in small)
            raise InputError(f"expected a model within {self.options.limits}: the smallest takes {least:,} bytes")
        found: list[ImageCandidate] = []
        for i, (shape, _, _) in enumerate(within):
            self.progress(f"trying {shape}, first stride {shape.first_stride}", self.clock.used())
            if found and self.clock.used() > SHARES[0] + SHARES[1]:
                self.notes.append(
                    f"the time was up after {len(found)} of {len(within)} shapes: give it a larger --budget"
                )
                break
            tables = self._fit(shape, fitted, taught, SHARES[0] + SHARES[1] * (i + 1) / len(within))
            model = self._model(tables, 0)
            decisions = model.decide(self.set.frames[held].reshape(len(held), -1))
            correct = decisions.class_index == self.y[held]
            work = estimate(model.content, len(model.blob)).instructions
            found.append(ImageCandidate(shape, float(correct.mean()), len(model.blob), work, decisions.margin, correct))
        return found

    def _needs(self, shape: Shape) -> tuple[int, Any]:
        """Return what a model of a shape takes, by an untrained one: its bytes, and its estimate."""
        layers = fit(shape, self.x[:2], self.y[:2], len(self.classes), 1, np.random.default_rng(0))
        model = self._model(tables_of(layers, self.frame, self.codes[:8]), 0)
        depth, weights, units = self.frame.depth, 0, 0
        weights += shape.first * 9 * depth
        units += shape.first
        before = shape.first
        for wider, _ in shape.blocks:
            weights += before * 9 + before * wider
            units += before + wider
            before = wider
        weights += before * len(self.classes)
        units += len(self.classes)
        family = model.content.family
        assert isinstance(family, Maps)
        head = len(model.blob) - sum(step.weights.size + 5 * len(step.biases) for step in family.steps)
        size = head + weights + 5 * units  # as channels that tell nothing yet are left out of an untrained one
        return size, estimate(model.content, size)

    def _fit(self, shape: Shape, rows: np.ndarray, taught: np.ndarray | None, until: float) -> MapsTables:
        return tables_of(self._layers(shape, rows, taught, until), self.frame, self.codes[rows])

    def _layers(self, shape: Shape, rows: np.ndarray, taught: np.ndarray | None, until: float) -> Any:
        """Return a network fitted to rows, until about that share of the time is used: one epoch is timed first."""
        began = self.clock.used()
        classes = len(self.classes)
        rng = np.random.default_rng(self.options.seed + 1)
        teacher = None if taught is None else taught[rows]
        fit(shape, self.x[rows], self.y[rows], classes, 1, rng, teacher=teacher, augmentation=self.augmentation)
        one = max(self.clock.used() - began, 1e-6)
        least = EPOCHS_LEAST if shape.blocks == TEACHER[1] else max(EPOCHS_LEAST, -(-STEPS_LEAST * BATCH // len(rows)))
        epochs = int(np.clip((until - began) / one - 1, least, max(EPOCHS_MOST, least)))
        return fit(
            shape,
            self.x[rows],
            self.y[rows],
            classes,
            epochs,
            np.random.default_rng(self.options.seed),
            teacher=teacher,
            augmentation=self.augmentation,
        )

    def _model(self, tables: MapsTables, unsure: int) -> HostModel:
        return HostModel(export_maps(maps_spec(self.ds.name, self.classes, tables, unsure)))

    def _card(
        self, best: ImageCandidate, candidates: list[ImageCandidate], model: HostModel, tables: MapsTables
    ) -> dict[str, Any]:
        held = np.flatnonzero(self.split.test)
        decisions = model.decide(self.set.frames[held].reshape(len(held), -1))
        labels, groups = np.array(self.set.labels), np.array(self.set.groups)
        ends = interval(decisions.class_index == self.y[held], np.unique(groups[held], return_inverse=True)[1])
        names, counts = np.unique(labels, return_counts=True)
        work = estimate(model.content, len(model.blob))
        recipe = f"maps:{best.shape}"
        return {
            "made_by": f"dibble {__version__}, numpy {np.__version__}",
            "name": model.content.name,
            "model": {
                "file": MODEL_FILE,
                "family": "maps",
                "recipe": recipe,
                "bytes": len(model.blob),
                "sha256": hashlib.sha256(model.blob).hexdigest(),
                "golden_vectors": len(model.content.golden),
                "instructions": work.instructions,
                "heap": work.heap,
                "multiply_adds": tables.multiply_adds(),
                "weights": tables.weights(),
                "frame": str(self.frame),
            },
            "data": {
                "file": self.path.name,
                "sha256": self.ds.sha256,
                "rows": len(self.y),
                "label": "folder" if self.path.is_dir() else "label",
                "group": "recording, by the file's name" if self.path.is_dir() else "group",
                "rows_of_each_class": {str(n): int(c) for n, c in zip(names, counts, strict=True)},
            },
            "split": {
                "how": self.split.how,
                "train_rows": int(self.split.train.sum()),
                "test_rows": len(held),
                "scored_rows": len(held),
            },
            "refit": None,
            "options": {"seed": self.options.seed, "budget_s": self.options.budget_s},
            "limits": {"max_bytes": self.options.limits.max_bytes},
            "front": [
                {
                    "family": "maps",
                    "recipe": f"maps:{c.shape}",
                    "features": self.frame.size,
                    "bytes": c.bytes,
                    "accuracy": round(c.accuracy, 4),
                    "fits": True,
                    "on_front": all(o.accuracy < c.accuracy or o.bytes >= c.bytes for o in candidates if o is not c),
                    "chosen": c is best,
                    "instructions": c.instructions,
                }
                for c in sorted(candidates, key=lambda c: -c.accuracy)
            ],
            "unsure": {"below_margin": model.content.unsure_below, "sure": self.options.sure},
            "held_out": {
                "integer_model": {
                    "what": "what the node decides on each frame of groups that it never saw",
                    **evaluation(labels[held], decisions, model.classes),
                    "interval": None if ends is None else [round(end, 4) for end in ends],
                }
            },
            "notes": self.notes,
        }

    def _examples(self, model: HostModel, tables: MapsTables, most: int = 8) -> Examples:
        """Return held-out frames: as many decided wrong as right, where there are."""
        held = np.flatnonzero(self.split.test)
        decided = model.decide(self.set.frames[held].reshape(len(held), -1)).class_index
        wrong, right = held[decided != self.y[held]], held[decided == self.y[held]]
        chosen = np.concatenate([wrong[: most // 2], right[:: max(1, len(right) // most)]])[:most]
        names = dict(zip(held.tolist(), decided.tolist(), strict=True))
        return Examples(
            self.codes[chosen],
            [self.set.labels[i] for i in chosen],
            [self.classes[names[int(i)]] for i in chosen],
            [self.set.names[i] for i in chosen],
            np.stack([occlusion(tables, self.codes[i]) for i in chosen]),
        )


def occlusion(tables: MapsTables, codes: np.ndarray) -> np.ndarray:
    """Return by how much the decided class's lead falls where a patch around each pixel is covered (height, width).

    Args:
        codes: a frame's (height, width, depth).
    """
    height, width, _ = codes.shape
    patch = max(1, height // 6), max(1, width // 6)
    places = [(r, c) for r in range(0, height, patch[0]) for c in range(0, width, patch[1])]
    covered = np.repeat(codes[None], len(places) + 1, axis=0)
    for frame, (r, c) in zip(covered[1:], places, strict=True):
        frame[r : r + patch[0], c : c + patch[1]] = np.round(codes.mean(axis=(0, 1)))
    bare = MapsTables(Frame(*codes.shape), tables.layers)
    scores = bare.scores(covered)
    winner = int(scores[0].argmax())
    others = np.delete(scores, winner, axis=1) if scores.shape[1] > 1 else np.zeros((len(scores), 1))
    lead = scores[:, winner] - others.max(axis=1)
    found = np.zeros((height, width))
    for fall, (r, c) in zip(lead[0] - lead[1:], places, strict=True):
        found[r : r + patch[0], c : c + patch[1]] = fall
    return found


def _sha256(frames: FrameSet) -> str:
    digest = hashlib.sha256(frames.frames.astype("<i4").tobytes())
    digest.update("\n".join([*frames.labels, *frames.groups]).encode())
    return digest.hexdigest()
