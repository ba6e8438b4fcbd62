"""A model that tells a number: the same students, taught how far a number lies from a middle.

Their targets are soft labels of two classes, below and above the middle: the share sigmoid(z) of the second where the
number lies z from the middle, by its own scale. Cross-entropy then has its least at the mean of that share, which is
nearly straight in z, so the score of the second class is a straight map of the number; the map is fitted afterwards.
Source: Papke and Wooldridge 1996, quasi-likelihood for shares.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from dibble import __version__
from dibble.inference.parts import NUMBER
from joblib import Parallel, delayed
from sklearn.ensemble import ExtraTreesRegressor

from dibble_tools.common.errors import InputError
from dibble_tools.common.quantities import MINUTES, duration_text
from dibble_tools.data.channels import Channel, steps_to_text, to_values
from dibble_tools.data.column_channels import find_channels
from dibble_tools.data.future import MINUTE_MS, parse_condition, time_name
from dibble_tools.data.prepare import Prepared, prepare
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.model.limits import estimate
from dibble_tools.model.metrics import number_figures
from dibble_tools.model.number import number_part, quantity
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.report.verdict import verdict_of
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.cross_validation import Task, rough_bytes
from dibble_tools.training.folds import SEARCH_ROWS, Learner, order_of
from dibble_tools.training.intervals import paired_error
from dibble_tools.training.naming import About
from dibble_tools.training.recipes import (
    FAMILIES,
    HALF,
    LADDERS,
    LEAST_STYLED,
    MLP,
    QUARTER,
    VOTING,
    Recipe,
    feature_counts,
    parse_recipe,
)
from dibble_tools.training.result import Clock, Progress, Trained, TrainOptions
from dibble_tools.training.students import Student, fit_student
from dibble_tools.training.training_set import TrainingSet

MOST_PAIRS = 400
TREES = 60
COVERAGE = 90  # percent of true numbers that the interval is to hold
TAIL = 0.01  # of the numbers, beyond which they are taken as at the end of the scale
STEEP = 2.5  # of z at the end of the scale: steps of the score are fine enough, and noise bends it little
PART_BYTES = 24  # that the part "number" takes beside its texts, at most about
GLANCE_SHARE, SEARCH_SHARE = 0.4, 0.75  # of the budget
WORSE = 1.03  # times the best's error over the same rounds: not worth the others
GOLDEN = ((8, True), (4, True), (2, True), (1, True), (1, False))


@dataclass(frozen=True)
class Scale:
    """From numbers to shares: `middle` is a half, `reach` further is sigmoid(STEEP)."""

    middle: float
    reach: float

    def targets(self, numbers: np.ndarray) -> np.ndarray:
        """Return soft labels (rows, 2) of numbers."""
        z = STEEP * np.clip((numbers - self.middle) / self.reach, -1.5, 1.5)
        share = 1 / (1 + np.exp(-z))
        return np.column_stack([1 - share, share])


@dataclass(frozen=True)
class Round:
    """One round of cross-validation: rows to learn from, rows to score, and what is learned from the former."""

    fit: np.ndarray
    score: np.ndarray
    training_set: TrainingSet
    order: list[int]


@dataclass(frozen=True)
class Tried:
    """A recipe, cross-validated.

    Attributes:
        rows: of the data set that were scored; said: what models said of them that hadn't learned from them.
        error: root mean square, in the target's unit.
        bytes: of the largest round's model file.
    """

    recipe: Recipe
    rows: np.ndarray
    said: np.ndarray
    error: float
    bytes: int
    fits: bool


@dataclass(frozen=True)
class Lesson:
    """All that rows, a scale and a target make of a data set."""

    learner: Learner
    numbers: np.ndarray
    scale: Scale
    channel: Channel

    @property
    def step(self) -> float:
        """What a step of the target is, in its unit."""
        return float(to_values(np.array(1), self.channel))

    def training_set(self, rows: np.ndarray) -> TrainingSet:
        """Return what students learn from of some rows."""
        data = self.learner.data
        targets = self.scale.targets(self.numbers[rows])
        weights = np.ones(len(rows), np.float64)
        return TrainingSet(data.values[rows], data.limits, data.lows, targets, self.learner.y[rows], weights)

    def round(self, fit: np.ndarray, score: np.ndarray) -> Round:
        """Return a round of cross-validation."""
        training_set = self.training_set(fit)
        return Round(fit, score, training_set, order_of(training_set))

    def some(self, each: Round) -> Round:
        """Return the same round learning from some of its rows, enough to tell recipes apart."""
        if len(each.fit) <= SEARCH_ROWS:
            return each
        few = np.sort(np.random.default_rng(0).permutation(each.fit)[:SEARCH_ROWS])
        return self.round(few, each.score)

    def straight(self, student: Student, blob: bytes, rows: np.ndarray) -> tuple[float, float]:
        """Return the number of a lead of 0 and what a lead of 1 adds: the line of least squares over some rows."""
        lead, y = self.lead(student, blob, rows), self.numbers[rows]
        if np.ptp(lead) == 0:
            return float(np.mean(y)), 1e-6 * self.step
        slope = float(np.cov(lead, y, bias=True)[0, 1] / np.var(lead))
        return float(np.mean(y) - slope * np.mean(lead)), max(slope, 1e-6 * self.step)

    def lead(self, student: Student, blob: bytes, rows: np.ndarray) -> np.ndarray:
        """Return by how much the second class leads, for some rows, as the model file's tables have it."""
        scores = class_scores(content_of(blob), self.learner.data.values[rows][:, list(student.columns)])
        return (scores[:, 1] - scores[:, 0]).astype(np.float64)


def train_number(path: Path, options: TrainOptions, progress: Progress = lambda step, share: None) -> Trained:
    """Return a model that tells the number of --target, with its card; see `train`."""
    clock = Clock(options.budget_s)
    _refuse(options)
    progress("reading the data", 0.0)
    data = prepare(path, options.data)
    lesson = _lesson(data, options)
    rows = np.flatnonzero(data.split.train & data.whole)
    held = np.flatnonzero(data.split.test & data.whole)
    progress("ranking the features", clock.used())
    parts = lesson.learner.parts(rows, 0, each_group=True)
    rounds = [lesson.round(rows[fit], rows[score]) for fit, score in parts]
    whole = lesson.training_set(rows)
    order = order_of(whole)
    about = _about(lesson, options, rows)
    tried = _search(lesson, rounds, about, order, options, clock, progress)
    progress("fitting the chosen student on all training rows", clock.used())
    best, student, model = _first_that_fits(tried, lesson, about, order, rows, options)
    model.cross_check(about.readings[:, about.kept(student.columns)], about.elapsed_ms)
    shipped = model
    if options.refit and len(held):
        shipped = _refit(best, lesson, options) or model
        if shipped is model:
            data.notes.append("trained again on all rows it would break a limit: the model is of the training rows")
    progress("judging on the rows held out", clock.used())
    card = _card(path, options, lesson, tried, best, model, shipped, rows, held, clock)
    said = verdict_of(card)
    return Trained(shipped, {**card, "verdict": said.to_json() if said else None}, data.notes)


def _refuse(options: TrainOptions) -> None:
    for name, given in (("--cost", options.costs), ("--novelty", options.novelty is not None)):
        if given:
            raise InputError(f"--target: expected no {name} beside it")
    if options.recipe and parse_recipe(options.recipe).kind == VOTING:
        raise InputError(
            f"--recipe {options.recipe}: expected mlp, additive or boosted: N trees that vote tell N + 1 numbers only; "
            "boosted is a forest whose leaves hold values"
        )


def _lesson(data: Prepared, options: TrainOptions) -> Lesson:
    y, target = data.ds.numbers, options.data.target
    assert y is not None
    channel = next((channel for channel in data.channels if channel.name == target), None)
    if options.data.until:
        when = parse_condition(options.data.until)
        channel = Channel(time_name(when), MINUTES, 1, 0, 0, options.data.ahead_ms // MINUTE_MS)
    if channel is None:
        assert target is not None
        alone = replace(data.ds, columns=[target], values=y[:, None])
        channel = find_channels(alone, [], data.split.train)[0][0]
    known = y[data.split.train & data.whole]
    middle = float(np.median(known))
    low, high = np.quantile(known, [TAIL, 1 - TAIL])
    scale = Scale(middle, max(high - middle, middle - low, float(np.ptp(known)) / 1000))
    learner = Learner(data, (y > middle).astype(int), 2, parse_costs([], ["a", "b"]), 0.0, 0, options.jobs)
    return Lesson(learner, y, scale, channel)


def _about(lesson: Lesson, options: TrainOptions, rows: np.ndarray) -> About:
    data = lesson.learner.data
    steps = round(lesson.scale.middle / lesson.step)
    middle = steps_to_text(steps, lesson.channel)
    return About(
        options.name or data.ds.name,
        data.channels,
        data.features,
        [f"in {duration_text(steps)}", f"after {duration_text(steps)}"]
        if options.data.until
        else [f"below {middle}", f"above {middle}"],
        data.interval_ms,
        data.readings[rows],
        None if data.elapsed_ms is None else data.elapsed_ms[rows],
    )


def _search(
    lesson: Lesson,
    rounds: Sequence[Round],
    about: About,
    order: Sequence[int],
    options: TrainOptions,
    clock: Clock,
    progress: Progress,
) -> list[Tried]:
    """Return the recipes cross-validated within the budget, best first: within the limits, by error, then by bytes.

    One round on some of its rows says which are worth all rounds; these are raced, the most promising first: one that
    is clearly worse than the best so far after some rounds is left there.
    """
    sizes = about.names_bytes(order)
    task = Task([], 2, len(order), lesson.learner.costs, options.limits, 0, about.smallest_blob, sizes)
    recipes = _recipes(task, options)
    glance = [lesson.some(rounds[0])]
    seen: list[Tried] = []
    tried: list[Tried] = []
    with Parallel(n_jobs=options.jobs) as parallel:

        def all_of(them: Sequence[Recipe], over: Sequence[Round], best: Tried | None = None) -> list[Tried]:
            each = (delayed(_cross_validate)(lesson, over, about, recipe, options, best) for recipe in them)
            return [one for one in parallel(each) if one is not None]

        for at in range(0, len(recipes) if len(recipes) > 1 else 0, options.jobs):
            if seen and clock.used() >= GLANCE_SHARE:
                break
            seen += all_of(recipes[at : at + options.jobs], glance)
            progress(f"looking at recipes: {len(seen)} of {len(recipes)}", clock.used())
        promising = [one.recipe for one in sorted(seen, key=_rank)] or recipes
        for at in range(0, len(promising), options.jobs):
            if tried and clock.used() >= SEARCH_SHARE:
                break
            best = min(tried, key=_rank, default=None)
            tried += all_of(promising[at : at + options.jobs], rounds, best if best and best.fits else None)
            progress(f"cross-validating recipes: {len(tried)} of {len(promising)} known", clock.used())
    if not tried:
        raise InputError("expected a recipe whose sums fit the small ints of a 32-bit board, got none: take less")
    return sorted(tried, key=_rank)


def _rank(one: Tried) -> tuple[bool, float, int]:
    return not one.fits, one.error, one.bytes


def _recipes(task: Task, options: TrainOptions) -> list[Recipe]:
    """Return what to try: of each kind in turn, the largest that may fit first, and large networks pruned."""
    if options.recipe:
        asked = parse_recipe(options.recipe)
        return [replace(asked, features=min(asked.features, task.features))]
    families = FAMILIES if options.family == "auto" else {options.family: FAMILIES[options.family]}
    most = task.limits.max_bytes
    counts = feature_counts(task.features)
    few = list(dict.fromkeys(counts[round(share * (len(counts) - 1))] for share in (1.0, 0.75, 0.5, 0.25)))
    turns = []
    for kind in (kind for kinds in families.values() for kind in kinds if kind != VOTING):
        sizes = list(reversed(LADDERS[kind]))
        own = [Recipe(kind, size, count) for count in few for size in sizes]
        turns.append(_that_may_fit(own, task, most))
        if kind == MLP:
            large = [size for size in sizes if sum(size) >= LEAST_STYLED]
            styled = [Recipe(kind, size, count, style) for count in few for size in large for style in (HALF, QUARTER)]
            turns.append(_that_may_fit(styled, task, most))
    return [own[i] for i in range(max(map(len, turns))) for own in turns if i < len(own)]


def _that_may_fit(recipes: list[Recipe], task: Task, most: int | None) -> list[Recipe]:
    return [r for r in recipes if most is None or rough_bytes(r, task) <= most] or recipes[-1:]


def _cross_validate(
    lesson: Lesson,
    rounds: Sequence[Round],
    about: About,
    recipe: Recipe,
    options: TrainOptions,
    best: Tried | None = None,
) -> Tried | None:
    """Return a recipe cross-validated; None where it can't be exact, or is clearly worse than the best so far."""
    said: list[np.ndarray] = []
    sizes = []
    ends = lesson.channel.low * lesson.step, lesson.channel.high * lesson.step
    for done, each in enumerate(rounds, 1):
        try:
            student = fit_student(recipe, each.training_set, each.order, 0)
            blob = about.smallest_blob(student)
        except InputError:
            return None
        base, slope = lesson.straight(student, blob, each.fit)
        said.append(np.clip(base + slope * lesson.lead(student, blob, each.score), *ends))
        sizes.append(len(blob) + PART_BYTES + len(lesson.channel.name) + len(lesson.channel.unit))
        rows = np.concatenate([one.score for one in rounds[:done]])
        every = np.concatenate(said)
        error = _error(lesson, rows, every)
        if best is not None and done < len(rounds) and error > WORSE * _error(lesson, rows, best.said[: len(rows)]):
            return None
    most = options.limits.max_bytes
    return Tried(recipe, rows, every, error, max(sizes), most is None or max(sizes) <= most)


def _error(lesson: Lesson, rows: np.ndarray, said: np.ndarray) -> float:
    """Return the root mean square error over some rows."""
    return float(np.sqrt(np.mean((lesson.numbers[rows] - said) ** 2)))


def _first_that_fits(
    tried: Sequence[Tried],
    lesson: Lesson,
    about: About,
    order: Sequence[int],
    rows: np.ndarray,
    options: TrainOptions,
) -> tuple[Tried, Student, HostModel]:
    """Return the best recipe whose model keeps the limits, fitted on the training rows."""
    whole = lesson.training_set(rows)
    for one in tried:
        student = fit_student(one.recipe, whole, order, 0, full=True)
        model = _model(one, student, lesson, about, rows, options)
        if model is not None:
            return one, student, model
    raise InputError(
        f"expected a model within {options.limits}; the smallest that was tried takes {min(t.bytes for t in tried)} "
        "bytes: allow more, or fewer channels (--ignore)"
    )


def _refit(best: Tried, lesson: Lesson, options: TrainOptions) -> HostModel | None:
    """Return the chosen recipe's model of all rows, those held out too; None where that breaks a limit."""
    data = lesson.learner.data
    rows = np.flatnonzero(data.whole)
    training_set = lesson.training_set(rows)
    about = _about(lesson, options, rows)
    student = fit_student(best.recipe, training_set, order_of(training_set), 0)
    model = _model(best, student, lesson, about, rows, options)
    if model is not None:
        model.cross_check(about.readings[:, about.kept(student.columns)], about.elapsed_ms)
        data.notes.append(f"the model learned from all {len(rows)} rows; its error was measured without those held out")
    return model


def _model(
    one: Tried, student: Student, lesson: Lesson, about: About, rows: np.ndarray, options: TrainOptions
) -> HostModel | None:
    """Return the model file of a student with the number that its lead stands for; None where it breaks a limit."""
    base, slope = lesson.straight(student, about.smallest_blob(student), rows)
    off = np.abs(lesson.numbers[one.rows] - one.said)
    share = min(1.0, COVERAGE / 100 * (1 + 1 / len(off)))  # of residuals of rows not learned from: split conformal
    spread = float(np.quantile(off, share, method="higher")) / lesson.step
    step, ahead_s = lesson.step, 0 if options.data.until else options.data.ahead_ms // 1000
    told = quantity(lesson.channel, base / step, slope / step, spread, COVERAGE, ahead_s)
    hysteresis = options.hysteresis or (2 if about.interval_ms else 1)
    spec = about.spec(student.tables, student.columns, hysteresis=hysteresis, parts={NUMBER: number_part(told)})
    for golden, odd in GOLDEN:
        model = HostModel(about.blob(spec, student.columns, golden, odd=odd))
        if options.limits.hold(len(model.blob), estimate(model.content, len(model.blob))):
            return model
    return None


def _card(
    path: Path,
    options: TrainOptions,
    lesson: Lesson,
    tried: Sequence[Tried],
    best: Tried,
    model: HostModel,
    shipped: HostModel,
    rows: np.ndarray,
    held: np.ndarray,
    clock: Clock,
) -> dict[str, Any]:
    """Return the card of a model that tells a number, JSON-ready."""
    data, y, channel = lesson.learner.data, lesson.numbers, lesson.channel
    content = shipped.content
    told = model.content.number
    assert told is not None
    readings = data.readings[:, [[c.name for c in data.channels].index(c.name) for c in model.channels]]
    steps = told.steps(model.decide(readings, data.elapsed_ms))
    said = to_values(steps, channel)
    constant, how = _constant(lesson, rows)
    floats = _floats(lesson, rows, held, clock)
    off = np.abs(y - said)
    return {
        "made_by": f"dibble {__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        "name": content.name,
        "model": {
            "file": MODEL_FILE,
            "family": best.recipe.family,
            "recipe": str(best.recipe),
            "bytes": len(shipped.blob),
            "sha256": hashlib.sha256(shipped.blob).hexdigest(),
            "golden_vectors": len(content.golden),
        },
        "data": {
            "file": path.name,
            "sha256": data.ds.sha256,
            "rows": len(y),
            "rows_with_a_missing_reading": int((~data.whole).sum()),
            "target": options.data.target,
            "until": options.data.until or None,
            "ahead_s": options.data.ahead_ms / 1000 or None,
            "time": options.data.time,
            "group": options.data.group,
        },
        "split": {
            "how": data.split.how,
            "train_rows": int(data.split.train.sum()),
            "test_rows": int(data.split.test.sum()),
            "scored_rows": len(held),
        },
        "refit": None
        if shipped is model
        else {"rows": int(data.whole.sum()), "accuracy_of": "the training rows alone"},
        "number": {
            "name": channel.name,
            "unit": channel.unit,
            "ahead_s": told.ahead_s,
            "spread": round(told.spread * lesson.step, 9),
            "coverage": COVERAGE,
            "held_out": number_figures(y[held], said[held], told.spread * lesson.step),
            "cross_validated": number_figures(y[best.rows], best.said, told.spread * lesson.step),
            "instead": {"what": how, **number_figures(y[held], constant[held], told.spread * lesson.step)},
            "gain": _gain(lesson, best, held, said, constant),
            "floats": floats,
            "pairs": _some_pairs(y[held], said[held]),
            "groups": _each_group(lesson, best, held, off),
        },
        "limits": {"max_bytes": options.limits.max_bytes, "board": options.limits.board or None},
        "tried": [
            {"recipe": str(t.recipe), "bytes": t.bytes, "error": round(t.error, 6), "fits": t.fits} for t in tried
        ],
        "notes": data.notes,
    }


def _some_pairs(y: np.ndarray, said: np.ndarray) -> list[list[float]]:
    """Return true and told numbers of some of the rows held out, for a picture."""
    some: Any = np.unique(np.linspace(0, len(y) - 1, min(MOST_PAIRS, len(y))).astype(int)) if len(y) else []
    return [[round(float(y[i]), 6), round(float(said[i]), 6)] for i in some]


def _constant(lesson: Lesson, rows: np.ndarray) -> tuple[np.ndarray, str]:
    """Return what one would say without a model: as it is now, where that is known, else the middle of all."""
    data = lesson.learner.data
    if lesson.channel.name in data.ds.columns:
        now = data.ds.values[:, data.ds.columns.index(lesson.channel.name)]
        return now, "saying that it stays as it is"
    return np.full(len(lesson.numbers), float(np.median(lesson.numbers[rows]))), "always saying the middle"


def _floats(lesson: Lesson, rows: np.ndarray, held: np.ndarray, clock: Clock) -> dict[str, Any] | None:
    """Return how far off a forest without limits is, in floats on a PC; None without time."""
    if not len(held) or clock.used() >= 1:
        return None
    values, y = lesson.learner.data.values, lesson.numbers
    forest = ExtraTreesRegressor(TREES, min_samples_leaf=3, random_state=0).fit(values[rows], y[rows])
    off = np.abs(forest.predict(values[held]) - y[held])
    return {"what": f"{TREES} extra trees", "mae": round(float(np.mean(off)), 6)}


def _gain(lesson: Lesson, best: Tried, held: np.ndarray, said: np.ndarray, constant: np.ndarray) -> dict[str, float]:
    """Return by how much the mean error is smaller than without a model, over all rows not learned from, and its error.

    Whole groups, or stretches of time, are drawn.
    """
    rows = np.concatenate([best.rows, held])
    told = np.concatenate([best.said, said[held]])
    better = np.abs(lesson.numbers[rows] - constant[rows]) - np.abs(lesson.numbers[rows] - told)
    known = ~np.isnan(better)
    error = paired_error(better[known], lesson.learner.units()[rows][known])
    return {"mean": round(float(np.mean(better[known])), 6), "error": round(error, 6)}


def _each_group(lesson: Lesson, best: Tried, held: np.ndarray, off: np.ndarray) -> list[dict[str, Any]]:
    """Return the mean absolute error in each group by models that hadn't seen it, the worst first."""
    ds = lesson.learner.data.ds
    if ds.groups is None or len(set(ds.groups)) < 2:
        return []
    rows = np.concatenate([best.rows, held])
    errors = np.concatenate([np.abs(lesson.numbers[best.rows] - best.said), off[held]])
    names = ds.groups[rows]
    each = [
        {"name": str(n), "rows": int((names == n).sum()), "mae": round(float(errors[names == n].mean()), 6)}
        for n in sorted(set(names.tolist()))
    ]
    return sorted(each, key=lambda one: -float(str(one["mae"])))
