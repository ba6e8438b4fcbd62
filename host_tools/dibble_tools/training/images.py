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
from dibble_tools.families.maps.shapes import UNIT_BYTES, shapes_within
from dibble_tools.families.maps.tables import Frame, MapsTables
from dibble_tools.families.maps.training import BATCH, Augmentation, FrameLearner, shares, tables_of
from dibble_tools.model.content import Maps
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.model.limits import Estimate, Limits, estimate
from dibble_tools.model.maps_file import export_maps, maps_spec
from dibble_tools.model.metrics import evaluation, unsure_below
from dibble_tools.report.verdict import verdict_of
from dibble_tools.training.image_search import STEPS_LEAST, Contender, compete
from dibble_tools.training.intervals import interval
from dibble_tools.training.result import Clock, Progress, Trained

DEFAULT_BYTES = 6144
MOST_BYTES = 32768  # where no limit is told
TRIED = 5  # steps of a teacher that tell its speed
EPOCHS_MOST = 120  # of the last fit
FINAL_LEAST, FINAL_MOST = 120, 1500  # steps of the last fit, whatever the time and however few the frames
TEACHER_EPOCHS = 8  # that its time has to allow: many frames teach by themselves
TEACHER_LEAST = 0.8  # of the frames it learned from that a teacher has to know, to teach
SMALL = 12  # a side: such an array has as few readings as the other families take
TEACHER = 24, ((48, 2), (64, 1), (64, 2))
TEACHER_SHARE, SEARCH_SHARE, JUDGING_SHARE = 0.2, 0.35, 0.05  # of the time
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
    path: Path,
    options: ImageOptions,
    progress: Progress = lambda step, share: None,
    clock: Clock | None = None,
) -> tuple[Trained, Examples]:
    """Return a model trained on labelled frames, with its card, and examples of what it decides.

    Frames of one group are never split. Some groups are held out; a larger network, the teacher, is fitted to the
    others, where there is time for it; shapes within the limits compete on a fold of them, and the best goes on with
    all but those held out, which judge it.

    Args:
        clock: of the budget; by default one of the wall that starts here.
    Raises:
        InputError: something in the frames or the options has to change.
    """
    return _ImageTraining(path, options, progress, clock or Clock(options.budget_s)).run()


class _ImageTraining:
    """One training: what it is of, and the notes that come up on the way."""

    def __init__(self, path: Path, options: ImageOptions, progress: Progress, clock: Clock) -> None:
        self.path, self.options, self.progress = path, options, progress
        progress("reading the frames", 0.0)
        self.clock = clock
        self.set = read_labelled(path, size=options.size, grey=options.grey)
        self.classes = sorted(set(self.set.labels))
        self.y = np.array([self.classes.index(label) for label in self.set.labels])
        self.notes: list[str] = []
        self.rng = np.random.default_rng(options.seed)
        height, width = self.set.frames.shape[1:3]
        if max(height, width) <= SMALL:
            self.notes.append(
                f"{height} x {width} are few pixels: the other families know more in as many bytes, most from means of "
                "rows and columns: give these as a CSV, without --images"
            )
        self.ds = Dataset(
            options.name or path.stem,
            [],
            np.zeros((len(self.y), 0)),
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
        self.codes = self.frame.codes(self.set.frames).astype(np.uint8)
        self.augmentation = Augmentation(flip=options.flip)

    def run(self) -> tuple[Trained, Examples]:
        """Fit the teacher, choose a shape, fit it, judge it."""
        train = np.flatnonzero(self.split.train)
        fitted, held = self._fold()
        taught = self._teach(fitted)
        candidates = self._candidates()
        best = self._search(candidates, fitted, held, taught)
        assert best.learner is not None and best.margins is not None and best.correct is not None
        self.progress(f"fitting {best.shape}", self.clock.used())
        best.learner.give(self.codes[train], self.y[train], **self._taught(taught, train))
        tables = tables_of(best.learner.finish(self._steps(best, len(train))), self.frame, self.codes[train])
        unsure, _ = unsure_below(best.margins, best.correct, self.options.sure)
        model = self._model(tables, int(np.ceil(unsure * tables.margin_unit)))
        self.notes += self.clock.overrun()
        tried = [(c, c.accuracy) for c in candidates if c.accuracy is not None]
        if len(tried) < len(candidates):
            self.notes.append(
                f"the time was up after {len(tried)} of {len(candidates)} shapes: give it a larger --budget"
            )
        card = self._card(best, tried, model, tables)
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

    def _learner(self, shape: Shape, rows: np.ndarray, taught: np.ndarray | None) -> FrameLearner:
        rng = np.random.default_rng(self.options.seed)
        return FrameLearner(shape, self.codes[rows], self.y[rows], len(self.classes), rng, **self._taught(taught, rows))

    def _taught(self, taught: np.ndarray | None, rows: np.ndarray) -> dict[str, Any]:
        return {"teacher": None if taught is None else taught[rows], "augmentation": self.augmentation}

    def _teach(self, fitted: np.ndarray) -> np.ndarray | None:
        """Return the class shares of all frames by a larger network, where there is time for one and it knows them."""
        self.progress("fitting a larger network, the teacher", self.clock.used())
        learner = self._learner(Shape(*TEACHER, first_stride=self._strides()[0]), fitted, None)
        steps = max(STEPS_LEAST, TEACHER_EPOCHS * len(fitted) // BATCH)
        began = self.clock.now()
        learner.learn(TRIED)
        allowed = int(self.clock.left(TEACHER_SHARE) / ((self.clock.now() - began) / TRIED))
        if allowed < steps and steps > STEPS_LEAST:
            self.notes.append(
                f"no larger network taught this one: {len(fitted):,} frames would take it {TEACHER_EPOCHS} times as "
                "many seconds as a look at each: give a larger --budget"
            )
            return None
        learner.finish(min(max(allowed, steps), self._most(len(fitted))))
        told = shares(learner.layers, self.codes)
        known = float(np.mean(told[fitted].argmax(axis=1) == self.y[fitted]))
        return told if known >= TEACHER_LEAST else None

    def _strides(self) -> tuple[int, ...]:
        side = max(self.frame.shape[:2])
        return (1, 2) if side <= SMALL else (2, 3) if side <= 48 else (4, 3)

    def _candidates(self) -> list[Contender]:
        """Return shapes within the limits, with what each takes: as many as there is time to try."""
        limits = self.options.limits
        most = limits.max_bytes or MOST_BYTES
        shapes = shapes_within(most, self.frame.depth, len(self.classes), self._strides())
        needs = [(shape, *self._needs(shape)) for shape in shapes]
        within = [Contender(shape, size, work.instructions) for shape, size, work in needs if limits.hold(size, work)]
        if not within:
            least = min(size for _, size, _ in needs)
            raise InputError(f"expected a model within {limits}: the smallest takes {least:,} bytes")
        return within

    def _search(
        self, candidates: list[Contender], fitted: np.ndarray, held: np.ndarray, taught: np.ndarray | None
    ) -> Contender:
        until = self.clock.used() + SEARCH_SHARE
        return compete(
            candidates,
            lambda shape: self._learner(shape, fitted, taught),
            (self.codes[held], self.y[held]),
            lambda: self.clock.left(until),
            self.clock.now,
            lambda c: self.progress(f"trying {c.shape}, first stride {c.shape.first_stride}", self.clock.used()),
        )

    def _steps(self, best: Contender, rows: int) -> int:
        """Return how many steps there is time for, at the end."""
        allowed = self.clock.left(1 - JUDGING_SHARE) / best.step_s
        return int(np.clip(allowed, FINAL_LEAST, self._most(rows)))

    def _most(self, rows: int) -> int:
        return max(FINAL_MOST, EPOCHS_MOST * rows // BATCH)

    def _needs(self, shape: Shape) -> tuple[int, Estimate]:
        """Return what a model of a shape takes, by an untrained one: its bytes, and its estimate."""
        learner = FrameLearner(shape, self.codes[:8], self.y[:8], len(self.classes), np.random.default_rng(0))
        layers = learner.finish(1)
        model = self._model(tables_of(layers, self.frame, self.codes[:8]), 0)
        family = model.content.family
        assert isinstance(family, Maps)
        # Channels that tell nothing yet are left out of it.
        kept = sum(step.weights.size + UNIT_BYTES * len(step.biases) for step in family.steps)
        whole = sum(
            layer.weights.size + UNIT_BYTES * len(layer.biases)
            for layer in layers
            if layer.weights is not None and layer.biases is not None
        )
        size = len(model.blob) - kept + whole
        return size, estimate(model.content, size)

    def _model(self, tables: MapsTables, unsure: int) -> HostModel:
        return HostModel(export_maps(maps_spec(self.ds.name, self.classes, tables, unsure)))

    def _card(
        self, best: Contender, tried: list[tuple[Contender, float]], model: HostModel, tables: MapsTables
    ) -> dict[str, Any]:
        held = np.flatnonzero(self.split.test)
        decisions = model.decide(self.set.frames[held].reshape(len(held), -1))
        labels, groups = np.array(self.set.labels), np.array(self.set.groups)
        ends = interval(decisions.class_index == self.y[held], np.unique(groups[held], return_inverse=True)[1])
        names, counts = np.unique(labels, return_counts=True)
        work = estimate(model.content, len(model.blob))
        return {
            "made_by": f"dibble {__version__}, numpy {np.__version__}",
            "name": model.content.name,
            "model": {
                "file": MODEL_FILE,
                "family": "maps",
                "recipe": _recipe(best.shape),
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
                    "recipe": _recipe(c.shape),
                    "features": self.frame.size,
                    "bytes": c.bytes,
                    "accuracy": round(accuracy, 4),
                    "fits": True,
                    "on_front": all(other < accuracy or o.bytes >= c.bytes for o, other in tried if o is not c),
                    "chosen": c is best,
                    "instructions": c.instructions,
                }
                for c, accuracy in sorted(tried, key=lambda pair: -pair[1])
            ],
            "unsure": {
                "below_margin": model.content.unsure_below,
                "margin_unit": tables.margin_unit,
                "sure": self.options.sure,
            },
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


def _recipe(shape: Shape) -> str:
    return f"maps:{shape}, first /{shape.first_stride}"


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
