"""Voting forests distilled from soft targets: each leaf votes for its class, with an amount that tells how surely."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from dibble_tools.common import portable
from dibble_tools.families.forest.binning import fit_bins
from dibble_tools.families.forest.integer_trees import IntegerTrees, leaf_id, with_leaves
from dibble_tools.families.forest.leaf_sharing import clusters
from dibble_tools.families.forest.leaf_votes import refit_votes
from dibble_tools.families.forest.pages import MAX_LEAVES
from dibble_tools.families.forest.pruning import prune
from dibble_tools.families.forest.tree_sharing import Grown, leaves_of, share

WEIGHT_STEPS = 64
SURE = 32  # what a leaf that is sure gives
TINY_TARGET = 0.01  # a class with a smaller share of a row isn't worth a copy of the row


@dataclass(frozen=True)
class VotingStages:
    """What came of a voting fit, stage by stage.

    Attributes:
        pruned: the trees in floats.
        shares: of the classes, (nodes, classes) of each tree.
        trees: the integer trees.
        margin_unit: what a leaf that is sure gives: a vote. It isn't a log-odds.
    """

    pruned: list[Grown]
    shares: list[np.ndarray]
    trees: IntegerTrees
    margin_unit: float

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Return each class's share of the leaves of the pruned trees, summed over them: (rows, classes)."""
        return sum(shares[leaves_of(tree, values)] for tree, shares in zip(self.pruned, self.shares, strict=True))


@dataclass(frozen=True)
class VotingRecipe:
    """How a voting forest is made.

    Attributes:
        trees, leaves: number of trees, and of leaves a tree at most.
        max_nodes: splits to prune to; None prunes none.
        features: those that may be asked about; None for all.
        thresholds: distinct ones a feature at most.
        amounts: distinct ones of a class, in proportion to the lead of its share in a leaf. 1 is a plain vote; at most
            100 / classes.
    """

    trees: int
    leaves: int
    max_nodes: int | None = None
    features: Sequence[int] | None = None
    thresholds: int = 64
    amounts: int = 6


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
    amounts = min(recipe.amounts, MAX_LEAVES // classes)
    every, risks, leads = [], [], []
    for estimator in forest.estimators_:
        tree = estimator.tree_
        shares = np.zeros((tree.node_count, classes))
        shares[:, forest.classes_] = tree.value[:, 0] / tree.value[:, 0].sum(axis=1, keepdims=True)
        every.append(shares)
        risks.append(tree.weighted_n_node_samples * _entropy(shares))
        leads.append(_lead(shares))
    votes = np.split(_amounts(np.concatenate(leads), amounts), np.cumsum([len(lead) for lead in leads])[:-1])
    grown = []
    for estimator, shares, amount in zip(forest.estimators_, every, votes, strict=True):
        leaf = shares.argmax(axis=1)
        grown.append(bins.grown(estimator.tree_, leaf_id(leaf, amount) if amounts > 1 else leaf))
    pruned = grown if recipe.max_nodes is None else prune(grown, risks, recipe.max_nodes)
    nodes, roots = share(pruned)
    if amounts > 1:
        told = sum(shares[leaves_of(tree, values)] for tree, shares in zip(pruned, every, strict=True))
        nodes, roots = refit_votes(nodes, roots, values, told, float(SURE))
    integer = with_leaves(nodes, roots, [0] * classes) if amounts > 1 else IntegerTrees(nodes, roots, classes)
    integer.check()
    return VotingStages(pruned, every, integer, float(SURE) if amounts > 1 else 1.0)


def _amounts(leads: np.ndarray, most: int) -> np.ndarray:
    """Return what each leaf gives for its lead, 0..1: at least 1, at most `most` distinct amounts."""
    cluster = clusters(np.round(leads * SURE), np.ones(len(leads)), most)
    means = np.bincount(cluster, leads) / np.bincount(cluster)
    return np.maximum(np.round(means * SURE), 1).astype(np.int64)[cluster]


def _entropy(shares: np.ndarray) -> np.ndarray:
    """Return the entropy in nats of each row."""
    return -(shares * portable.log(np.maximum(shares, 1e-12))).sum(axis=1)


def _lead(shares: np.ndarray) -> np.ndarray:
    """Return the lead of the largest share of each row over the next; of a single one, all of it."""
    top = np.sort(np.pad(shares, ((0, 0), (1, 0))), axis=1)
    return top[:, -1] - top[:, -2]
