"""`dibble train --sound` with a network over the stream: trained on pieces of streams, judged on a stream of clips."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dibble import __version__
from dibble.inference.stream import TOGETHER

from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import Dataset
from dibble_tools.data.sound.augment import noisy
from dibble_tools.data.sound.clips import Clips
from dibble_tools.data.sound.compose import ClipRows, Composer, clip_rows
from dibble_tools.data.sound.segments import SoundSettings, rows_of, sound_channels
from dibble_tools.data.splits import Split, check_classes, split
from dibble_tools.families.stream.network import LayerShape, StreamNet, hops_seen, new_net
from dibble_tools.families.stream.tables import StreamLayer, StreamTables
from dibble_tools.families.stream.training import BATCH, FittedStream, fit, shapes_for
from dibble_tools.machines.replay import cost
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.encoding import sound_parts
from dibble_tools.model.hearing import ACTS, hear
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.model.metrics import evaluation, unsure_below
from dibble_tools.model.writer import ModelSpec, export
from dibble_tools.report.verdict import verdict_of
from dibble_tools.training.intervals import interval
from dibble_tools.training.result import Clock, Progress, Trained
from dibble_tools.training.sound_errors import OTHER, alarms_of, confused, hourly
from dibble_tools.training.sound_options import SoundOptions

FAMILY = "stream"
SMOOTHING = 0.05  # of the labels
TEACHER = 0.6  # how much of a target is the teacher's
OUTPUTS = 3  # that are learned of each piece: a word is to be known a little before and after, too
LISTEN_SHARE, FIT_SHARE = 0.15, 0.9  # of the budget: until copies are made; until it is trained
COPIES, COPIES_OF_ROUNDS = (2, 16), 4
VALIDATION = 0.07  # of the training groups: they tell from which margin on a decision counts
ALARM_SHARE = 0.001  # of the hops of other sounds: on so many something may be done, before what is held is asked for
ALARM_COPIES = 16  # of the few clips that this is told by: where one of five lasts, it is luck
ALARMS_SEEN = (0.01, 0.003)  # so many are seen at the margins that tell how they get fewer
TRIAL_STEPS, LEAST_STEPS = 4, 60
GOLDEN_ROWS = (40, 24, 16, 12, 8, 4, 2)  # as many as the limit has room for
BIAS_BYTES = 3
LEAST_WIDTH, USUAL_WIDTH, WIDEST = 8, 48, 160
WIDER = 1.1  # than fits, a network is in the beginning: wide enough to choose, hardly slower
GAP_S = 0.25  # between the clips of a stream that is judged
HUM = 20.0  # spread of the noise there
HYSTERESIS = 3  # scores in a row: some 0.15 s
LAG_ROWS = 2  # after a clip's end, when it is looked what was decided
NOISE_NAMES = ("_silence_", "_noise_", "_background_noise_")
NOISE_LEVELS_DB = (20, 10, 5)
GOOD_EPOCHS = 300
HELD_ROWS = 40


@dataclass(frozen=True)
class StreamJudgement:
    """What a model decided on clips in a stream: at the end of each; and what was true."""

    decisions: Decisions
    y: np.ndarray

    @property
    def correct(self) -> np.ndarray:
        """Which clips were decided right."""
        return self.decisions.class_index == self.y


class StreamTraining:
    """One training of a network over the stream."""

    def __init__(
        self, clips: Clips, options: SoundOptions, clock: Clock, progress: Progress, soft: np.ndarray | None = None
    ) -> None:
        """Listen to the clips.

        Args:
            soft: what a teacher takes each clip for (clips, classes); None: there is none.
        """
        self.clips, self.options, self.clock, self.progress, self.soft = clips, options, clock, progress, soft
        lengths = [len(clip.samples) / clips.rate_hz for clip in clips.clips]
        self.clip_s = float(np.median(lengths))
        self.sense = SoundSettings(options.sense(clips.rate_hz, self.clip_s).front_end)
        self.classes = clips.classes
        self.notes = list(clips.notes)
        self.rng = np.random.default_rng(options.seed)
        self.y = np.array([self.classes.index(clip.label) for clip in clips.clips])
        groups = np.array([clip.group for clip in clips.clips])
        self.ds = Dataset(
            options.name or clips.name,
            [channel.name for channel in sound_channels(self.sense)],
            np.zeros((len(self.y), 1)),
            np.array([clip.label for clip in clips.clips]),
            None,
            groups,
            np.arange(len(self.y)),
            self.notes,
            clips.sha256,
        )
        found = split(self.ds, test_groups=options.test_groups, seed=options.seed)
        self.split = Split(found.train, found.test, f"{found.how}; told apart {clips.grouped}")
        self.notes += check_classes(self.ds, self.split.train, self.split.test)
        names = np.unique(groups[self.split.train])
        kept = self.rng.permutation(names)[: max(round(VALIDATION * len(names)), 1)] if len(names) > 4 else names[:0]
        self.validated = np.flatnonzero(self.split.train & np.isin(groups, kept))
        self.learned = np.flatnonzero(self.split.train & ~np.isin(groups, kept))
        self.held = np.flatnonzero(self.split.test)
        self.noises = [
            *clips.background,
            *(clips.clips[i].samples for i in self.learned if clips.clips[i].label in NOISE_NAMES),
        ]

    def run(self, rows: ClipRows | None = None) -> Trained:
        """Fit a network that fits, and judge it.

        Args:
            rows: what `listen` returned; None: it listens now.
        """
        shapes = self._shapes()
        rows = rows or self.listen()
        fitted, epochs = self._fit(rows, shapes)
        model = HostModel(export(self._spec(fitted.tables, 0)))
        unsure = 0
        if len(self.validated):
            judged = self._judge(model, self.validated)
            margins = judged.decisions.margin
            unsure = int(np.ceil(unsure_below(margins, judged.correct, self.options.sure)[0]))
            unsure = max(unsure, self._quiet_from(model))
        model = self._with_golden(self._spec(fitted.tables, unsure), rows)
        model.cross_check(rows.of(int(self.learned[0])).astype(np.int64))
        self.progress("judging on the clips held out", self.clock.used())
        card = self._card(model, fitted, epochs, rows)
        said = verdict_of(card)
        return Trained(model, {**card, "verdict": said.to_json() if said else None}, self.notes)

    def listen(self) -> ClipRows:
        """Return the rows of the clips and of copies of them: the same for a network of any size."""

        def goes_on(copies: int) -> bool:
            self.progress(f"listening to copies of the clips: {copies}", self.clock.used())
            if self.options.rounds is not None:  # the same again, however fast a computer is
                return copies < COPIES_OF_ROUNDS
            return copies < COPIES[0] or (copies < COPIES[1] and self.clock.used() < LISTEN_SHARE)

        samples = [clip.samples for clip in self.clips.clips]
        return clip_rows(samples, self.y, self.sense.front_end, self.noises, self.rng, goes_on)

    def _shapes(self) -> list[LayerShape]:
        """Return a network to begin with: WIDER than the widest that fits, whose units that matter least then go."""
        width = LEAST_WIDTH
        if not self._fits(self._of_width(width)):
            raise InputError(
                f"expected room for a network over the stream, of 1,500 bytes or more, got "
                f"{self.options.limits.max_bytes}: allow more with --max-bytes, or take --family mlp, which decides on "
                "single sounds"
            )
        if self.options.limits.max_bytes is None:
            return self._of_width(USUAL_WIDTH)
        while width < WIDEST and self._fits(self._of_width(width + TOGETHER)):
            width += TOGETHER
        return self._of_width(min(math.ceil(WIDER * width / TOGETHER) * TOGETHER, WIDEST))

    def _of_width(self, width: int) -> list[LayerShape]:
        front_end = self.sense.front_end
        return shapes_for(len(self.classes), width, front_end.hop / front_end.rate_hz, clip_s=self.clip_s)

    def _fits(self, shapes: Sequence[LayerShape]) -> bool:
        """Return whether a network is within the limit, whatever its weights."""
        most = self.options.limits.max_bytes
        return most is None or len(export(self._spec(_blank(self.sense.front_end.bands, shapes), 0))) <= most

    def _fit(self, rows: ClipRows, shapes: list[LayerShape]) -> tuple[FittedStream, float]:
        targets = np.full((len(self.y), len(self.classes)), SMOOTHING / len(self.classes), np.float32)
        targets[np.arange(len(self.y)), self.y] += 1 - SMOOTHING
        if self.soft is not None:
            targets = ((1 - TEACHER) * targets + TEACHER * self.soft).astype(np.float32)
        idle = np.array([name.startswith(OTHER) for name in self.classes])[self.y]
        composer = Composer(rows, self.learned, hops_seen(shapes, OUTPUTS), self.rng, idle)
        size = min(BATCH, len(self.learned))
        order = np.zeros(0, np.int64)
        counts = np.bincount(self.y[self.learned], minlength=len(self.classes))
        weights = (1 / np.maximum(counts, 1))[self.y[self.learned]]

        def batch() -> tuple[np.ndarray, np.ndarray]:
            nonlocal order
            if len(order) < size:
                # Each class as often: rare ones are repeated.
                order = self.rng.choice(self.learned, len(self.learned), p=weights / weights.sum())
            some, order = order[:size], order[size:]
            return composer.pieces(some), targets[some]

        middle = float(np.round(rows.codes[0].mean()))
        rounds = self.options.rounds
        steps = self._steps(batch, shapes, middle) if rounds is None else -(-rounds * len(self.learned) // size)
        epochs = steps * size / len(self.learned)

        def told(share: float, loss: float) -> None:
            self.progress(f"training {epochs:.0f} rounds, {share:.0%} done, loss {loss:.3f}", self.clock.used())

        fitted = fit(self.sense.front_end.bands, shapes, batch, steps, middle, self.rng, told, self._fits)
        if epochs < GOOD_EPOCHS:
            longer = self.clock.budget_s * self.clock.used() * GOOD_EPOCHS / epochs
            budget = f"{longer / 60:.0f}m" if longer >= 120 else f"{longer:.0f}s"
            self.notes.append(
                f"trained {epochs:.0f} rounds through the clips: networks like this gained points up to {GOOD_EPOCHS}; "
                f"on this computer that is about --budget {budget}"
            )
        return fitted, epochs

    def _steps(self, batch: Any, shapes: list[LayerShape], middle: float) -> int:
        """Return how many steps there is time for, told by a few of them."""
        begin = self.clock.now()
        fit(self.sense.front_end.bands, shapes, batch, TRIAL_STEPS, middle, np.random.default_rng(0), fits=self._fits)
        each = (self.clock.now() - begin) / (TRIAL_STEPS + 30)  # units are weighed, norms settle, too
        steps = int(self.clock.left(FIT_SHARE) / max(each, 1e-4))
        digits = 10 ** max(len(str(steps)) - 2, 0)  # two of them: the same again, most often
        return max(steps // digits * digits, LEAST_STEPS)

    def _spec(self, tables: StreamTables, unsure: int) -> ModelSpec:
        return ModelSpec(
            self.options.name or self.clips.name,
            sound_channels(self.sense),
            self.classes,
            tables,
            unsure_below=unsure,
            hysteresis=self.options.hysteresis or HYSTERESIS,
            parts=sound_parts(self.sense),
        )

    def _quiet_from(self, model: HostModel) -> int:
        """Return the margin from which on hardly ever something would be done about other sounds: 0 without such."""
        idle = [i for i in self.validated if self.clips.clips[i].label.startswith(OTHER)]
        if not idle:
            return 0
        samples = [self.clips.clips[i].samples for i in idle]
        rng = np.random.default_rng(self.options.seed + 2)
        rows = clip_rows(
            samples, self.y[idle], self.sense.front_end, self.noises, rng, lambda copies: copies < ALARM_COPIES
        )
        decided = model.decide(np.concatenate(rows.codes).astype(np.int64))
        does = np.array([*(not name.startswith(OTHER) for name in self.classes), False])
        acts = does[np.minimum(decided.class_index, len(self.classes))]
        return margin_of(np.where(acts, decided.margin, -1))

    def _with_golden(self, spec: ModelSpec, rows: ClipRows) -> HostModel:
        own = rows.of(int(self.learned[np.argmax(self.y[self.learned] == len(self.classes) - 1)]))
        most = self.options.limits.max_bytes
        for count in GOLDEN_ROWS:
            blob = export(spec, own[:count].astype(int).tolist())
            if most is None or len(blob) <= most:
                break
        else:
            blob = export(spec)
        return HostModel(blob)

    def _judge(self, model: HostModel, clips: np.ndarray, decibels: float | None = None) -> StreamJudgement:
        """Return what is decided at the end of each clip of a stream: all of them in a random order, with pauses."""
        rng = np.random.default_rng(self.options.seed + 1)
        order = rng.permutation(clips)
        samples = [self.heard(int(i), decibels, rng) for i in order]
        return judge_stream(model, samples, self.y[order], rng)

    def heard(self, clip: int, decibels: float | None, rng: np.random.Generator) -> np.ndarray:
        """Return a clip's samples, in noise that is so much below it."""
        samples = self.clips.clips[clip].samples
        return samples if decibels is None else noisy(samples, self.clips.background, decibels, rng)

    def _card(self, model: HostModel, fitted: FittedStream, epochs: float, rows: ClipRows) -> dict[str, Any]:
        labels = self.ds.labels
        assert labels is not None
        judged = self._judge(model, self.held)
        names, counts = np.unique(labels, return_counts=True)
        price = cost(model, rows.of(int(self.learned[0]))[:HELD_ROWS].astype(np.int64))
        recipe = recipe_of(fitted.net.shapes)
        groups = self.ds.groups
        assert groups is not None
        order = np.random.default_rng(self.options.seed + 1).permutation(self.held)
        ends = interval(judged.correct, np.unique(groups[order], return_inverse=True)[1])
        f = self.sense.front_end
        right = float(judged.correct.mean())
        return {
            "made_by": f"dibble {__version__}, numpy {np.__version__}",
            "name": model.content.name,
            "model": {
                "file": MODEL_FILE,
                "family": FAMILY,
                "recipe": recipe,
                "bytes": len(model.blob),
                "sha256": hashlib.sha256(model.blob).hexdigest(),
                "golden_vectors": len(model.content.golden),
                "instructions": price.instructions,
            },
            "data": {
                "file": self.clips.name,
                "sha256": self.clips.sha256,
                "rows": len(self.y),
                "label": "folder",
                "group": self.clips.grouped,
                "rows_of_each_class": {str(n): int(c) for n, c in zip(names, counts, strict=True)},
            },
            "split": {
                "how": self.split.how,
                "train_rows": len(self.learned),
                "test_rows": len(self.held),
                "scored_rows": len(self.held),
            },
            "refit": None,
            "options": {"seed": self.options.seed, "budget_s": self.options.budget_s, "rounds": round(epochs)},
            "limits": {"max_bytes": self.options.limits.max_bytes},
            "front": [
                {
                    "family": FAMILY,
                    "recipe": recipe,
                    "features": f.bands,
                    "bytes": len(model.blob),
                    "accuracy": round(right, 4),
                    "fits": True,
                    "on_front": True,
                    "chosen": True,
                    "instructions": None,
                }
            ],
            "unsure": {"below_margin": model.content.unsure_below, "sure": self.options.sure},
            "held_out": {
                "integer_model": {
                    "what": "what the node has decided at the end of each clip, of all of them one after the other",
                    **evaluation(labels[order], judged.decisions, model.classes),
                    "interval": None if ends is None else [round(end, 4) for end in ends],
                },
                "float_network": {"accuracy": round(self._float_accuracy(fitted, order, rows), 4)},
            },
            "sound": {
                "rate_hz": f.rate_hz,
                "frame": f.size,
                "hop": f.hop,
                "bands": f.bands,
                "gate": None,
                "clips": len(self.held),
                "heard": 1.0,
                "right": round(right, 4),
                "confused": confused(judged.decisions.class_index, judged.y, self.classes),
                "alarms": alarms_of(judged.decisions, judged.y, self.classes),
                "noise": [self._in_noise(model, decibels) for decibels in NOISE_LEVELS_DB],
                "stream": self._alarms(model),
                "spectrograms": self._spectrograms(judged, order, rows),
            },
            "notes": self.notes,
        }

    def _spectrograms(self, judged: StreamJudgement, order: np.ndarray, rows: ClipRows) -> list[dict[str, Any]]:
        """Return clips of the two classes that are taken for each other most: the surest of each, one taken wrong."""
        pairs = confused(judged.decisions.class_index, judged.y, self.classes)
        if not pairs:
            return []
        a, b = (self.classes.index(pairs[0][end]) for end in ("a", "b"))
        decided, margin = judged.decisions.class_index, judged.decisions.margin
        wrong = ((judged.y == a) & (decided == b)) | ((judged.y == b) & (decided == a))
        found = []
        for some in ((judged.y == a) & (decided == a), wrong, (judged.y == b) & (decided == b)):
            if some.any():
                i = int(np.argmax(np.where(some, margin, -1)))
                taken = "" if not wrong[i] else f" taken for {self.classes[decided[i]]}"
                codes = [bytes(row).hex() for row in rows.of(int(order[i]))]
                found.append(
                    {"name": self.classes[judged.y[i]] + taken, "clip": self.clips.clips[order[i]].path, "rows": codes}
                )
        return found

    def _float_accuracy(self, fitted: FittedStream, order: np.ndarray, rows: ClipRows) -> float:
        """Return how often the float network is right on the same stream."""
        shapes = fitted.net.shapes
        rng = np.random.default_rng(self.options.seed + 1)
        rng.permutation(self.held)
        stream, places = stream_of([self.clips.clips[i].samples for i in order], self.sense, rng)
        hops = hops_seen(shapes)
        right = 0
        for some in np.array_split(np.arange(len(order)), max(len(order) // BATCH, 1)):
            ends = np.maximum(places[some], hops - 1)
            pieces = stream[ends[None, :] - np.arange(hops)[::-1, None]].astype(np.float32)
            right += int((fitted.float_scores(pieces).argmax(axis=1) == self.y[order[some]]).sum())
        return right / len(order)

    def _in_noise(self, model: HostModel, decibels: float) -> dict[str, float]:
        self.progress(f"listening to the clips held out in noise, {decibels} dB", self.clock.used())
        right = self._judge(model, self.held, decibels).correct
        return {"db": decibels, "right": round(float(right.mean()), 4), "heard": 1.0}

    def _alarms(self, model: HostModel) -> dict[str, Any] | None:
        """Return how often something is done where nothing should be: clips of other sounds held out, and noise."""
        idle = [i for i in self.held if self.clips.clips[i].label.startswith(OTHER)]
        quiet = [*(self.clips.clips[i].samples for i in idle), *self.clips.background]
        if not quiet:
            return None
        samples = np.concatenate(quiet)
        alarms = sum(h.fate == ACTS for h in hear(model, samples))
        hours = len(samples) / self.sense.front_end.rate_hz / 3600
        return {"hours": round(hours, 4), "alarms": alarms, **hourly(alarms, hours)}


def stream_of(clips: list[np.ndarray], sense: SoundSettings, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows of clips one after the other with pauses between; the row at which each is to be known)."""
    front_end = sense.front_end
    gap = int(GAP_S * front_end.rate_hz)
    parts, ends, at = [], [], 0
    for clip in [*clips, np.zeros(front_end.size * 2, np.int16)]:
        parts += [np.rint(HUM * rng.normal(size=gap)).astype(np.int16), clip]
        at += gap + len(clip)
        ends.append(at)
    rows = rows_of(np.concatenate(parts), front_end)
    places = (np.array(ends[:-1]) - front_end.size) // front_end.hop + LAG_ROWS
    return rows, np.clip(places, 0, len(rows) - 1)


def judge_stream(model: HostModel, clips: list[np.ndarray], y: np.ndarray, rng: np.random.Generator) -> StreamJudgement:
    """Return what a model decides on clips, int16 at its own rate, that follow each other."""
    sense = model.content.sound
    assert sense is not None
    rows, places = stream_of(clips, sense, rng)
    decided = model.decide(rows.astype(np.int64))
    return StreamJudgement(Decisions(*decided.columns()[places].T), y)


def margin_of(alarms: np.ndarray) -> int:
    """Return the margin that about ALARM_SHARE of all hops reach, 0 where hardly any acts.

    The last hops in a thousand are those of a clip or two. Shares that are seen on more tell the rest: they fall as an
    exponential does.

    Args:
        alarms: of hops of sounds on which nothing should be done, their margin where something would; else -1.
    """
    ordered = np.sort(alarms)
    more, few = (max(int(ordered[-1 - int(share * len(ordered))]), 0) for share in ALARMS_SEEN)
    each = (few - more) / np.log(ALARMS_SEEN[0] / ALARMS_SEEN[1])
    return int(np.ceil(few + each * np.log(ALARMS_SEEN[1] / ALARM_SHARE))) + 1 if few else 0


def recipe_of(shapes: list[LayerShape]) -> str:
    """Return a network's name, for people."""
    parts = []
    for shape in shapes:
        taps = f"x{shape.taps}" if shape.taps > 1 else ""
        stride = f"/{shape.stride}" if shape.stride > 1 else ""
        kind = {"full": "", "depthwise": "dw ", "mean": "mean "}[shape.kind]
        parts.append(kind + (taps[1:] if shape.kind in ("mean", "depthwise") else f"{shape.units}{taps}{stride}"))
    return "stream: " + ", ".join(parts)


def _blank(bands: int, shapes: Sequence[LayerShape]) -> StreamTables:
    """Return tables as large as fitted ones."""
    net: StreamNet = new_net(bands, shapes, np.random.default_rng(0))
    layers = []
    for shape, layer in zip(shapes, net.layers, strict=True):
        if layer is None:
            layers.append(StreamLayer(shape))
            continue
        size = (shape.units, *layer.weights.shape[:-1])
        shifts = (9,) * shape.units
        layers.append(StreamLayer(shape, np.zeros(size, np.int64), (1 << 7 * BIAS_BYTES - 2,) * shape.units, shifts))
    return StreamTables(bands, tuple(layers))
