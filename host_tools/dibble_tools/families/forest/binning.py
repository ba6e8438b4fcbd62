"""Bins of a feature's values between candidate thresholds: trees grow on bins, and ask about few distinct thresholds.

Bins are small integers, so that float32 holds them exactly whatever the values are: a tree sends a
row of bins and a row of values to the same leaf by construction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dibble_tools.families.forest.leaf_sharing import clusters
from dibble_tools.families.forest.tree_sharing import Grown


@dataclass(frozen=True)
class Bins:
    """Candidate thresholds of some features.

    Attributes:
        features: their indices in the model.
        edges: for each of them, ascending thresholds, int64; a value's bin is the number of edges below it.
    """

    features: list[int]
    edges: list[np.ndarray]

    def of(self, values: np.ndarray) -> np.ndarray:
        """Return the bins, float32 (rows, len(self.features)), of feature values."""
        columns = zip(self.features, self.edges, strict=True)
        bins = [np.searchsorted(edges, values[:, f]) for f, edges in columns]
        return np.column_stack(bins).astype(np.float32)

    def grown(self, tree: object, leaf: np.ndarray) -> Grown:
        """Return a tree that scikit-learn grew on bins (`estimator.tree_`), asking about values.

        Args:
            leaf: id of each node's leaf; anything for a split.
        """
        t: Any = tree
        feature, threshold = np.zeros(t.node_count, dtype=np.int64), np.zeros(t.node_count, dtype=np.int64)
        for node in np.flatnonzero(t.children_left >= 0):
            feature[node] = self.features[t.feature[node]]
            threshold[node] = self.edges[t.feature[node]][int(t.threshold[node])]
        return Grown(feature, threshold, t.children_left, t.children_right, leaf)


def fit_bins(values: np.ndarray, most: int, features: Sequence[int] | None = None) -> Bins:
    """Choose at most `most` thresholds a feature, with about as many rows between each two.

    Args:
        values: training rows, int64 (rows, features).
        features: those that may be asked about; None for all.
    """
    used = list(range(values.shape[1])) if features is None else list(features)
    return Bins(used, [_edges(values[:, f], most) for f in used])


def coarser(bins: Bins, trees: Sequence[Any], most: int) -> Bins:
    """Keep at most `most` thresholds a feature: those most useful to trees grown on these bins.

    A feature's thresholds are clustered by rank, each weighing what its splits gained, and the most useful
    one of each cluster stays.

    Args:
        trees: scikit-learn's (`estimator.tree_`).
    """
    gains = [np.zeros(len(edges)) for edges in bins.edges]
    for t in trees:
        risk = t.weighted_n_node_samples * t.impurity
        for node in np.flatnonzero(t.children_left >= 0):
            gain = risk[node] - risk[t.children_left[node]] - risk[t.children_right[node]]
            gains[t.feature[node]][int(t.threshold[node])] += max(gain, 0.0)
    edges = []
    for own, gain in zip(bins.edges, gains, strict=True):
        used = np.flatnonzero(gain > 0)
        cluster = clusters(used.astype(np.float64), gain[used], most)
        kept = [used[cluster == i][gain[used[cluster == i]].argmax()] for i in range(cluster.max(initial=-1) + 1)]
        edges.append(own[np.array(kept, dtype=np.int64)])
    return Bins(bins.features, edges)


def _edges(column: np.ndarray, most: int) -> np.ndarray:
    """Return thresholds in the middle between neighbouring values."""
    distinct, counts = np.unique(column, return_counts=True)
    edges = (distinct[:-1] + distinct[1:]) >> 1
    if len(edges) > most:
        below = np.cumsum(counts)[:-1]
        wanted = np.arange(1, most + 1) * len(column) / (most + 1)
        edges = edges[np.unique(np.searchsorted(below, wanted).clip(max=len(edges) - 1))]
    return edges
