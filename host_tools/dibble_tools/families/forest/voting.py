"""Voting forests distilled from soft targets: each leaf votes for its class, with an amount that tells how surely."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from dibble_tools.common import portable
from dibble_tools.families.forest.binning import Bins, fit_bins
from dibble_tools.families.forest.integer_trees import IntegerTrees, leaf_id, with_leaves
from dibble_tools.families.forest.pages import MAX_LEAVES
from dibble_tools.families.forest.pruning import prune
from dibble_tools.families.forest.tree_sharing import share

WEIGHT_STEPS = 64
TINY_TARGET = 0.01  # a class with a smaller share of a row isn't worth a copy of the row


@dataclass(frozen=True)
class VotingStages:
    """What came of a voting fit, stage by stage.

    Attributes:
        bins: what the forest was fitted on.
        forest: scikit-learn's, before pruning; its classes are indices.
        classes: number of classes.
        trees: the integer trees.
        margin_unit: 1.0, for a vote isn't a log-odds.
    """

    bins: Bins
    forest: RandomForestClassifier
    classes: int
    trees: IntegerTrees
    margin_unit: float = 1.0

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Return each class's share of the float forest's leaves, summed over trees: (rows, classes)."""
        out = np.zeros((len(values), self.classes))
        out[:, self.forest.classes_] = self.forest.predict_proba(self.bins.of(values)) * len(self.forest.estimators_)
        return out


@dataclass(frozen=True)
class VotingRecipe:
    """How a voting forest is made.

    Attributes:
        trees, leaves: number of trees, and of leaves a tree at most.
        max_nodes: splits to prune to; None prunes none.
        features: those that may be asked about; None for all.
        thresholds: distinct ones a feature at most.
        amounts: of a leaf that is sure; others give 1.. in proportion to the lead of their class's share.
            1 is a plain vote; at most 100 / classes.
    """

    trees: int
    leaves: int
    max_nodes: int | None = None
    features: Sequence[int] | None = None
    thresholds: int = 64
    amounts: int = 3


def fit_voting(
    values: np.ndarray, targets: np.ndarray, weights: np.ndarray, recipe: VotingRecipe, seed: int = 0
) -> VotingStages:
    """Fit a random forest to soft targets, prune it, and turn it into integers.

    Args:
        values: training rows, int64 (rows, features).
        targets: share of each class, float64 (rows, classes).
        weights: of each row, float64.
    Raises:
        InputError: a score could exceed 65535.
    """
    classes = targets.shape[1]
    bins = fit_bins(values, recipe.thresholds, recipe.features)
    rows, labels = np.nonzero(targets >= TINY_TARGET)  # in the order of rows: hard targets leave them as they are
    forest = RandomForestClassifier(recipe.trees, max_leaf_nodes=recipe.leaves, random_state=seed)
    # Weights of few bits: the sums of squares that tell splits apart are exact then, on every computer.
    mass = np.maximum(np.rint(weights[rows] * targets[rows, labels] * WEIGHT_STEPS), 1) / WEIGHT_STEPS
    forest.fit(bins.of(values)[rows], labels, sample_weight=mass)
    steps = min(recipe.amounts, MAX_LEAVES // classes)
    grown, risks = [], []
    for estimator in forest.estimators_:
        tree = estimator.tree_
        shares = tree.value[:, 0] / tree.value[:, 0].sum(axis=1, keepdims=True)
        leaf = forest.classes_[shares.argmax(axis=1)]
        if steps > 1:
            leaf = leaf_id(leaf, np.maximum(np.round(_lead(shares) * steps), 1).astype(np.int64))
        grown.append(bins.grown(tree, leaf))
        risks.append(tree.weighted_n_node_samples * _entropy(shares))
    nodes, roots = share(grown) if recipe.max_nodes is None else prune(grown, risks, recipe.max_nodes)
    integer = with_leaves(nodes, roots, [0] * classes) if steps > 1 else IntegerTrees(nodes, roots, classes)
    integer.check()
    return VotingStages(bins, forest, classes, integer)


def _entropy(shares: np.ndarray) -> np.ndarray:
    """Return the entropy in nats of each row."""
    return -(shares * portable.log(np.maximum(shares, 1e-12))).sum(axis=1)


def _lead(shares: np.ndarray) -> np.ndarray:
    """Return the lead of the largest share of each row over the next; of a single one, all of it."""
    top = np.sort(np.pad(shares, ((0, 0), (1, 0))), axis=1)
    return top[:, -1] - top[:, -2]
