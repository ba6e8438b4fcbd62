"""`dibble train`: a CSV of readings -> a model and its card, without writing anything."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import Prepared, prepare
from dibble_tools.data.splits import folds
from dibble_tools.families.novelty import Novelty, fit_novelty
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import estimate
from dibble_tools.model.metrics import unsure_below
from dibble_tools.training.card import make_card
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.cross_validation import Folds, Task, Tried, judge
from dibble_tools.training.naming import About
from dibble_tools.training.ranking import rank_features
from dibble_tools.training.recipes import FAMILIES, Recipe, parse_recipe
from dibble_tools.training.result import Clock, Progress, Trained, Training, TrainOptions
from dibble_tools.training.stages import HeldOut
from dibble_tools.training.students import Student, fit_student
from dibble_tools.training.teacher import fit_teacher
from dibble_tools.training.training_set import TrainingSet, mix
from dibble_tools.training.tuner import finals, search

SOFT_SHARE = 0.5  # of a target that the teacher's opinion makes up; the rest is the label
MOST_RANKED = 255
OTHER_FOLDS = 2  # partitions of the training rows that the best recipes are judged on again
GOLDEN = ((8, True), (4, True), (2, True), (1, True), (1, False))  # rows, and whether the odd two come on top
NOVELTY_PART = 4  # of the bytes, a quarter may go to novelty where it is asked for
# Shares of the budget: what is left goes to the final fit, the stage table and the report.
TEACHER_SHARE, SEARCH_SHARE = 0.2, 0.62


def train(path: Path, options: TrainOptions, progress: Progress = lambda step, share: None) -> Trained:
    """Return a model trained on a CSV file, with its card.

    Args:
        progress: called with a few words and the share of the work done.
    Raises:
        InputError: something in the file or the options has to change.
    """
    clock = Clock(options.budget_s)
    done = learn(path, options, clock, progress)
    return Trained(done.model, make_card(done, clock, progress), done.data.notes)


def learn(path: Path, options: TrainOptions, clock: Clock, progress: Progress = lambda step, share: None) -> Training:
    """Return a model trained on a CSV file, and all that it came from; see `train`."""
    recipe = parse_recipe(options.recipe) if options.recipe else None
    progress("reading the data", 0.0)
    data = prepare(path, options.data)
    assert data.ds.labels is not None
    classes, truth = np.unique(data.ds.labels, return_inverse=True)
    names = [str(name) for name in classes]
    costs = parse_costs(options.costs, names)
    rows = np.flatnonzero(data.split.train & data.whole)
    held = np.flatnonzero(data.split.test & data.whole)
    held_out = HeldOut(data.values[held], truth[held], costs, names)
    parts = _folds(data, rows, options.data.seed)

    progress("cross-validating teachers", 0.02)
    weights = costs.row_weights(truth[rows], options.balance)
    teacher = fit_teacher(
        data.values[rows],
        truth[rows],
        len(names),
        weights,
        parts,
        seed=options.data.seed,
        jobs=options.jobs,
        budget_s=None if recipe else clock.left(TEACHER_SHARE),
        progress=lambda step: progress(step, clock.used()),
    )
    targets = mix(teacher.soft, truth[rows], SOFT_SHARE)
    lesson = TrainingSet(data.values[rows], data.limits, data.lows, targets, truth[rows], weights)
    progress("ranking the features", clock.used())
    most = min(MOST_RANKED, lesson.values.shape[1])
    order = rank_features(lesson.values, lesson.limits, lesson.lows, lesson.targets, lesson.weights, most=most)
    about = About(
        options.name or data.ds.name,
        data.channels,
        data.features,
        names,
        data.interval_ms,
        data.readings[rows],
        None if data.elapsed_ms is None else data.elapsed_ms[rows],
    )
    limits = options.limits
    if options.novelty is not None and limits.max_bytes is not None:
        limits = replace(limits, max_bytes=limits.max_bytes - limits.max_bytes // NOVELTY_PART)
    task = Task(lesson, parts, order, costs, limits, options.data.seed, about.smallest_blob, about.names_bytes(order))
    others = [_folds(data, rows, options.data.seed + 1 + i) for i in range(OTHER_FOLDS)]
    tried = _search(task, recipe, others, options, clock, progress)
    progress("fitting the chosen student on all training rows", clock.used())
    chosen, student, model, novelty, margins = _finish(tried, task, about, options)
    model.cross_check(about.readings[:, about.kept(student.columns)], about.elapsed_ms)
    data.notes.extend([*teacher.notes, *student.notes, *_left_out(about, student)])
    return Training(
        path, options, data, teacher, lesson, held_out, about, task, tried, chosen, student, novelty, model, margins
    )


def _folds(data: Prepared, rows: np.ndarray, seed: int) -> Folds:
    """Return (fit, judge) positions in `rows` of a cross-validation by group or time where the data say so."""
    mask = np.zeros(len(data.whole), dtype=bool)
    mask[rows] = True
    parts = folds(data.ds, mask, seed=seed)
    return [(np.searchsorted(rows, fit), np.searchsorted(rows, held)) for fit, held in parts]


def _search(
    task: Task,
    recipe: Recipe | None,
    other_folds: Sequence[Folds],
    options: TrainOptions,
    clock: Clock,
    progress: Progress,
) -> list[Tried]:
    if recipe:
        features = min(recipe.features, len(task.order))
        progress(f"cross-validating {recipe}", clock.used())
        found = judge(task, replace(recipe, features=features))
        if found is None:
            raise InputError(
                f"--recipe {recipe}: its sums can't be held in the small ints of a 32-bit board: take less"
            )
        return [found]
    families = FAMILIES if options.family == "auto" else {options.family: FAMILIES[options.family]}

    def tell(done: int, known: int, share: float, best: Tried | None) -> None:
        now = "" if best is None else f", best so far {100 * best.accuracy:.1f} % in {best.bytes} bytes ({best.recipe})"
        progress(f"cross-validating recipes: {done} of {known} known{now}", clock.used())

    kinds = [kind for kinds in families.values() for kind in kinds]
    tried = search(task, kinds, budget_s=clock.left(SEARCH_SHARE), jobs=options.jobs, progress=tell)
    progress("judging the best again on other folds", clock.used())
    return finals(task, tried, other_folds, jobs=options.jobs)


def _finish(
    tried: Sequence[Tried], task: Task, about: About, options: TrainOptions
) -> tuple[Tried, Student, HostModel, Novelty | None, list[dict[str, float]]]:
    """Fit the best recipe on all training rows; where its model breaks a limit after all, the next best."""
    limits, smallest = options.limits, None
    for candidate in tried:
        try:
            student = fit_student(candidate.recipe, task.data, task.order, task.seed, full=True)
            novelty = _novelty(options, task, student)
        except InputError:
            continue
        threshold, margins = unsure_below(candidate.margins, candidate.right, options.sure)
        spec = about.spec(
            student.tables,
            student.columns,
            unsure_below=int(np.ceil(threshold * student.margin_unit)),
            hysteresis=options.hysteresis or (2 if about.interval_ms else 1),
            novelty=novelty,
        )
        for golden, odd in GOLDEN:
            blob = about.blob(spec, student.columns, golden, odd=odd)
            model = HostModel(blob)
            if limits.hold(len(blob), estimate(model.content, len(blob))):
                return candidate, student, model, novelty, margins
        smallest = min(smallest or len(blob), len(blob))
        if smallest is not None and not candidate.fits and limits.max_bytes is not None:
            break  # the rest is no better: those within the limits come first
    raise InputError(
        f"expected a model within {limits}; the smallest that was tried takes {smallest or 'more'} bytes: allow more, "
        "give shorter names to channels and classes, or fewer channels (--ignore)"
    )


def _novelty(options: TrainOptions, task: Task, student: Student) -> Novelty | None:
    """Return tables of how usual a combination of the student's features is; None where nobody asked."""
    if options.novelty is None:
        return None
    few = task.data.columns(student.columns)
    most = None if options.limits.max_bytes is None else options.limits.max_bytes // NOVELTY_PART
    first = [student.columns.index(column) for column in dict.fromkeys(student.columns)]  # a forest's may repeat
    return fit_novelty(
        few.values, few.limits, few.lows, options.novelty, max_bytes=most, parts=task.folds, features=first
    )


def _left_out(about: About, student: Student) -> list[str]:
    kept = about.kept(student.columns)
    unused = [channel.name for i, channel in enumerate(about.channels) if i not in kept]
    if not unused:
        return []
    return [f"the model does without {', '.join(unused)}: the node needn't measure it"]
