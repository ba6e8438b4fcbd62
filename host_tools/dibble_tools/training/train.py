"""`dibble train`: a CSV of readings -> a model and its card, without writing anything."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import Prepared
from dibble_tools.data.splits import NumbersAsLabels
from dibble_tools.families.novelty import Novelty, fit_novelty
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import Limits, estimate
from dibble_tools.model.metrics import unsure_below
from dibble_tools.training.absences import Absence, absences
from dibble_tools.training.basis import Basis, about_of, study
from dibble_tools.training.card import make_card
from dibble_tools.training.cross_validation import Candidate, Task, cross_validate
from dibble_tools.training.folds import Learner, Parts
from dibble_tools.training.naming import About
from dibble_tools.training.recipes import FAMILIES, Recipe, parse_recipe
from dibble_tools.training.result import Clock, Fitted, Progress, Trained, Training, TrainOptions
from dibble_tools.training.students import Student, fit_student
from dibble_tools.training.training_set import TrainingSet
from dibble_tools.training.tuner import rerank, search

OTHER_FOLDS = 2  # partitions of the training rows that the best recipes are judged on again; one where rows are many
MANY_ROWS = 3000
GOLDEN = ((8, True), (4, True), (2, True), (1, True), (1, False))  # rows, and whether the odd two come on top
NOVELTY_PART = 4  # of the bytes, a quarter may go to novelty where it is asked for
FEW_RECIPES = 8  # a search that came to fewer was starved
# Shares of the budget: what is left goes to the final fit, the stage table and the report.
SEARCH_SHARE, RERANK_SHARE = 0.6, 0.78
OTHER_FORMS_SHARE, REFIT_SHARE = 0.9, 1.0  # no longer done when so much is used
LEAST_SEARCH = 0.2  # of the budget, however long teacher and folds took: else the first recipes win, whatever they are


def train(path: Path, options: TrainOptions, progress: Progress = lambda step, share: None) -> Trained:
    """Return a model trained on a CSV file, with its card.

    Args:
        progress: called with a few words and the share of the work done.
    Raises:
        InputError: something in the file or the options has to change.
    """
    if options.data.tolerate and (options.data.usual or options.data.target is not None):
        what = "--usual" if options.data.usual else f"--target {options.data.target}"
        raise InputError(f"--tolerate-missing: expected a model that decides a class, got {what}")
    if options.data.usual:
        from dibble_tools.training.usual import train_usual

        return train_usual(path, options, progress)
    if options.data.tells_number:
        from dibble_tools.training.regression import train_number

        return train_number(path, options, progress)
    clock = Clock(options.budget_s)
    try:
        done = learn(path, options, clock, progress)
    except NumbersAsLabels:
        from dibble_tools.training.regression import train_number

        data = replace(options.data, label=None, target=options.data.label)
        trained = train_number(path, replace(options, data=data), progress)
        trained.notes.insert(0, f"column {options.data.label!r} looks like a number to predict: taken as --target")
        return trained
    card = make_card(done, clock, progress)
    done.data.notes.extend(clock.told())  # the card's own list
    return Trained(done.shipped.model, card, done.data.notes)


def learn(path: Path, options: TrainOptions, clock: Clock, progress: Progress = lambda step, share: None) -> Training:
    """Return a model trained on a CSV file, and all that it came from; see `train`."""
    return choose(study(path, options, clock, progress), options, clock, progress)


def choose(
    basis: Basis, options: TrainOptions, clock: Clock, progress: Progress = lambda step, share: None
) -> Training:
    """Return a model within the limits of `options`, which else are those that the basis was made with."""
    data = replace(basis.data, notes=[*basis.data.notes])
    limits = options.limits
    if options.novelty is not None and limits.max_bytes is not None:
        limits = replace(limits, max_bytes=limits.max_bytes - limits.max_bytes // NOVELTY_PART)
    task = replace(basis.task, limits=limits)
    candidates = _search(task, basis, options, clock, progress, data.notes)
    progress("fitting the chosen student on all training rows", clock.used())
    about = basis.about
    finish = _Finish(options, limits, about, basis.parts, options.data.seed, task, data)
    other_forms = bool(options.recipe) or clock.allows("the same network in other forms", OTHER_FORMS_SHARE)
    chosen, judged, margins = finish.best(candidates, basis.training_set, basis.order, other_forms)
    judged.model.cross_check(about.readings[:, about.kept(judged.student.columns)], about.elapsed_ms)
    shipped = judged
    again = "learning from the rows held out, too"
    if options.refit and len(basis.held_out.y_true) and (options.recipe or clock.allows(again, REFIT_SHARE)):
        progress("fitting it again, on the rows held out too", clock.used())
        shipped = _refit(finish, chosen, judged, basis.learner, data)
    data.notes.extend([*basis.teacher.notes, *shipped.student.notes, *_left_out(about, shipped.student)])
    return Training(
        basis.path,
        options,
        data,
        basis.teacher,
        basis.training_set,
        basis.order,
        basis.held_out,
        about,
        task,
        candidates,
        chosen,
        judged,
        shipped,
        margins,
        basis.learner.balance,
        basis.pools,
        finish.absences(chosen),
    )


def _search(
    task: Task,
    basis: Basis,
    options: TrainOptions,
    clock: Clock,
    progress: Progress,
    notes: list[str],
) -> list[Candidate]:
    recipe = parse_recipe(options.recipe) if options.recipe else None
    if recipe:
        features = min(recipe.features, task.features)
        progress(f"cross-validating {recipe}", clock.used())
        found = cross_validate(task, replace(recipe, features=features))
        if found is None:
            raise InputError(
                f"--recipe {recipe}: its sums can't be held in the small ints of a 32-bit board: take less"
            )
        return [found]
    families = FAMILIES if options.family == "auto" else {options.family: FAMILIES[options.family]}

    def tell(done: int, known: int, share: float, best: Candidate | None) -> None:
        now = "" if best is None else f", best so far {100 * best.accuracy:.1f} % in {best.bytes} bytes ({best.recipe})"
        progress(f"cross-validating recipes: {done} of {known} known{now}", clock.used())

    kinds = [kind for kinds in families.values() for kind in kinds]
    budget_s = max(clock.left(SEARCH_SHARE), LEAST_SEARCH * clock.budget_s)
    jobs = basis.learner.jobs
    candidates = search(task, kinds, budget_s=budget_s, jobs=jobs, progress=tell, now=clock.now)
    if len(candidates) < FEW_RECIPES and clock.used() >= SEARCH_SHARE:
        notes.append(f"the search had time for {len(candidates)} recipes only: allow more than --budget, or fewer rows")
    others: Iterable[Task] = ()
    if clock.allows("a second look at the best recipes, on other folds", RERANK_SHARE):
        progress("cross-validating the best again on other folds", clock.used())
        others = _other_tasks(task, replace(basis.learner, quick=True), basis.rows, clock)
    return rerank(candidates, others, jobs=jobs, left_s=lambda: clock.left(RERANK_SHARE))


def _other_tasks(task: Task, learner: Learner, rows: np.ndarray, clock: Clock) -> Iterator[Task]:
    """Yield the task on other folds while there is time: each group one where they are few, else other partitions.

    Where the search's folds were groups already, it is the same with another seed.
    """
    each = learner.parts(rows, learner.seed, each_group=True)
    if len(each) > len(task.folds):
        yield replace(task, folds=learner.folds(rows, each))
        return
    first = {score.tobytes() for _, score in learner.parts(rows, learner.seed)}
    for i in range(1, 1 + (OTHER_FOLDS if len(rows) < MANY_ROWS else 1)):
        if clock.left(RERANK_SHARE) <= 0:
            return
        parts = learner.parts(rows, learner.seed + i)
        same = {score.tobytes() for _, score in parts} == first
        yield replace(task, seed=task.seed + i, folds=task.folds if same else learner.folds(rows, parts))


class _Finish:
    """From a candidate to a model file within the limits."""

    def __init__(
        self,
        options: TrainOptions,
        limits: Limits,
        about: About,
        parts: Parts,
        seed: int,
        task: Task,
        data: Prepared,
    ) -> None:
        self.options, self.limits, self.about, self.parts, self.seed = options, limits, about, parts, seed
        self.task, self.data = task, data
        self._absences: dict[Recipe, list[Absence]] = {}

    def absences(self, candidate: Candidate) -> list[Absence]:
        """Return what a candidate's recipe decides without each channel; none where nothing stands in for one."""
        if not self.data.stand_ins:
            return []
        if candidate.recipe not in self._absences:
            self._absences[candidate.recipe] = absences(self.task, candidate.recipe, self.data)
        return self._absences[candidate.recipe]

    def on(self, about: About, parts: Parts) -> "_Finish":
        """Return the same on other rows."""
        other = copy.copy(self)
        other.about, other.parts = about, parts
        return other

    def best(
        self, candidates: Sequence[Candidate], training_set: TrainingSet, order: Sequence[int], other_forms: bool
    ) -> tuple[Candidate, Fitted, list[dict[str, float]]]:
        """Return the first candidate whose model keeps the limits, that model, and what its margins are worth."""
        smallest: int | None = None
        for candidate in candidates:
            try:
                fitted, size = self.fit(candidate, training_set, order, self.about, other_forms=other_forms)
            except InputError:
                continue
            if fitted is not None:
                return candidate, fitted, self._unsure(candidate)[1]
            smallest = min(smallest or size, size)
            if not candidate.fits and self.limits.max_bytes is not None:
                break  # the rest is no better: those within the limits come first
        raise InputError(
            f"expected a model within {self.options.limits}; the smallest that was tried takes {smallest or 'more'} "
            "bytes: allow more, give shorter names to channels and classes, or fewer channels (--ignore)"
        )

    def fit(
        self,
        candidate: Candidate,
        training_set: TrainingSet,
        order: Sequence[int],
        about: About,
        *,
        other_forms: bool = False,
    ) -> tuple[Fitted | None, int]:
        """Return the model of a candidate's recipe, or None where it breaks a limit, and the bytes it takes."""
        student = fit_student(candidate.recipe, training_set, order, self.seed, full=other_forms)
        if gone := self.absences(candidate):
            about = replace(
                about,
                stand_ins=[
                    offset if one.tolerated else None for offset, one in zip(self.data.stand_ins, gone, strict=True)
                ],
            )
        novelty = self._novelty(training_set, student)
        threshold, _ = self._unsure(candidate)
        spec = about.spec(
            student.tables,
            student.columns,
            unsure_below=int(np.ceil(threshold * student.margin_unit)),
            hysteresis=self.options.hysteresis or (2 if about.interval_ms else 1),
            novelty=novelty,
        )
        for golden, odd in GOLDEN:
            blob = about.blob(spec, student.columns, golden, odd=odd)
            model = HostModel(blob)
            if self.options.limits.hold(len(blob), estimate(model.content, len(blob))):
                return Fitted(len(about.readings), student, novelty, model), len(blob)
        return None, len(blob)

    def _unsure(self, candidate: Candidate) -> tuple[float, list[dict[str, float]]]:
        return unsure_below(candidate.predictions.margins, candidate.predictions.correct, self.options.sure)

    def _novelty(self, training_set: TrainingSet, student: Student) -> Novelty | None:
        """Return tables of how usual a combination of the student's features is; None where nobody asked."""
        if self.options.novelty is None:
            return None
        few = training_set.columns(student.columns)
        most = None if self.options.limits.max_bytes is None else self.options.limits.max_bytes // NOVELTY_PART
        first = [student.columns.index(column) for column in dict.fromkeys(student.columns)]  # a forest's may repeat
        return fit_novelty(
            few.values, few.limits, few.lows, self.options.novelty, max_bytes=most, parts=self.parts, features=first
        )


def _refit(
    finish: _Finish,
    chosen: Candidate,
    judged: Fitted,
    learner: Learner,
    data: Prepared,
) -> Fitted:
    """Return the chosen recipe's model of all rows, those held out too; the judged one where that breaks a limit."""
    rows = np.flatnonzero(data.whole)
    training_set = learner.training_set(rows)
    about = about_of(finish.options, data, finish.about.classes, rows)
    again = finish.on(about, learner.parts(rows, finish.seed))
    try:
        fitted, _ = again.fit(chosen, training_set, learner.order(rows, training_set), about)
    except InputError:
        fitted = None
    if fitted is None:
        data.notes.append("trained again on all rows it would break a limit: the model is that of the training rows")
        return judged
    fitted.model.cross_check(about.readings[:, about.kept(fitted.student.columns)], about.elapsed_ms)
    data.notes.append(
        f"the model learned from all {fitted.rows} rows; what is said of its accuracy was measured on the same recipe "
        f"fitted without the rows held out (--no-refit ships that one)"
    )
    return fitted


def _left_out(about: About, student: Student) -> list[str]:
    kept = about.kept(student.columns)
    unused = [channel.name for i, channel in enumerate(about.channels) if i not in kept]
    if not unused:
        return []
    return [f"the model does without {', '.join(unused)}: the node needn't measure it"]
