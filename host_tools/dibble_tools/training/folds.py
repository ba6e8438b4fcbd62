"""Folds for cross-validation in which whatever saw labels saw those of the fold's own training rows alone.

Soft labels of a teacher that knew the rows to be scored would tell a student their answers: it would be
chosen by how well it copies the teacher.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed

from dibble_tools.data.future import apart
from dibble_tools.data.prepare import Prepared
from dibble_tools.data.splits import folds
from dibble_tools.training.costs import Costs
from dibble_tools.training.drift import drifting, without
from dibble_tools.training.dropouts import with_dropouts
from dibble_tools.training.ranking import rank_features
from dibble_tools.training.teacher import soft_labels
from dibble_tools.training.training_set import TrainingSet, mix

SOFT_SHARE = 0.5  # of a target that the teacher's opinion makes up; the rest is the label
MOST_RANKED = 255
SEARCH_ROWS = 4000  # of a fold's rows, so many at most teach a candidate; fewer with more than two classes
BLOCKS = 20  # of time: rows of one are taken as one draw, as those of a group are

Parts = Sequence[tuple[np.ndarray, np.ndarray]]  # (rows to learn from, rows to score)


@dataclass(frozen=True)
class Fold:
    """One round of cross-validation.

    Attributes:
        training_set: what students learn from.
        order: features, best first, by the training set.
        rows: which rows of the data set are scored.
        values, y_true: feature values and class indices of these.
        units: which group each of these is of, or block of time; else each row is one.
        drifting: features that drift between the groups of the rows to learn from.
    """

    training_set: TrainingSet
    order: list[int]
    rows: np.ndarray
    values: np.ndarray
    y_true: np.ndarray
    units: np.ndarray
    drifting: frozenset[int] = frozenset()

    def labels_alone(self) -> "Fold":
        """Return the same round without a teacher."""
        training_set = self.training_set.labels_alone()
        return replace(self, training_set=training_set, order=order_of(training_set))

    def uncorrelated(self) -> "Fold":
        """Return the same round whose networks learn from uncorrelated inputs."""
        return replace(self, training_set=replace(self.training_set, uncorrelated=True))

    def steady(self) -> "Fold":
        """Return the same round without the features that drift."""
        return replace(self, order=without(self.order, self.drifting))


@dataclass(frozen=True)
class Learner:
    """All that turns labelled rows into what students learn from.

    Attributes:
        data: the data set, y its class indices, classes how many there are.
        costs, balance: see `Costs.row_weights`.
        quick: by fewer trees: while recipes are searched, time is better spent on recipes.
        steady: leave out features that drift between the groups of the rows to learn from.
        labels_alone: no teacher tells students what it thinks.
        uncorrelated: networks learn from uncorrelated inputs.
        jobs: processes, or workers of the joblib backend that is active.
    """

    data: Prepared
    y: np.ndarray
    classes: int
    costs: Costs
    balance: float
    seed: int
    jobs: int
    quick: bool = False
    steady: bool = False
    labels_alone: bool = False
    uncorrelated: bool = False

    def parts(self, rows: np.ndarray, seed: int, *, each_group: bool = False) -> Parts:
        """Return rows to learn from and rows to score of a cross-validation inside `rows`, as positions in them.

        Parts that would have to learn from one class alone, of several, are left out; there may be none at all.
        """
        mask = np.zeros(len(self.y), dtype=bool)
        mask[rows] = True
        found = folds(self.data.ds, mask, seed=seed, each_group=each_group, units=self.data.split.units)
        ds, ahead_ms = self.data.ds, self.data.ahead_ms
        found = [(apart(ds, each, held, ahead_ms), held) for each, held in found]
        least = min(2, len(np.unique(self.y[rows])))  # of classes
        found = [(fit, held) for fit, held in found if len(np.unique(self.y[fit])) >= least]
        return [(np.searchsorted(rows, fit), np.searchsorted(rows, held)) for fit, held in found]

    def training_set(self, rows: np.ndarray) -> TrainingSet:
        """Return what students learn from of some rows: nothing but these rows' labels is in it."""
        values, y = self.data.values[rows], self.y[rows]
        weights = self.costs.row_weights(y, self.balance)
        targets = np.eye(self.classes)[y]
        parts = [] if self.labels_alone else self.parts(rows, self.seed)
        if parts:
            soft = soft_labels(values, y, self.classes, weights, parts, seed=self.seed, quick=self.quick)
            targets = mix(soft, y, SOFT_SHARE)
        found = TrainingSet(values, self.data.limits, self.data.lows, targets, y, weights, self.uncorrelated)
        return with_dropouts(found, self.data, self.seed) if self.data.stand_ins else found

    def fold(self, fit: np.ndarray, score: np.ndarray) -> Fold:
        """Return a round that learns from rows `fit` and scores rows `score`, those of a class it can know."""
        few = np.random.default_rng(self.seed).permutation(fit)[: round(SEARCH_ROWS / np.sqrt(self.classes - 1))]
        known = np.isin(self.y[score], self.y[few])
        score = score[known] if known.any() else score
        few = np.sort(few)
        training_set = self.training_set(few)
        values, units = self.data.values[score], self.units()
        order, drifters = order_of(training_set), self.drifting(few)
        fold = Fold(training_set, order, score, values, self.y[score], units[score], drifters)
        return fold.steady() if self.steady else fold

    def drifting(self, rows: np.ndarray) -> frozenset[int]:
        """Return the features that drift between the groups, or blocks of time, of some rows."""
        units = self.units()[rows]
        if len(np.unique(units)) == len(rows):
            return frozenset()
        return drifting(self.data.values[rows], self.y[rows], units)

    def order(self, rows: np.ndarray, training_set: TrainingSet) -> list[int]:
        """Return the features of the training set of some rows, best first."""
        found = order_of(training_set)
        return without(found, self.drifting(rows)) if self.steady else found

    def folds(self, rows: np.ndarray, parts: Parts, progress: Callable[[int], None] = lambda done: None) -> list[Fold]:
        """Return a round for each part, made side by side."""
        tasks = (delayed(self.fold)(rows[fit], rows[score]) for fit, score in parts)
        made = []
        for fold in Parallel(self.jobs, return_as="generator")(tasks):
            made.append(fold)
            progress(len(made))
        return made

    def units(self) -> np.ndarray:
        """Return for each row of the data set the group, recording or block of time it is drawn with; else itself."""
        ds = self.data.ds
        if ds.groups is not None and len(set(ds.groups)) > 1:
            return np.unique(ds.groups, return_inverse=True)[1]
        if self.data.split.units is not None:
            return self.data.split.units
        rows = np.arange(len(self.y))
        return rows * BLOCKS // len(rows) if ds.times_ms is not None else rows


def order_of(training_set: TrainingSet) -> list[int]:
    """Return the features of a training set, best first."""
    s = training_set
    most = min(MOST_RANKED, s.values.shape[1])
    return rank_features(s.values, s.limits, s.lows, s.targets, s.weights, most=most)
