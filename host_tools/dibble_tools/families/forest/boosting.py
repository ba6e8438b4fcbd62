"""Boosted forests: trees that correct each other, with integer scores in their leaves.

Each tree is a DecisionTreeRegressor on Newton targets, gradient / curvature weighted by the
curvature: scikit-learn's GradientBoostingClassifier takes hard labels only, and with a copy of a row for
each class its curvature, p (1 - p) from the labels, would come out wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from dibble_tools.common import portable
from dibble_tools.families.forest.binning import Bins, coarser, fit_bins
from dibble_tools.families.forest.integer_trees import AMOUNT_MAX, IntegerTrees, leaf_id, with_leaves
from dibble_tools.families.forest.leaf_fitting import Leaves, fit_leaves, loss_of
from dibble_tools.families.forest.leaf_sharing import SharedLeaves, share_leaves
from dibble_tools.families.forest.tree_sharing import share

MARGIN_UNIT = 128.0  # a rounding of 1/256 nat a leaf; halved where an amount leaves its byte
CURVATURE_MIN = 1e-3  # of a row: keeps its Newton target finite
LEAF_MIN = 1.0  # curvature of a leaf: 4 undecided rows
MASS_STEPS, NEWTON_STEPS = 2**12, 2**6  # the grids of what trees grow on: their products' sums are exact
ALIKE = 0.997  # of the training rows, that shared leaves decide as leaves of their own do, or there are finer levels
FINER = 3  # numbers of levels tried, each twice the one before
SHARE_MIN = 1e-4  # of a class: keeps its base finite


@dataclass(frozen=True)
class Ensemble:
    """Float trees, each for one class.

    Attributes:
        bins: what the trees ask about.
        trees: scikit-learn's `estimator.tree_`.
        columns: each tree's class; with two classes always 1.
        firsts: index of each tree's first leaf in `values`, where its leaves are in the order of its nodes.
        values: what each leaf adds to its tree's class, in nats.
        base: (classes,) scores before any tree, in nats.
    """

    bins: Bins
    trees: list[Any]
    columns: list[int]
    firsts: list[int]
    values: np.ndarray
    base: np.ndarray

    def leaf_of_nodes(self) -> list[np.ndarray]:
        """Return for each tree the index in `values` of each node; of a split, anything valid."""
        ids = [np.maximum(np.cumsum(tree.children_left < 0) - 1, 0) for tree in self.trees]
        return [first + own for first, own in zip(self.firsts, ids, strict=True)]

    def where(self, values: np.ndarray) -> np.ndarray:
        """Return the index of each tree's leaf (trees, rows) for feature values (rows, features)."""
        bins = self.bins.of(values)
        pairs = zip(self.trees, self.leaf_of_nodes(), strict=True)
        return np.array([leaves[tree.apply(bins)] for tree, leaves in pairs], dtype=np.int64)

    def leaves(self, values: np.ndarray) -> Leaves:
        """Return the leaves that rows of feature values come to."""
        return Leaves(self.where(values), self.columns, self.values, self.base)


@dataclass(frozen=True)
class BoostedStages:
    """What came of a boosted fit, stage by stage.

    Attributes:
        ensemble: the float trees, their leaves fitted together.
        shared: their leaves once they share values.
        trees: the integer trees.
        margin_unit: score steps of `trees` a nat.
        losses: cross-entropy in nats a training row, of "grown", "fitted", "shared" and "integer" leaves.
    """

    ensemble: Ensemble
    shared: SharedLeaves
    trees: IntegerTrees
    margin_unit: float
    losses: dict[str, float]

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Return float scores in nats (rows, classes), before leaves share values."""
        return self.ensemble.leaves(values).logits()


@dataclass(frozen=True)
class BoostedRecipe:
    """How a forest is boosted.

    Attributes:
        rounds: trees a class; with two classes trees in all.
        leaves: of a tree, at most.
        rate: how much of a Newton step a tree takes while growing.
        features: those that may be asked about; None for all.
        thresholds: candidates a feature, at most.
        coarsen: distinct thresholds a feature in the end, at most: a first fit tells which; None leaves that out.
        levels: distinct leaf values a class, at most; they hold to 100 in all.
        ridge: pulls leaf values towards 0, as this many rows of full curvature would.
    """

    rounds: int
    leaves: int
    rate: float = 0.2
    features: Sequence[int] | None = None
    thresholds: int = 64
    coarsen: int | None = None
    levels: int = 8
    ridge: float = 5.0


def fit_boosted(
    values: np.ndarray, targets: np.ndarray, weights: np.ndarray, recipe: BoostedRecipe, seed: int = 0
) -> BoostedStages:
    """Boost trees on soft targets, fit all leaves together, let them share values and turn them into integers.

    Args:
        values: training rows, int64 (rows, features).
        targets: share of each class, float64 (rows, classes).
        weights: of each row, float64, mean about 1.
        seed: breaks ties between splits.
    Raises:
        InputError: a score could leave 0..65535.
    """
    bins = fit_bins(values, recipe.thresholds, recipe.features)
    e = _grow(bins, values, targets, weights, recipe, seed)
    if recipe.coarsen is not None:
        e = _grow(coarser(bins, e.trees, recipe.coarsen), values, targets, weights, recipe, seed)
    grown = e.leaves(values)
    losses = {"grown": loss_of(grown.logits(), targets, weights)}
    zero, strength = np.zeros(len(e.values)), np.full(len(e.values), recipe.ridge)
    fitted = fit_leaves(grown, targets, weights, toward=zero, strength=strength)
    e = replace(e, values=fitted.values, base=fitted.base)
    losses["fitted"] = loss_of(fitted.logits(), targets, weights)
    own = portable.softmax(fitted.logits())  # towards the labels the levels would become another forest
    for finer in range(FINER):
        shared = share_leaves(fitted, own, weights, levels=recipe.levels << finer, ridge=recipe.ridge)
        trees, unit = to_integers(e, shared)
        whole, base = np.round(shared.values * unit) / unit, np.round(shared.base * unit) / unit
        rounded = Leaves(shared.level_of[fitted.where], e.columns, whole, base)
        if np.mean(rounded.logits().argmax(axis=1) == own.argmax(axis=1)) >= ALIKE:
            break
    trees.check()
    levels = replace(rounded, values=shared.values, base=shared.base)
    losses["shared"] = loss_of(levels.logits(), targets, weights)
    losses["integer"] = loss_of(rounded.logits(), targets, weights)
    return BoostedStages(e, shared, trees, unit, losses)


def to_integers(e: Ensemble, shared: SharedLeaves) -> tuple[IntegerTrees, float]:
    """Return the integer trees and their margin unit."""
    unit = MARGIN_UNIT
    while np.abs(shared.values).max(initial=0) * unit > AMOUNT_MAX:
        unit /= 2
    amounts = np.round(shared.values * unit).astype(np.int64)[shared.level_of]
    grown = []
    for tree, own, column in zip(e.trees, e.leaf_of_nodes(), e.columns, strict=True):
        amount = amounts[own]  # a negative one, which only two classes have, is for class 0
        grown.append(e.bins.grown(tree, leaf_id(np.where(amount < 0, 0, column), np.abs(amount))))
    nodes, roots = share(grown)
    return with_leaves(nodes, roots, [int(b) for b in np.round(shared.base * unit)]), unit


def _grow(
    bins: Bins, values: np.ndarray, targets: np.ndarray, weights: np.ndarray, recipe: BoostedRecipe, seed: int
) -> Ensemble:
    classes = targets.shape[1]
    binned = bins.of(values)
    base = portable.log(np.maximum((weights[:, None] * targets).sum(axis=0) / weights.sum(), SHARE_MIN))
    logits = np.tile(base, (len(values), 1))
    e = Ensemble(bins, [], [], [], np.zeros(0), base)
    parts: list[np.ndarray] = []
    for step in range(recipe.rounds):
        p = portable.softmax(logits)
        for column in [1] if classes == 2 else range(classes):
            gradient = targets[:, column] - p[:, column]
            curvature = np.maximum(p[:, column] * (1 - p[:, column]), CURVATURE_MIN)
            mass = np.maximum(np.rint(weights * curvature * MASS_STEPS), 1) / MASS_STEPS
            newton = np.rint(gradient / curvature * NEWTON_STEPS) / NEWTON_STEPS
            regressor = DecisionTreeRegressor(
                max_leaf_nodes=recipe.leaves,
                min_weight_fraction_leaf=min(LEAF_MIN / float(mass.sum()), 0.4),
                random_state=seed + step * classes + column,
            )
            tree = regressor.fit(binned, newton, sample_weight=mass).tree_
            leaf = (np.cumsum(tree.children_left < 0) - 1)[tree.apply(binned)]
            value = recipe.rate * np.bincount(leaf, weights * gradient) / (np.bincount(leaf, weights * curvature) + 1)
            logits[:, column] += value[leaf]
            e.trees.append(tree)
            e.columns.append(column)
            e.firsts.append(sum(len(part) for part in parts))
            parts.append(value)
    return replace(e, values=np.concatenate(parts))
