"""Training on single sounds: clips -> a network on what was heard of each, and its card."""

import hashlib
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from dibble import __version__
from dibble.inference.decision import NO_CLASS

from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import Dataset
from dibble_tools.data.sound.augment import copy_of, noisy
from dibble_tools.data.sound.clips import Clips
from dibble_tools.data.sound.segments import SoundSettings, sound_channels
from dibble_tools.data.splits import Split, check_classes, folds, split
from dibble_tools.families.mlp.tables import MlpTables
from dibble_tools.families.mlp.training import MlpRecipe, fit_codes
from dibble_tools.machines.replay import cost
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.encoding import sound_parts
from dibble_tools.model.hearing import ACTS, decide_clips, features_of_clips, hear
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.model.limits import estimate
from dibble_tools.model.metrics import evaluation, unsure_below
from dibble_tools.model.writer import ModelSpec, export
from dibble_tools.report.verdict import verdict_of
from dibble_tools.training.card import REFIT
from dibble_tools.training.intervals import interval
from dibble_tools.training.result import Clock, Progress, Trained
from dibble_tools.training.sound_errors import OTHER, alarms_of, confused, hourly
from dibble_tools.training.sound_options import SoundOptions

ROWS_WANTED = 6000  # of training, copies included
COPIES = (2, 12)  # of a clip, at least and at most
# Networks in the order of trying, as time may end it: where clips are few the simplest come first.
HIDDEN: tuple[tuple[int, ...], ...] = ((), (12,), (20,), (32,), (48,))
HIDDEN_MANY: tuple[tuple[int, ...], ...] = ((20,), (32,), (12,), (48,), ())
MANY_CLIPS = 400
FORMS = ("dense8", "codebook4")
DECAYS = (0.1, 0.01)
SMOOTHING = 0.1  # of the labels: nobody is ever all sure
FOLDS = 3
SHARE_QUICK, SHARE_LAST = 0.5, 1.5  # how long is trained, compared to a network of readings
LARGEST = (4, 2, 1, 0)  # golden vectors
NOISE_LEVELS_DB = (20, 10, 5)
SEARCH_SHARE = 0.7
TAKES_LEAST, TAKES_GOOD = 3, 5
HELD_SAMPLES = 4


@dataclass(frozen=True)
class SoundRecipe:
    """A network to try."""

    network: MlpRecipe
    decay: float

    def __str__(self) -> str:
        units = "-".join(map(str, self.network.hidden)) or "linear"
        return f"mlp:{units}, {self.network.form}, decay {self.decay:g}"


@dataclass(frozen=True)
class SoundRows:
    """Clips as features: of each clip itself first, then of its copies.

    Attributes:
        values, heard: (1 + copies, clips, features) and (1 + copies, clips).
        y: class of each clip.
    """

    values: np.ndarray
    heard: np.ndarray
    y: np.ndarray

    def training(self, clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (codes, classes) of some clips and their copies, in which there is a sound."""
        heard = self.heard[:, clips]
        return self.values[:, clips][heard], np.broadcast_to(self.y[clips], heard.shape)[heard]


@dataclass(frozen=True)
class SoundCandidate:
    """A recipe, and what its networks decided on clips that they hadn't learned from.

    Attributes:
        margins, decided: of every clip; -1 of one that was learned from, or in which nothing is heard.
        told: the clips on which something was decided.
    """

    recipe: SoundRecipe
    accuracy: float
    bytes: int
    margins: np.ndarray
    decided: np.ndarray
    told: np.ndarray


class SingleSounds:
    """One training of a model on single sounds: what it is of, and the notes that come up on the way."""

    def __init__(
        self, clips: Clips, sense: SoundSettings, options: SoundOptions, clock: Clock, progress: Progress
    ) -> None:
        self.clips, self.sense, self.options, self.clock, self.progress = clips, sense, options, clock, progress
        self.classes = clips.classes
        self.notes = list(clips.notes)
        self.rng = np.random.default_rng(options.seed)
        y = np.array([self.classes.index(clip.label) for clip in clips.clips])
        takes = _takes(y) if options.own else np.array([clip.group for clip in clips.clips])
        copies = int(np.clip(ROWS_WANTED // len(y), *COPIES))
        self.rows = self._listen(y, copies)
        self.ds = Dataset(
            options.name or clips.name,
            [channel.name for channel in sound_channels(sense)],
            self.rows.values[0].astype(float),
            np.array([clip.label for clip in clips.clips]),
            None,
            takes,
            np.arange(len(y)),
            self.notes,
            clips.sha256,
        )
        self.split = self._split()
        self.notes += self._check_takes(y) if options.own else check_classes(self.ds, self.split.train, self.split.test)
        self._note_unheard()

    def run(self) -> Trained:
        """Choose a recipe, fit it, judge it, fit it again on all clips."""
        clips = np.flatnonzero(self.split.train)
        candidates = self._search(clips)
        if not candidates:
            raise InputError(
                f"expected a model within {self.options.limits}: the smallest takes more: fewer bands, rows or classes"
            )
        best = max(candidates, key=lambda c: (round(c.accuracy, 3), -c.bytes))
        if self.options.own and len(candidates) > 1:
            self.notes.append(
                f"{best.recipe} is the best of {len(candidates)} recipes on the same clips that its accuracy is of, as "
                "few takes allow: expect somewhat less of sounds to come"
            )
        correct = best.decided[best.told] == self.rows.y[best.told]
        unsure, _ = unsure_below(best.margins[best.told], correct, self.options.sure)
        self.progress(f"fitting {best.recipe}", self.clock.used())
        judged = self._model(best.recipe, clips, unsure)
        shipped = judged
        if self.options.refit and self.split.test.any():
            self.progress("fitting it again, on the clips held out too", self.clock.used())
            shipped = self._model(best.recipe, np.arange(len(self.rows.y)), unsure)
            self.notes.append(
                f"the model learned from all {len(self.rows.y)} clips; what is said of its accuracy was measured on "
                "the same recipe fitted without those held out (--no-refit ships that one)"
            )
        self.progress("judging on the clips held out", self.clock.used())
        card = self._card(best, candidates, judged, shipped)
        said = verdict_of(card)
        return Trained(shipped, {**card, "verdict": said.to_json() if said else None}, self.notes)

    def _listen(self, y: np.ndarray, copies: int) -> SoundRows:
        parts = [features_of_clips([clip.samples for clip in self.clips.clips], self.sense)]
        for i in range(copies):
            self.progress(f"listening to copies of the clips: {i + 1} of {copies}", self.clock.used())
            made = [copy_of(clip.samples, self.clips.background, self.rng) for clip in self.clips.clips]
            parts.append(features_of_clips(made, self.sense))
        values, heard = (np.stack(part) for part in zip(*parts, strict=True))
        return SoundRows(values, heard, y)

    def _split(self) -> Split:
        if self.options.own:
            nothing = np.zeros(len(self.rows.y), bool)
            return Split(~nothing, nothing, "each take of every sound left out in turn")
        found = split(self.ds, test_groups=self.options.test_groups, seed=self.options.seed)
        return Split(found.train, found.test, f"{found.how}; told apart {self.clips.grouped}")

    def _check_takes(self, y: np.ndarray) -> list[str]:
        counts = np.bincount(y, minlength=len(self.classes))
        few = int(counts.argmin())
        if counts[few] < TAKES_LEAST:
            raise InputError(
                f"{self.clips.name}: expected at least {TAKES_LEAST} takes of each sound, got {counts[few]} of "
                f"{self.classes[few]!r}: record more"
            )
        if counts[few] < TAKES_GOOD:
            return [
                f"{counts[few]} takes of {self.classes[few]!r}: {TAKES_GOOD} of each sound are better, 10 better still"
            ]
        return []

    def _note_unheard(self) -> None:
        for k, name in enumerate(self.classes):
            missed = int((~self.rows.heard[0][self.rows.y == k]).sum())
            if missed and not name.startswith(OTHER):
                first = next(
                    clip.path
                    for clip, heard in zip(self.clips.clips, self.rows.heard[0], strict=True)
                    if clip.label == name and not heard
                )
                self.notes.append(
                    f"class {name!r}: in {missed} of its clips nothing is louder than the rest, such as {first}: "
                    "they count as missed"
                )

    def _parts(self, clips: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        if self.options.own:
            takes = np.unique(self.ds.groups)  # type: ignore[arg-type]
            return [(np.flatnonzero(self.ds.groups != take), np.flatnonzero(self.ds.groups == take)) for take in takes]
        return folds(self.ds, self.split.train, FOLDS, self.options.seed)

    def _search(self, clips: np.ndarray) -> list[SoundCandidate]:
        parts = self._parts(clips)
        found: list[SoundCandidate] = []
        orders: tuple[tuple[Any, ...], ...] = (HIDDEN, FORMS, DECAYS)
        if len(self.rows.y) >= MANY_CLIPS:
            orders = (HIDDEN_MANY, FORMS[::-1], DECAYS[::-1])
        recipes = [SoundRecipe(MlpRecipe(h, form=f), d) for h, f, d in product(*orders)]
        for i, recipe in enumerate(recipes):
            if found and self.clock.used() > SEARCH_SHARE:
                self.notes.append(f"there was time for {i} of {len(recipes)} recipes: allow more than --budget")
                break
            top = max(found, key=lambda c: c.accuracy, default=None)
            now = "" if top is None else f", best so far {100 * top.accuracy:.1f} % in {top.bytes} bytes"
            self.progress(f"cross-validating recipes: {i} of {len(recipes)}{now}", self.clock.used())
            candidate = self._try(recipe, parts)
            if candidate is not None:
                found.append(candidate)
        return found

    def _try(self, recipe: SoundRecipe, parts: list[tuple[np.ndarray, np.ndarray]]) -> SoundCandidate | None:
        """Return what a recipe comes to on clips that it hasn't learned from; None where it is too large."""
        decided = np.full(len(self.rows.y), -1)
        margins = np.full(len(self.rows.y), -1)
        size = 0
        for learn, judge in parts:
            tables = self._fit(recipe, learn, SHARE_QUICK)
            if not size:
                size = len(export(self._spec(tables, 0)))
                if self.options.limits.max_bytes is not None and size > self.options.limits.max_bytes:
                    return None
            scores = tables.scores(self.rows.values[0][judge], [255] * self.sense.features)
            top = np.sort(scores, axis=1)
            decided[judge] = scores.argmax(axis=1)
            margins[judge] = top[:, -1] - top[:, -2]
        judged = np.concatenate([judge for _, judge in parts])
        decided[~self.rows.heard[0]] = -1
        correct = self._right(decided, self.rows.heard[0])
        told = judged[self.rows.heard[0][judged]]
        return SoundCandidate(recipe, float(correct[judged].mean()), size, margins, decided, told)

    def _right(self, decided: np.ndarray, heard: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """Return which clips are decided right: one in which nothing is heard, if nothing is to be done about it."""
        y = self.rows.y if y is None else y
        idle = np.array([name.startswith(OTHER) for name in self.classes])
        return np.where(heard, decided == y, idle[y])

    def _fit(self, recipe: SoundRecipe, clips: np.ndarray, share: float) -> MlpTables:
        codes, y = self.rows.training(clips)
        targets = np.full((len(y), len(self.classes)), SMOOTHING / len(self.classes))
        targets[np.arange(len(y)), y] += 1 - SMOOTHING
        counts = np.bincount(y, minlength=len(self.classes))
        weights = (1 / np.maximum(counts, 1))[y]
        return fit_codes(codes, targets, weights, recipe.network, self.options.seed, share=share, decay=recipe.decay)

    def _spec(self, tables: MlpTables, unsure: int) -> ModelSpec:
        return ModelSpec(
            self.options.name or self.clips.name,
            sound_channels(self.sense),
            self.classes,
            tables,
            unsure_below=unsure,
            hysteresis=self.options.hysteresis or 1,
            parts=sound_parts(self.sense),
        )

    def _model(self, recipe: SoundRecipe, clips: np.ndarray, unsure: float) -> HostModel:
        """Return the model of a recipe fitted on some clips, with as many golden vectors as the limit has room for."""
        tables = self._fit(recipe, clips, SHARE_LAST)
        spec = self._spec(tables, int(np.ceil(unsure)))
        golden = self._golden(clips)
        for count in LARGEST:
            model = HostModel(export(spec, golden[:count]))
            if self.options.limits.hold(len(model.blob), estimate(model.content, len(model.blob))) or not count:
                break
        model.cross_check(self.rows.values[0][clips][self.rows.heard[0][clips]])
        return model

    def _golden(self, clips: np.ndarray) -> list[list[int]]:
        """Return the features of a clip of each of some classes."""
        heard = clips[self.rows.heard[0][clips]]
        first = {int(self.rows.y[i]): int(i) for i in heard[::-1]}
        return [self.rows.values[0][i].tolist() for i in list(first.values())[: max(LARGEST)]]

    def _card(
        self, best: SoundCandidate, candidates: list[SoundCandidate], judged: HostModel, shipped: HostModel
    ) -> dict[str, Any]:
        labels = self.ds.labels
        assert labels is not None
        held = np.flatnonzero(self.split.test)
        values, heard, y = self.rows.values[0], self.rows.heard[0], self.rows.y
        if self.options.own:
            held = np.arange(len(y))
            decisions = _decided(best)
        else:
            decisions = decide_clips(judged, values[held], heard[held])
        decisions = self._as_done(decisions, heard[held], y[held])
        correct = self._right(decisions.class_index, heard[held], y[held])
        names, counts = np.unique(labels, return_counts=True)
        front = [
            {
                "family": "mlp",
                "recipe": str(c.recipe),
                "features": self.sense.features,
                "bytes": c.bytes,
                "accuracy": round(c.accuracy, 4),
                "fits": True,
                "on_front": all(o.accuracy < c.accuracy or o.bytes >= c.bytes for o in candidates if o is not c),
                "chosen": c is best,
                "instructions": None,
            }
            for c in sorted(candidates, key=lambda c: -c.accuracy)
        ]
        price = cost(shipped, values[heard][:HELD_SAMPLES])
        groups = self.ds.groups
        assert groups is not None
        ends = interval(correct, np.unique(groups[held], return_inverse=True)[1])
        return {
            "made_by": f"dibble {__version__}, numpy {np.__version__}",
            "name": shipped.content.name,
            "model": {
                "file": MODEL_FILE,
                "family": "mlp",
                "recipe": str(best.recipe),
                "bytes": len(shipped.blob),
                "sha256": hashlib.sha256(shipped.blob).hexdigest(),
                "golden_vectors": len(shipped.content.golden),
                "instructions": price.instructions,
            },
            "data": {
                "file": self.clips.name,
                "sha256": self.clips.sha256,
                "rows": len(y),
                "label": "folder",
                "group": self.clips.grouped,
                "rows_of_each_class": {str(n): int(c) for n, c in zip(names, counts, strict=True)},
            },
            "split": {
                "how": self.split.how,
                "train_rows": int(self.split.train.sum()),
                "test_rows": int(self.split.test.sum()),
                "scored_rows": len(held),
            },
            "refit": None if shipped is judged else {"rows": len(y), "accuracy_of": REFIT},
            "options": {"seed": self.options.seed, "budget_s": self.options.budget_s},
            "limits": {"max_bytes": self.options.limits.max_bytes},
            "front": front,
            "unsure": {"below_margin": shipped.content.unsure_below, "sure": self.options.sure},
            "held_out": {
                "integer_model": {
                    "what": "what the node decides on the loudest sound of each clip; where it hears none, that "
                    "nothing is done",
                    **evaluation(labels[held], decisions, judged.classes),
                    "interval": None if ends is None else [round(end, 4) for end in ends],
                    "unheard": {
                        name: int((~heard[held] & (y[held] == k)).sum()) for k, name in enumerate(self.classes)
                    },
                }
            },
            "sound": self._sound_page(judged, held, decisions, correct),
            "notes": self.notes,
        }

    def _as_done(self, decisions: Decisions, heard: np.ndarray, y: np.ndarray) -> Decisions:
        """Return the decisions, where nothing is heard as what is done then: nothing, as of the classes of others."""
        idle = [k for k, name in enumerate(self.classes) if name.startswith(OTHER)]
        if not idle:
            return decisions
        index = np.where(heard, decisions.class_index, np.where(np.isin(y, idle), y, idle[0]))
        return replace(decisions, class_index=index)

    def _sound_page(
        self, judged: HostModel, held: np.ndarray, decisions: Decisions, correct: np.ndarray
    ) -> dict[str, Any]:
        """Return what is particular to sounds: noise, false alarms against misses, which are taken for each other."""
        heard, y = self.rows.heard[0][held], self.rows.y[held]
        f = self.sense.front_end
        page: dict[str, Any] = {
            "rate_hz": f.rate_hz,
            "frame": f.size,
            "hop": f.hop,
            "bands": f.bands,
            "gate": self.options.gate._asdict(),
            "clips": len(held),
            "heard": round(float(heard.mean()), 4),
            "right": round(float(correct.mean()), 4),
            "confused": confused(decisions.class_index, y, self.classes),
            "alarms": alarms_of(decisions, y, self.classes),
        }
        if not self.options.own:
            page["noise"] = [self._in_noise(judged, held, decibels) for decibels in NOISE_LEVELS_DB]
            page["stream"] = self._stream(judged, held)
        return page

    def _in_noise(self, judged: HostModel, held: np.ndarray, decibels: float) -> dict[str, float]:
        self.progress(f"listening to the clips held out in noise, {decibels} dB", self.clock.used())
        made = [noisy(self.clips.clips[i].samples, self.clips.background, decibels, self.rng) for i in held]
        values, heard = features_of_clips(made, self.sense)
        decided = decide_clips(judged, values, heard).class_index
        right = self._right(decided, heard, self.rows.y[held])
        return {"db": decibels, "right": round(float(right.mean()), 4), "heard": round(float(heard.mean()), 4)}

    def _stream(self, judged: HostModel, held: np.ndarray) -> dict[str, Any] | None:
        """Return how often something is done where nothing should be: clips held out one after the other, and noise."""
        idle = [i for i in held if self.clips.clips[i].label.startswith(OTHER)]
        quiet = [*(self.clips.clips[i].samples for i in idle), *self.clips.background]
        if not quiet:
            return None
        samples = np.concatenate(quiet)
        alarms = sum(h.fate == ACTS for h in hear(judged, samples))
        hours = len(samples) / self.sense.front_end.rate_hz / 3600
        return {"hours": round(hours, 4), "alarms": alarms, **hourly(alarms, hours)}


def _takes(y: np.ndarray) -> np.ndarray:
    """Return of each clip which one of its class it is, as text: the first, the second ..."""
    seen: dict[int, int] = {}
    found = []
    for k in y.tolist():
        found.append(f"take {seen.get(k, 0) + 1}")
        seen[k] = seen.get(k, 0) + 1
    return np.array(found)


def _decided(best: SoundCandidate) -> Decisions:
    """Return what was decided on each clip by the network that hadn't learned from it."""
    index = np.where(best.decided < 0, NO_CLASS, best.decided)
    nothing = np.zeros(len(index), np.int64)
    return Decisions(index, np.maximum(best.margins, 0), nothing, nothing - 1, index)
