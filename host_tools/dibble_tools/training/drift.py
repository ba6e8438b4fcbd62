"""Features that drift: what they say differs more from group to group than from class to class.

A thermometer beside a nose tells which day it was; a model that leans on it is right on the days it has seen.
Leaving such features out helps where others say enough; where all sensors drift alike it takes what there is.
Cross-validation tells which.
"""

from collections.abc import Sequence

import numpy as np

RATIO = 3.0  # of the variance between groups to that between classes, from which on a feature drifts
LEAST = 0.1  # of a feature's whole variance
SHOWN = 5


def drifting(values: np.ndarray, y: np.ndarray, units: np.ndarray) -> frozenset[int]:
    """Return the features that drift between groups.

    Values are taken by rank. Between groups: the variance of the groups' means, each row's class mean taken away.
    Between classes: that of the classes' means inside a group.

    Args:
        values: (rows, features); y: class indices; units: of each row its group.
    """
    rows = len(values)
    ranks = np.sqrt(12) * (_ranks(values) / rows - 0.5)  # variance 1
    classes, groups = np.unique(y), np.unique(units)
    if len(groups) < 2:
        return frozenset()
    rest = ranks.copy()
    for k in classes:
        rest[y == k] -= ranks[y == k].mean(axis=0)
    between_groups = np.zeros(values.shape[1])
    between_classes = np.zeros(values.shape[1])
    told = 0
    for group in groups:
        mine = units == group
        centre = rest[mine].mean(axis=0)
        between_groups += mine.sum() * centre * centre
        there = [mine & (y == k) for k in classes if (mine & (y == k)).any()]
        if len(there) < 2:
            continue
        told += mine.sum()
        whole = ranks[mine].mean(axis=0)
        for rows_of_class in there:
            away = ranks[rows_of_class].mean(axis=0) - whole
            between_classes += rows_of_class.sum() * away * away
    between_groups /= rows
    between_classes /= max(told, 1)
    found = (between_groups > RATIO * between_classes) & (between_groups > LEAST)
    return frozenset(np.flatnonzero(found).tolist())


def without(order: list[int], left_out: frozenset[int]) -> list[int]:
    """Return the order of features without some of them; the first of all where none is left."""
    return [i for i in order if i not in left_out] or order[:1]


def note(names: Sequence[str], accuracies: tuple[float, float] | None, *, left_out: bool) -> str:
    """Return what is told of features that drift.

    Args:
        accuracies: cross-validated, of quick models with and without them; None where none could be made.
    """
    which = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    verb, them = ("drifts", "it") if len(names) == 1 else ("drift", "them")
    done = "left out" if left_out else f"kept, as leaving {them} out didn't help"
    if accuracies is not None:
        before, after = (f"{100 * accuracy:.1f} %" for accuracy in accuracies)
        done += f" (quick models, cross-validated: {before} with {them}, {after} without)"
    return f"{which} {verb} between groups more than between classes: {done}"


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return each column's ranks from 0.5 on, equal values sharing their mean."""
    ranks = np.empty(values.shape)
    for f in range(values.shape[1]):
        _, index, counts = np.unique(values[:, f], return_inverse=True, return_counts=True)
        ranks[:, f] = (np.cumsum(counts) - counts / 2)[index]
    return ranks
