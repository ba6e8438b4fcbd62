"""A model that tells a number: the same students, taught how far a number lies from a middle.

Their targets are soft labels of two classes, below and above the middle: the share sigmoid(z) of the second where the
number lies z from the middle, by its own scale. Cross-entropy then has its least at the mean of that share, which is
nearly straight in z, so the score of the second class is a straight map of the number; the map is fitted afterwards.
Source: Papke and Wooldridge 1996, quasi-likelihood for shares.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from dibble.inference.parts import NUMBER
from joblib import Parallel, delayed

from dibble_tools.common.errors import InputError
from dibble_tools.common.quantities import MINUTES, duration_text
from dibble_tools.data.channels import Channel, steps_to_text
from dibble_tools.data.column_channels import find_channels
from dibble_tools.data.future import MINUTE_MS, parse_condition, time_name
from dibble_tools.data.prepare import Prepared, prepare
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import estimate
from dibble_tools.model.number import number_part, quantity
from dibble_tools.report.verdict import verdict_of
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.cross_validation import Task, rough_bytes
from dibble_tools.training.folds import Learner, order_of
from dibble_tools.training.naming import About
from dibble_tools.training.number_card import COVERAGE, number_card
from dibble_tools.training.number_lesson import Lesson, Round, Scale, Tried
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

TAIL = 0.01  # of the numbers, beyond which they are taken as at the end of the scale
PART_BYTES = 24  # that the part "number" takes beside its texts, at most about
GLANCE_SHARE, SEARCH_SHARE = 0.4, 0.75  # of the budget
WORSE = 1.03  # times the best's error over the same rounds: not worth the others
GOLDEN = ((8, True), (4, True), (2, True), (1, True), (1, False))


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
    card = number_card(path, options, lesson, tried, best, model, shipped, rows, held, clock)
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
