"""The tuner: searches families, sizes and numbers of features for the best student within the limits.

By cross-validation inside the training part only. It climbs: from a few recipes of each kind on to
the neighbours of those that nothing smaller beats, until all are tried or the time is up.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from dibble.inference.model import Model
from joblib import Parallel, delayed

from host_tools.costs import Costs
from host_tools.errors import InputError
from host_tools.evaluator import lead
from host_tools.limits import Estimate, Limits, estimate
from host_tools.oracle import class_scores
from host_tools.recipes import (
    ADDITIVE,
    BOOSTED,
    CODEBOOK,
    HALF,
    LADDERS,
    MLP,
    PLAIN,
    QUARTER,
    Recipe,
    feature_counts,
    neighbours,
)
from host_tools.students import Student, fit_student
from host_tools.training_set import TrainingSet

Folds = Sequence[tuple[np.ndarray, np.ndarray]]

SURPRISE = 0.3  # what a nat of surprise weighs against the rate of errors: it tells students apart that err alike
FEWER = 0.005  # doubt for each halving of the number of features
THINNED = {PLAIN: 0.0, HALF: 0.005, QUARTER: 0.01, CODEBOOK: 0.002}
JUDGED_ROWS = 5000
FINALISTS = 8
SEARCH_ROWS = 6000  # of a fold's rows, so many at most teach a candidate; fewer with more than two classes
SLACK = 1.15  # a recipe is tried when its rough size is within so many times the limit
NEAR = 0.01  # of loss on the first fold, or two standard errors: less is no clear difference
ROUNDS_AHEAD = 2  # recipes handed to each worker at once


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
        model = Model(blob)
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
        logits = scores / divisor
        logits = logits - logits.max(axis=1, keepdims=True)
        nats = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(truth)), truth]
        best = min(best, float(nats.mean()))
    return best


def search(
    task: Task,
    kinds: Sequence[str],
    *,
    budget_s: float,
    jobs: int,
    progress: Callable[[int, int, float, Tried | None], None] = lambda done, known, share, best: None,
) -> list[Tried]:
    """Return every recipe tried, best first.

    Args:
        kinds: recipe kinds to search.
        budget_s: no batch of recipes is begun after so many seconds.
        jobs: worker processes; a joblib backend that is set applies.
        progress: called with recipes done, recipes known, share of the time used, best so far.
    An interrupt (Ctrl-C) ends the search with what was found, once there is something.
    """
    start = time.monotonic()
    counts = feature_counts(len(task.order))
    queue = _seeds(kinds, counts, task)
    tried: dict[Recipe, Tried | None] = {}
    bar = np.inf
    try:
        with Parallel(n_jobs=jobs) as parallel:
            while queue:
                used = (time.monotonic() - start) / budget_s
                if used >= 1 and any(t is not None and t.fits for t in tried.values()):
                    break
                batch, queue = queue[: jobs * ROUNDS_AHEAD], queue[jobs * ROUNDS_AHEAD :]
                results = parallel(delayed(judge)(task, recipe, bar) for recipe in batch)
                tried.update(zip(batch, results, strict=True))
                done = ranked(tried.values())
                bar = done[0].first if done and done[0].fits else np.inf
                progress(len(tried), len(tried) + len(queue), min(used, 1.0), done[0] if done else None)
                queue = _next(done, queue, set(tried), counts, task)
    except KeyboardInterrupt:
        if not any(tried.values()):
            raise
    return ranked(tried.values())


def finals(task: Task, tried: Sequence[Tried], other_folds: Sequence[Folds], *, jobs: int) -> list[Tried]:
    """Judge the best few on other folds too and rank them by the mean: the first of many is often a lucky one."""
    best = [t for t in tried if t.fits][:FINALISTS]
    if len(best) < 2:
        return list(tried)
    tasks = [replace(task, folds=folds) for folds in other_folds]
    again = Parallel(n_jobs=jobs)(delayed(judge)(other, t.recipe) for t in best for other in tasks)
    judged = []
    for i, t in enumerate(best):
        rounds = [t, *(found for found in again[i * len(tasks) : (i + 1) * len(tasks)] if found is not None)]
        margins, right = (np.concatenate([getattr(r, name) for r in rounds]) for name in ("margins", "right"))
        judged.append(
            replace(
                t,
                accuracy=float(np.mean([r.accuracy for r in rounds])),
                cost=float(np.mean([r.cost for r in rounds])),
                surprise=float(np.mean([r.surprise for r in rounds])),
                bytes=max(r.bytes for r in rounds),
                margins=margins,
                right=right,
                fits=all(r.fits for r in rounds),
            )
        )
    return [*ranked(judged), *(t for t in tried if not any(t is b for b in best))]


def ranked(tried: object) -> list[Tried]:
    """Return the recipes that could be made, those within the limits first, then by loss, then by bytes."""
    found = [t for t in tried if t is not None]  # type: ignore[attr-defined]
    return sorted(found, key=lambda t: (not t.fits, t.loss, t.bytes))


def front(tried: Sequence[Tried]) -> list[Tried]:
    """Return those that no smaller one beats, ascending in bytes."""
    best, result = np.inf, []
    for t in sorted(tried, key=lambda t: (t.bytes, t.loss)):
        if t.loss < best:
            best = t.loss
            result.append(t)
    return result


def _seeds(kinds: Sequence[str], counts: list[int], task: Task) -> list[Recipe]:
    """Return where the search begins: of each kind the largest that may fit, and smaller, of few features and many."""
    first, then = [], []
    for share in (1.0, 0.5, 0.75, 0.25, 0.0):
        features = counts[round(share * (len(counts) - 1))]
        for kind in kinds:
            fitting = [r for r in (Recipe(kind, size, features) for size in LADDERS[kind]) if _promising(r, task)]
            if fitting:
                middle = round(0.6 * (len(LADDERS[kind]) - 1))
                first.append(fitting[min(len(fitting) - 1, middle)])
                then += [fitting[len(fitting) // 3], fitting[0]]
    smallest = [Recipe(kind, LADDERS[kind][0], features) for features in counts[:2] for kind in kinds]
    return list(dict.fromkeys([*first, *then, *smallest]))


def _next(
    done: Sequence[Tried], queue: Sequence[Recipe], known: set[Recipe], counts: list[int], task: Task
) -> list[Recipe]:
    """Return the untried neighbours of the best, then the rest of the queue, then the front's neighbours."""
    near = [n for t in [t for t in done if t.fits][:3] for n in neighbours(t.recipe, counts)]
    far = [n for t in reversed(front(done)) for n in neighbours(t.recipe, counts)]
    wanted = dict.fromkeys(recipe for recipe in (*near, *queue, *far) if recipe not in known)
    return [recipe for recipe in wanted if _promising(recipe, task)]


def _promising(recipe: Recipe, task: Task) -> bool:
    """Tell whether a recipe's rough size leaves it a chance within the limits."""
    return task.limits.max_bytes is None or rough_bytes(recipe, task) <= SLACK * task.limits.max_bytes


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
