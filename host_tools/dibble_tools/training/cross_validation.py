"""How good a recipe is: cross-validated inside the training part, with the model file's own bytes and sums."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dibble_tools.common import portable
from dibble_tools.common.errors import InputError
from dibble_tools.model.evaluator import lead
from dibble_tools.model.limits import Estimate, Limits, estimate
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.training.costs import Costs
from dibble_tools.training.recipes import ADDITIVE, BOOSTED, CODEBOOK, HALF, MLP, PLAIN, QUARTER, Recipe
from dibble_tools.training.students import Student, fit_student
from dibble_tools.training.training_set import TrainingSet

Folds = Sequence[tuple[np.ndarray, np.ndarray]]  # (fit, judge) positions in the training part

SURPRISE = 0.3  # what a nat of surprise weighs against the rate of errors: it tells students apart that err alike
FEWER = 0.005  # doubt for each halving of the number of features
THINNED = {PLAIN: 0.0, HALF: 0.005, QUARTER: 0.01, CODEBOOK: 0.002}
JUDGED_ROWS = 5000
SEARCH_ROWS = 6000  # of a fold's rows, so many at most teach a candidate; fewer with more than two classes
NEAR = 0.01  # of loss on the first fold, or two standard errors: less is no clear difference


@dataclass(frozen=True)
class Tried:
    """A recipe, cross-validated inside the training part.

    Attributes:
        accuracy: share of rows decided right; cost: expected cost a row; surprise: mean nats of the
            true class, with one divisor of the margins for all rows.
        first: the loss on the first fold alone.
        doubt: see `doubt`.
        bytes: of the largest fold's model file.
        estimate: what it takes on a board.
        margins: of each judged row, in nats (votes for a voting forest); right: whether it was right.
        fits: within the limits.
    """

    recipe: Recipe
    accuracy: float
    cost: float
    surprise: float
    bytes: int
    estimate: Estimate
    margins: np.ndarray
    right: np.ndarray
    fits: bool
    first: float
    doubt: float

    @property
    def loss(self) -> float:
        """What the tuner minimizes."""
        return self.cost + SURPRISE * self.surprise + self.doubt


@dataclass(frozen=True)
class Task:
    """All that it takes to judge a recipe; travels to the workers.

    Attributes:
        data: the training part.
        folds: (fit, judge) positions in it.
        order: features, best first.
        blob_of: student -> bytes of its model file, with the fewest golden vectors.
        names_bytes: what a model of the first 1, 2, ... features takes without any tables.
    """

    data: TrainingSet
    folds: Folds
    order: Sequence[int]
    costs: Costs
    limits: Limits
    seed: int
    blob_of: Callable[[Student], bytes]
    names_bytes: list[int]


def judge(task: Task, recipe: Recipe, bar: float = np.inf) -> Tried | None:
    """Cross-validate one recipe; None where it can't be made, such as sums that leave the small ints.

    Args:
        bar: of the best so far, its loss on the first fold; a recipe clearly worse there is left at that.
    """
    rng = np.random.default_rng(task.seed)
    scores, truths, margins, right, size, costs, first = [], [], [], [], 0, [], 0.0
    worst: Estimate | None = None
    for fit, held in enough(task.folds):
        few = rng.permutation(fit)[: round(SEARCH_ROWS / np.sqrt(task.data.classes - 1))]
        try:
            student = fit_student(recipe, task.data.rows(few), task.order, task.seed)
            blob = task.blob_of(student)
        except InputError:
            return None
        model = content_of(blob)
        size = max(size, len(blob))
        needs = estimate(model, len(blob))
        worst = needs if worst is None or needs.instructions > worst.instructions else worst
        got = class_scores(model, task.data.values[held][:, student.columns])
        truth = task.data.truth[held]
        scores.append(got / student.margin_unit)
        truths.append(truth)
        margins.append(lead(got) / student.margin_unit)
        right.append(got.argmax(axis=1) == truth)
        costs.append(task.costs.matrix[truth, got.argmax(axis=1)])
        if len(costs) == 1:
            first = float(costs[0].mean()) + SURPRISE * surprise(scores[0], truths[0])
            if first > bar + max(NEAR, 2 * float(costs[0].std()) / np.sqrt(len(truth))):
                break
    assert worst is not None
    hit = np.concatenate(right)
    return Tried(
        recipe,
        float(hit.mean()),
        float(np.concatenate(costs).mean()),
        surprise(np.concatenate(scores), np.concatenate(truths)),
        size,
        worst,
        np.concatenate(margins),
        hit,
        task.limits.hold(size, worst),
        first,
        doubt(recipe, len(task.order)),
    )


def enough(folds: Folds) -> Folds:
    """Return as many of the folds as judge JUDGED_ROWS rows: with many rows the others tell little more."""
    judged = np.cumsum([len(held) for _, held in folds])
    return folds[: int(np.searchsorted(judged, JUDGED_ROWS)) + 1]


def doubt(recipe: Recipe, features: int) -> float:
    """Return what is held against a recipe that leans on few of the `features`, or whose weights were thinned.

    Folds of the training part don't drift as sensors do in the field: there the fewer a model leans on,
    the more the drift of one moves it.
    """
    return FEWER * float(np.log2(features / recipe.features)) + THINNED[recipe.style]


def surprise(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean nats of the true class, softmax of scores (rows, classes) by the divisor that suits them best."""
    best = np.inf
    for divisor in 2.0 ** np.arange(-4, 5):
        nats = -portable.log_softmax(scores / divisor)[np.arange(len(truth)), truth]
        best = min(best, float(nats.mean()))
    return best


def rough_bytes(recipe: Recipe, task: Task) -> int:
    """Return about how large a recipe's model file is: its names and ranges, and tables as large as they can be."""
    columns, features = task.data.classes - 1, recipe.features
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
