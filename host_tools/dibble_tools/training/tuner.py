"""The tuner: searches families, sizes and numbers of features for the best student within the limits.

It climbs: from a few recipes of each kind on to the neighbours of those that nothing smaller beats,
until all are tried or the time is up. What it goes by comes from `judging`, the training part only.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed

from dibble_tools.training.cross_validation import Folds, Task, Tried, judge, rough_bytes
from dibble_tools.training.recipes import LADDERS, Recipe, feature_counts, neighbours

FINALISTS = 8
SLACK = 1.15  # a recipe is tried when its rough size is within so many times the limit
ROUNDS_AHEAD = 2  # recipes handed to each worker at once


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
                used = (time.monotonic() - start) / max(budget_s, 0.001)
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
    counts = [n for n in counts if any(_promising(Recipe(k, LADDERS[k][0], n), task) for k in kinds)] or counts[:1]
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
