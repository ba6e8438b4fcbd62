"""The tuner: searches families, sizes and numbers of features for the best student within the limits.

It climbs: from a few recipes of each kind on to the neighbours of those that nothing smaller beats,
until all are tried or the time is up. What it goes by comes from cross-validation inside the training part.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace

import numpy as np
from joblib import Parallel, delayed

from dibble_tools.training.cross_validation import (
    Candidate,
    Predictions,
    Task,
    cross_validate,
    figures,
    rough_bytes,
    spread_of,
)
from dibble_tools.training.intervals import paired_error
from dibble_tools.training.recipes import LADDERS, Recipe, feature_counts, neighbours

FINALISTS = 8
EQUAL = 0.01  # of loss: what differs more is never called equal
SLACK = 1.15  # a recipe is tried when its rough size is within so many times the limit
ROUNDS_AHEAD = 2  # recipes handed to each worker at once


def search(
    task: Task,
    kinds: Sequence[str],
    *,
    budget_s: float,
    jobs: int,
    progress: Callable[[int, int, float, Candidate | None], None] = lambda done, known, share, best: None,
    now: Callable[[], float] = time.monotonic,
) -> list[Candidate]:
    """Return every recipe tried, best first.

    Args:
        kinds: recipe kinds to search.
        budget_s: no batch of recipes is begun after so many seconds.
        jobs: worker processes; a joblib backend that is set applies.
        progress: called with recipes done, recipes known, share of the time used, best so far.
        now: the clock that the budget goes by.
    An interrupt (Ctrl-C) ends the search with what was found, once there is something.
    """
    start = now()
    counts = feature_counts(task.features)
    queue = _seeds(kinds, counts, task)
    tried: dict[Recipe, Candidate | None] = {}
    incumbent, spread = None, np.inf
    try:
        with Parallel(n_jobs=jobs) as parallel:
            while queue:
                used = (now() - start) / max(budget_s, 0.001)
                if used >= 1 and any(t is not None and t.fits for t in tried.values()):
                    break
                batch, queue = queue[: jobs * ROUNDS_AHEAD], queue[jobs * ROUNDS_AHEAD :]
                results = parallel(delayed(cross_validate)(task, recipe, incumbent, spread) for recipe in batch)
                tried.update(zip(batch, results, strict=True))
                done = ranked(tried.values())
                incumbent = done[0] if done and done[0].fits and done[0].complete else None
                spread = spread_of([c for c in done if c.complete])
                progress(len(tried), len(tried) + len(queue), min(used, 1.0), done[0] if done else None)
                queue = _next(done, queue, set(tried), counts, task)
    except KeyboardInterrupt:
        if not any(tried.values()):
            raise
    return ranked(tried.values())


def finalists(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the best few within the limits: those worth a second look."""
    return [c for c in candidates if c.fits and c.complete][:FINALISTS]


def rerank(
    candidates: Sequence[Candidate],
    others: Iterable[Task],
    *,
    jobs: int,
    left_s: Callable[[], float] = lambda: np.inf,
) -> list[Candidate]:
    """Return the candidates, the best few ranked by other folds too, the steadiest of those first.

    The first of many is often a lucky one. Among recipes that chance may have put in this order, the smallest
    comes first: see `equal_and_smallest`.

    Args:
        others: the same task on other folds, or with another seed; made as they are asked for.
        left_s: seconds left; once there are none, those that got no second look fall back behind the others.
    """
    best = finalists(candidates)
    rounds: list[list[Candidate | None]] = [[c] for c in best]
    last: Task | None = None
    for task in others if len(best) > 1 else ():
        again: list[Candidate | None] = []
        while len(again) < len(best) and (left_s() > 0 or not again):
            some = best[len(again) : len(again) + jobs]
            again += Parallel(n_jobs=jobs)(delayed(cross_validate)(task, c.recipe) for c in some)
        if len(again) < 2:
            break
        best, last = best[: len(again)], task
        rounds = [[*before, c] for before, c in zip(rounds, again, strict=False)]
    if last is not None:
        best = ranked(merged(each, last) for each in rounds)
    first = equal_and_smallest(best)
    rest = [c for c in candidates if not any(c.recipe == b.recipe for b in best)]
    return [*(best[i] for i in (first, *(i for i in range(len(best)) if i != first)) if best), *rest]


def merged(rounds: Sequence[Candidate | None], task: Task) -> Candidate:
    """Return one candidate of several cross-validations of the same recipe."""
    made = [c for c in rounds if c is not None]
    parts = [c.predictions for c in made]
    predictions = Predictions(*(np.concatenate([getattr(p, each.name) for p in parts]) for each in fields(Predictions)))
    return replace(
        made[0],
        predictions=predictions,
        losses=np.concatenate([c.losses for c in made]),
        fold_losses=[loss for c in made for loss in c.fold_losses],
        **figures(predictions, task.costs),
        bytes=max(c.bytes for c in made),
        fits=all(c.fits for c in made) and len(made) == len(rounds),
    )


def equal_and_smallest(best: Sequence[Candidate]) -> int:
    """Return the index of the smallest candidate that isn't worse than the first beyond one standard error.

    The error is that of the difference, row by row, whole groups drawn; a difference over EQUAL is always one.
    Source: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 7.10, the one-standard-error rule.
    """
    chosen = 0
    for i, c in enumerate(best):
        first = best[0]
        if len(c.losses) != len(first.losses) or c.fits < first.fits:
            continue
        error = paired_error(c.losses - first.losses, first.predictions.units)
        if c.loss - first.loss <= min(error, EQUAL) and c.bytes < best[chosen].bytes:
            chosen = i
    return chosen


def ranked(candidates: Iterable[Candidate | None]) -> list[Candidate]:
    """Return those that could be made, those within the limits first, then by loss, then by bytes."""
    found = [c for c in candidates if c is not None]
    return sorted(found, key=lambda c: (not c.fits, not c.complete, c.loss, c.bytes))


def front(tried: Sequence[Candidate]) -> list[Candidate]:
    """Return those that no smaller one beats, ascending in bytes; what was left half-way isn't among them."""
    best, result = np.inf, []
    for t in sorted((t for t in tried if t.complete), key=lambda t: (t.bytes, t.loss)):
        if t.loss < best:
            best = t.loss
            result.append(t)
    return result


def _seeds(kinds: Sequence[str], counts: list[int], task: Task) -> list[Recipe]:
    """Return where the search begins: of each kind the largest that may fit, and smaller, of few features and many.

    What only might fit, by SLACK, has to wait: where the first seeds don't, those that do come late.
    """
    able = {kind: [n for n in counts if _promising(Recipe(kind, LADDERS[kind][0], n), task, 1.0)] for kind in kinds}
    first, then = [], []
    for share in (1.0, 0.5, 0.75, 0.25, 0.0):
        for kind in kinds:
            own = able[kind] or counts[:1]
            features = own[round(share * (len(own) - 1))]
            fitting = [r for r in (Recipe(kind, size, features) for size in LADDERS[kind]) if _promising(r, task, 1.0)]
            if fitting:
                middle = round(0.6 * (len(LADDERS[kind]) - 1))
                first.append(fitting[min(len(fitting) - 1, middle)])
                then += [fitting[len(fitting) // 3], fitting[0]]
    smallest = [Recipe(kind, LADDERS[kind][0], features) for features in counts[:2] for kind in kinds]
    return list(dict.fromkeys([*first, *then, *smallest]))


def _next(
    done: Sequence[Candidate], queue: Sequence[Recipe], known: set[Recipe], counts: list[int], task: Task
) -> list[Recipe]:
    """Return the untried neighbours of the best, then the rest of the queue, then the front's neighbours."""
    near = [n for t in [t for t in done if t.fits][:3] for n in neighbours(t.recipe, counts)]
    far = [n for t in reversed(front(done)) for n in neighbours(t.recipe, counts)]
    wanted = dict.fromkeys(recipe for recipe in (*near, *queue, *far) if recipe not in known)
    return [recipe for recipe in wanted if _promising(recipe, task)]


def _promising(recipe: Recipe, task: Task, slack: float = SLACK) -> bool:
    """Tell whether a recipe's rough size leaves it a chance within the limits."""
    return task.limits.max_bytes is None or rough_bytes(recipe, task) <= slack * task.limits.max_bytes
