"""What a model is worth without each of its channels, where something stands in for a missing reading."""

from dataclasses import dataclass

import numpy as np

from dibble_tools.data.prepare import Prepared
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.training.cross_validation import MACRO_F1, Predictions, Task, figures
from dibble_tools.training.dropouts import dropped
from dibble_tools.training.intervals import paired_error
from dibble_tools.training.recipes import Recipe
from dibble_tools.training.students import fit_student

ERRORS = 2.0  # standard errors by which decisions have to be better than one answer for all


@dataclass(frozen=True)
class Absence:
    """What a recipe's models decide without a channel, cross-validated inside the training part.

    Attributes:
        channel: its place in the data set.
        tolerated: clearly better than one answer for all, by what the recipe was chosen by.
    """

    channel: int
    accuracy: float
    macro_f1: float
    tolerated: bool


def absences(task: Task, recipe: Recipe, data: Prepared) -> list[Absence]:
    """Return what models of a recipe, fitted on each fold, decide without each channel that they use."""
    decided: dict[int, list[np.ndarray]] = {}
    for fold in task.folds:
        student = fit_student(recipe, fold.training_set, fold.order, task.seed)
        content = content_of(task.blob_of(student))
        for channel in range(len(data.channels)):
            values = dropped(fold.values, data, [channel])[:, student.columns]
            decided.setdefault(channel, []).append(class_scores(content, values).argmax(axis=1))
    y_true = np.concatenate([fold.y_true for fold in task.folds])
    units = np.concatenate([fold.units for fold in task.folds])
    none = np.zeros(len(y_true))
    found = []
    for channel, parts in decided.items():
        answers = np.concatenate(parts)
        got = figures(Predictions(y_true, answers, none, none, units, none), task.costs)
        found.append(Absence(channel, got["accuracy"], got["macro_f1"], _is_of_use(task, y_true, answers, units)))
    return found


def _is_of_use(task: Task, y_true: np.ndarray, decided: np.ndarray, units: np.ndarray) -> bool:
    """Tell whether decisions are better than the best answer for all, beyond what chance may do between groups."""
    matrix = task.costs.matrix
    weights = np.ones(len(y_true))
    if task.objective == MACRO_F1:  # each class alike
        weights = 1 / np.bincount(y_true, minlength=task.classes)[y_true]
    always = min(range(task.classes), key=lambda k: float((matrix[y_true, k] * weights).sum()))
    gain = (matrix[y_true, always] - matrix[y_true, decided]) * weights
    return bool(gain.mean() > ERRORS * paired_error(gain, units))
