"""How good a recipe is: cross-validated inside the training part, with the model file's own bytes and sums."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np

from dibble_tools.common import portable
from dibble_tools.common.errors import InputError
from dibble_tools.model.evaluator import lead
from dibble_tools.model.limits import Estimate, Limits, estimate
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.training.costs import Costs
from dibble_tools.training.folds import Fold
from dibble_tools.training.intervals import interval, paired_error
from dibble_tools.training.recipes import ADDITIVE, BOOSTED, CODEBOOK, HALF, MLP, PLAIN, QUARTER, Recipe
from dibble_tools.training.students import Student, fit_student

ACCURACY, MACRO_F1, COST = "accuracy", "macro-f1", "cost"
NATS = 0.3  # what a nat of cross-entropy weighs against the rate of errors: it tells students apart that err alike
FEWER = 0.005  # penalty for each halving of the number of features
THINNED = {PLAIN: 0.0, HALF: 0.005, QUARTER: 0.01, CODEBOOK: 0.002}
RIVALS = 3  # from so many on it is known how candidates differ from group to group
NEAR = 0.003  # of loss on the folds so far, and one standard error: less is no clear difference


@dataclass(frozen=True)
class Predictions:
    """What models of one recipe said of rows that they hadn't learned from.

    Attributes:
        y_true, decided: class indices.
        margins: in nats (votes for a voting forest).
        nats: cross-entropy of each row, with one divisor of the margins for all.
        units: group, recording or block of time of each row.
        rows: which row of the data set each is.
    """

    y_true: np.ndarray
    decided: np.ndarray
    margins: np.ndarray
    nats: np.ndarray
    units: np.ndarray
    rows: np.ndarray

    @property
    def correct(self) -> np.ndarray:
        """Whether each row was decided right."""
        return self.decided == self.y_true

    def first(self, rows: int) -> "Predictions":
        """Return the same of the first rows."""
        return Predictions(*(getattr(self, each.name)[:rows] for each in fields(self)))


@dataclass(frozen=True)
class Candidate:
    """A recipe, cross-validated inside the training part.

    Attributes:
        predictions: of the folds' rows, fold after fold; of each partition of the rows, once reranked.
        losses: of each of these rows, what the tuner minimizes the mean of, but for the penalty.
        fold_losses: their mean in each fold; fewer folds where a recipe was clearly worse than the incumbent.
        accuracy, cost, macro_f1, cross_entropy: of the predictions.
        penalty: see `penalty`.
        bytes: of the largest fold's model file.
        estimate: what it takes on a board.
        fits: within the limits.
        complete: all folds were made.
    """

    recipe: Recipe
    predictions: Predictions
    losses: np.ndarray
    fold_losses: list[float]
    accuracy: float
    cost: float
    macro_f1: float
    cross_entropy: float
    penalty: float
    bytes: int
    estimate: Estimate
    fits: bool
    complete: bool

    @property
    def loss(self) -> float:
        """What the tuner minimizes."""
        return float(self.losses.mean()) + self.penalty

    def interval(self, further: int | None = None) -> tuple[float, float] | None:
        """Return the 95 % interval of the accuracy, or of that on so many further groups (see `intervals.interval`)."""
        return interval(self.predictions.correct, self.predictions.units, further=further)


@dataclass(frozen=True)
class Task:
    """All that it takes to cross-validate a recipe; travels to the workers.

    Attributes:
        folds: each with what its own training part tells.
        classes, features: how many the data have.
        objective: ACCURACY, MACRO_F1 or COST.
        blob_of: student -> bytes of its model file, with the fewest golden vectors.
        names_bytes: what a model of the first 1, 2, ... features takes without any tables.
    """

    folds: Sequence[Fold]
    classes: int
    features: int
    costs: Costs
    limits: Limits
    seed: int
    blob_of: Callable[[Student], bytes]
    names_bytes: list[int]
    objective: str = ACCURACY


def cross_validate(
    task: Task, recipe: Recipe, incumbent: Candidate | None = None, spread: float = 0.0
) -> Candidate | None:
    """Return a cross-validated recipe; None where it can't be made, such as sums that leave the small ints.

    Args:
        incumbent: the best so far; a recipe clearly worse than it on the first folds is left at that.
        spread: by how much the difference to the incumbent differs from group to group (`spread_of`).
    """
    scores, size = [], 0
    worst: Estimate | None = None
    candidate = None
    for i, fold in enumerate(task.folds):
        try:
            student = fit_student(recipe, fold.training_set, fold.order, task.seed)
            blob = task.blob_of(student)
        except InputError:
            return None
        content = content_of(blob)
        size = max(size, len(blob))
        needs = estimate(content, len(blob))
        worst = needs if worst is None or needs.instructions > worst.instructions else worst
        scores.append(class_scores(content, fold.values[:, student.columns]) / student.margin_unit)
        candidate = _scored(task, recipe, scores, size, worst)
        if incumbent is not None and i + 1 < len(task.folds) and _behind(task, candidate, incumbent, spread):
            break
    return candidate


def _behind(task: Task, candidate: Candidate, incumbent: Candidate, spread: float) -> bool:
    """Tell whether on the folds so far a candidate is worse than the incumbent beyond NEAR and a standard error.

    The error is that of the difference row by row: rows that both get right or wrong say nothing. Of few groups,
    it is at least what groups not yet scored may change.
    """
    rows = len(candidate.losses)
    difference = candidate.losses - _losses(task, incumbent.predictions.first(rows))
    units = len(np.unique(candidate.predictions.units))
    error = max(paired_error(difference, np.arange(rows)), spread / np.sqrt(units))
    return float(difference.mean()) + candidate.penalty - incumbent.penalty > NEAR + error


def spread_of(candidates: Sequence[Candidate]) -> float:
    """Return by how much the first candidate's lead on others differs from group to group: the median deviation.

    Args:
        candidates: complete, of the same folds, best first. Of fewer than 1 + RIVALS nothing is known: infinite.
    """
    if len(candidates) <= RIVALS:
        return np.inf
    _, index = np.unique(candidates[0].predictions.units, return_inverse=True)
    rows = np.bincount(index)
    leads = [np.bincount(index, c.losses - candidates[0].losses) / rows for c in candidates[1 : 1 + 2 * RIVALS]]
    return float(np.median([lead.std(ddof=1) for lead in leads])) if len(rows) > 1 else np.inf


def _scored(task: Task, recipe: Recipe, scores: list[np.ndarray], size: int, worst: Estimate) -> Candidate:
    """Return the candidate that the first folds make."""
    folds = task.folds[: len(scores)]
    y_true = np.concatenate([fold.y_true for fold in folds])
    whole = np.concatenate(scores)
    predictions = Predictions(
        y_true,
        whole.argmax(axis=1),
        lead(whole),
        nats(whole, y_true),
        *(np.concatenate([getattr(fold, name) for fold in folds]) for name in ("units", "rows")),
    )
    losses = _losses(task, predictions)
    ends = np.cumsum([0, *(len(each) for each in scores)])
    return Candidate(
        recipe,
        predictions,
        losses,
        [float(losses[a:b].mean()) for a, b in pairwise(ends)],
        **figures(predictions, task.costs),
        penalty=penalty(recipe, task.features),
        bytes=size,
        estimate=worst,
        fits=task.limits.hold(size, worst),
        complete=len(scores) == len(task.folds),
    )


def figures(predictions: Predictions, costs: Costs) -> dict[str, Any]:
    """Return accuracy, cost a row, macro-F1 (of the classes there are) and cross-entropy of predictions."""
    y, decided = predictions.y_true, predictions.decided
    classes = len(costs.matrix)
    true, said = np.bincount(y, minlength=classes), np.bincount(decided, minlength=classes)
    right = np.bincount(y[y == decided], minlength=classes)
    there = true > 0
    return {
        "accuracy": float(right.sum() / len(y)),
        "cost": float(costs.matrix[y, decided].mean()),
        "macro_f1": float((2 * right / np.maximum(true + said, 1))[there].mean()),
        "cross_entropy": float(predictions.nats.mean()),
    }


def _losses(task: Task, predictions: Predictions) -> np.ndarray:
    """Return each row's part of what is minimized: its cost and its surprise, by macro-F1 weighed by class.

    The mean of errors that weigh so is one minus the mean recall, which unlike F1 is a sum over rows.
    """
    losses = task.costs.matrix[predictions.y_true, predictions.decided] + NATS * predictions.nats
    if task.objective != MACRO_F1:
        return losses
    counts = np.bincount(predictions.y_true, minlength=task.classes)
    return losses * len(losses) / ((counts > 0).sum() * counts[predictions.y_true])


def penalty(recipe: Recipe, features: int) -> float:
    """Return what is held against a recipe that leans on few of the `features`, or whose weights were thinned.

    Folds of the training part don't drift as sensors do in the field: there the fewer a model leans on,
    the more the drift of one moves it.
    """
    return FEWER * float(np.log2(features / recipe.features)) + THINNED[recipe.style]


def nats(scores: np.ndarray, y_true: np.ndarray) -> np.ndarray:
    """Return each row's cross-entropy: softmax of scores (rows, classes) by the divisor that suits all of them best."""
    rows = np.arange(len(y_true))
    each = [-portable.log_softmax(scores / divisor)[rows, y_true] for divisor in 2.0 ** np.arange(-4, 5)]
    return min(each, key=lambda found: float(found.mean()))


def rough_bytes(recipe: Recipe, task: Task) -> int:
    """Return about how large a recipe's model file is: its names and ranges, and tables as large as they can be."""
    columns, features = task.classes - 1, recipe.features
    if recipe.kind == MLP:
        widths = [features, *recipe.size, columns]
        density = {HALF: 0.8, QUARTER: 0.5, CODEBOOK: 0.6}.get(recipe.style, 1)
        tables = sum(round(a * b * density) + 3 * b for a, b in pairwise(widths)) + 4 * features
    elif recipe.kind == ADDITIVE:
        tables = features * (recipe.size[0] * columns + 5) + recipe.size[1] * (3 + 16 * columns)
    else:
        trees = recipe.size[0] * (columns if recipe.kind == BOOSTED else 1)
        tables = trees * (recipe.size[1] - 1) * 5
    return task.names_bytes[min(features, len(task.names_bytes)) - 1] + tables
