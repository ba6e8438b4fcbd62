"""What a search begins with: rows, a teacher, folds and what drifts. It doesn't depend on the limits of the model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from joblib.parallel import BACKENDS, DEFAULT_BACKEND, get_active_backend

from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import Prepared, prepare
from dibble_tools.model.limits import Limits
from dibble_tools.training.baselines import with_baselines
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.cross_validation import ACCURACY, COST, MACRO_F1, Task, cross_validate
from dibble_tools.training.drift import note as drift_note
from dibble_tools.training.folds import Learner, Parts
from dibble_tools.training.intervals import paired_error
from dibble_tools.training.naming import About
from dibble_tools.training.other_sensors import with_margins
from dibble_tools.training.ratio_pools import Pools, with_ratios
from dibble_tools.training.recipes import parse_recipe
from dibble_tools.training.result import Clock, Progress, TrainOptions
from dibble_tools.training.stages import HeldOut
from dibble_tools.training.teacher import Teacher, fit_teacher
from dibble_tools.training.training_set import TrainingSet

OBJECTIVES = (ACCURACY, MACRO_F1, COST)
UNEVEN = 0.3  # of an even share: a class that is rarer makes macro-F1 what is chosen by
MACRO_BALANCE = 0.3
TEACHER_SHARE = 0.15  # of the budget
PROBES = ("mlp:0", "additive:12+0")  # quick models
CLEARLY, BETTER = 0.03, 0.005  # of accuracy
NETWORKS, NETWORK_FEATURES = ("mlp:12", "mlp:24"), 12


@dataclass(frozen=True)
class Basis:
    """What depends on rows alone, so that models within several limits may be chosen from it.

    Attributes:
        rows: those to learn from, as positions in the data set; parts: of a cross-validation inside them.
        learner: as the final fit has it.
        teacher, training_set, order, held_out, about: see `Training`.
        task: without limits.
        pools: see `Training`.
    """

    path: Path
    data: Prepared
    rows: np.ndarray
    parts: Parts
    learner: Learner
    teacher: Teacher
    training_set: TrainingSet
    order: list[int]
    held_out: HeldOut
    about: About
    task: Task
    pools: Pools | None


def study(path: Path, options: TrainOptions, clock: Clock, progress: Progress = lambda step, share: None) -> Basis:
    """Return what a search on a CSV file begins with."""
    recipe = parse_recipe(options.recipe) if options.recipe else None
    progress("reading the data", 0.0)
    data = with_margins(prepare(path, options.data), options.data.channels)
    assert data.ds.labels is not None
    classes, y = np.unique(data.ds.labels, return_inverse=True)
    names = [str(name) for name in classes]
    costs = parse_costs(options.costs, names)
    rows = np.flatnonzero(data.split.train & data.whole)
    held = np.flatnonzero(data.split.test & data.whole)
    objective = _objective(options, np.bincount(y[rows]), data.notes)
    balance = options.balance if options.balance is not None else MACRO_BALANCE if objective == MACRO_F1 else 0.0
    learner = Learner(data, y, len(names), costs, balance, options.data.seed, options.jobs)
    parts = learner.parts(rows, options.data.seed, each_group=True)
    search_parts = learner.parts(rows, options.data.seed)
    if not parts or not search_parts:
        raise InputError(
            f"{data.ds.name}: expected two classes in rows to learn from, beside others to score, got one: record each "
            "class several times, in turn" + (", or look less far ahead" if data.ahead_ms else "")
        )
    pools = None
    if not data.stand_ins:  # a scan's steps are one sensor's: they are missing together
        scored = [(rows[fit], rows[score]) for fit, score in search_parts]
        data, pools = with_ratios(data, y, scored, rows, learner.seed)
    if data.features and data.interval_ms and options.data.features is None and not recipe:
        data = with_baselines(data, y, [(rows[fit], rows[score]) for fit, score in search_parts], learner.seed)
    learner = replace(learner, data=data)
    held_out = HeldOut(data.values[held], y[held], costs, names, learner.units()[held])
    data.notes.extend(_thin_classes(data, y, rows, names))

    progress("cross-validating teachers", 0.02)
    teacher = fit_teacher(
        data.values[rows],
        y[rows],
        len(names),
        costs.row_weights(y[rows], balance),
        search_parts,
        seed=options.data.seed,
        jobs=options.jobs,
        budget_s=None if recipe else clock.left(TEACHER_SHARE),
        progress=lambda step: progress(step, clock.used()),
        now=clock.now,
    )
    if learner.jobs > 1 and clock.starved() and isinstance(get_active_backend()[0], BACKENDS[DEFAULT_BACKEND]):
        clock.left_out.append("further processes, which would each begin by loading what this one has")
        learner = replace(learner, jobs=1)
    progress("teaching: soft labels, the features ranked", clock.used())
    training_set = learner.training_set(rows)
    order = learner.order(rows, training_set)
    about = about_of(options, data, names, rows)
    quick = replace(learner, quick=True)

    def told(done: int) -> None:
        progress(f"a teacher for each fold, {done} made", clock.used())

    folds = learner.folds(rows, parts, told) if recipe else quick.folds(rows, search_parts, told)
    task = Task(
        folds,
        len(names),
        len(order),
        costs,
        Limits(),
        options.data.seed,
        about.smallest_blob,
        about.names_bytes(order),
        objective,
    )
    if said := misled(task):
        data.notes.append(said)
        learner, quick = replace(learner, labels_alone=True), replace(quick, labels_alone=True)
        training_set = training_set.labels_alone()
        order = learner.order(rows, training_set)
        task = replace(task, folds=[fold.labels_alone() for fold in folds], names_bytes=about.names_bytes(order))
    networks = (recipe.family if recipe else options.family) in ("auto", "mlp")
    if pools and networks and (said := correlated(task)):
        data.notes.append(said)
        learner, quick = replace(learner, uncorrelated=True), replace(quick, uncorrelated=True)
        training_set = replace(training_set, uncorrelated=True)
        task = replace(task, folds=[fold.uncorrelated() for fold in task.folds])
    if drifters := learner.drifting(rows):
        probed = replace(task, folds=quick.folds(rows, search_parts)) if recipe else task
        steady, said = _without_drift(probed, [data.feature_names[i] for i in sorted(drifters)])
        data.notes.append(said)
        if steady:
            learner = replace(learner, steady=True)
            order = learner.order(rows, training_set)
            few = [fold.steady() for fold in task.folds]
            task = replace(task, folds=few, features=len(order), names_bytes=about.names_bytes(order))
    return Basis(path, data, rows, parts, learner, teacher, training_set, order, held_out, about, task, pools)


def about_of(options: TrainOptions, data: Prepared, names: list[str], rows: np.ndarray) -> About:
    """Return names, units and readings of the rows that a model learns from."""
    return About(
        options.name or data.ds.name,
        data.channels,
        data.features,
        names,
        data.interval_ms,
        data.readings[rows],
        None if data.elapsed_ms is None else data.elapsed_ms[rows],
        data.stand_ins,
    )


def _objective(options: TrainOptions, counts: np.ndarray, notes: list[str]) -> str:
    """Return what recipes are chosen by; where nobody said it and it isn't accuracy, that is told."""
    if options.optimize in OBJECTIVES:
        return options.optimize
    if options.optimize != "auto":
        raise InputError(f"--optimize: expected {', '.join(OBJECTIVES)} or auto; got {options.optimize!r}")
    if options.costs:
        return COST
    if counts.min() * len(counts) < UNEVEN * counts.sum():
        notes.append(
            f"classes are uneven, the rarest is {counts.min() / counts.sum():.1%} of the rows: chosen by macro-F1, "
            "which counts each class alike (--optimize accuracy counts each row alike)"
        )
        return MACRO_F1
    return ACCURACY


def _thin_classes(data: Prepared, y: np.ndarray, rows: np.ndarray, names: Sequence[str]) -> list[str]:
    """Return a note on each class that a single training group holds: nothing can say how it does on another."""
    groups = data.ds.groups
    if groups is None or len(set(groups[rows])) < 2:
        return []
    notes = []
    for k, name in enumerate(names):
        there = sorted(set(groups[rows][y[rows] == k]))
        if len(there) == 1:
            notes.append(
                f"class {name!r} is in one training group only, {there[0]}: cross-validation can't judge it; "
                "record it in another group too"
            )
    return notes


def misled(task: Task) -> str | None:
    """Return what is told where students do clearly better without their teacher, on groups that neither has seen.

    A teacher that is sure of the wrong class on a group it hasn't seen halves what that group's labels say. Where the
    difference is small it stays: what it thinks keeps students from learning the training groups by heart.
    """
    own = replace(task, folds=[replace(f, training_set=f.training_set.labels_alone()) for f in task.folds])
    # Labels alone make surer probabilities, which isn't enough: more rows have to be decided right.
    better = _better(task, own, [f"{text}@{task.features}" for text in PROBES], CLEARLY)
    if not better:
        return None
    before, after = better
    return (
        f"students learn from labels alone: their teacher misleads them on groups it hasn't seen (quick models, "
        f"cross-validated: {before:.1%} with it, {after:.1%} without)"
    )


def correlated(task: Task) -> str | None:
    """Return what is told where networks do better on uncorrelated inputs, on groups that they haven't seen.

    Steps of one scan move together, and so do their ratios. What is in their small differences may be the odour, or
    the sensor: of most other sets networks are as good either way, and where batches drift they lose by it.
    """
    own = replace(task, folds=[fold.uncorrelated() for fold in task.folds])
    better = _better(task, own, [f"{text}@{min(NETWORK_FEATURES, task.features)}" for text in NETWORKS], BETTER)
    if not better:
        return None
    before, after = better
    return (
        f"networks learn from uncorrelated inputs: steps of a scan move together (quick models, cross-validated: "
        f"{before:.1%} as they are, {after:.1%} so)"
    )


def _better(task: Task, other: Task, recipes: Sequence[str], least: float) -> tuple[float, float] | None:
    """Return the mean accuracies of recipes on a task and on the other if they gain more than `least` there.

    Their loss has to be less, too, beyond one standard error over groups.
    """
    pairs = [[cross_validate(t, parse_recipe(text)) for t in (task, other)] for text in recipes]
    made = [(one, two) for one, two in pairs if one and two]
    if not made:
        return None
    gain = np.mean([one.losses - two.losses for one, two in made], axis=0)
    before, after = (float(np.mean([pair[i].accuracy for pair in made])) for i in (0, 1))
    if after - before <= least or gain.mean() <= paired_error(gain, made[0][0].predictions.units):
        return None
    return before, after


def _without_drift(task: Task, names: Sequence[str]) -> tuple[bool, str]:
    """Return whether models do better without the features that drift, each kind of the probes, and what is told."""
    steady = replace(task, folds=[fold.steady() for fold in task.folds])
    pairs = [[cross_validate(t, parse_recipe(f"{text}@{t.features}")) for t in (task, steady)] for text in PROBES]
    made = [(with_them, less) for with_them, less in pairs if with_them and less]
    if not made:
        return False, drift_note(names, None, left_out=False)
    helps = all(less.losses.mean() < with_them.losses.mean() for with_them, less in made)
    before, after = (float(np.mean([pair[i].accuracy for pair in made])) for i in (0, 1))
    return helps, drift_note(names, (before, after), left_out=helps)
