"""Fit the leaves of all trees of an ensemble together: logistic regression on which leaf a row comes to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dibble_tools.common import portable
from dibble_tools.families.lbfgs import minimize

ITERATIONS = 60
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Leaves:
    """The leaves of an ensemble, and which of them rows come to.

    Attributes:
        where: (trees, rows) index in `values` of the leaf that each tree sends a row to.
        columns: each tree's class.
        values: of each leaf, in nats.
        base: (classes,) scores before any tree, in nats.
    """

    where: np.ndarray
    columns: Sequence[int]
    values: np.ndarray
    base: np.ndarray

    def logits(self) -> np.ndarray:
        """Return the scores (rows, classes) of the rows."""
        out = np.repeat(self.base[:, None], self.where.shape[1], axis=1)
        for at, column in zip(self.where, self.columns, strict=True):
            out[column] += self.values[at]
        return out.T


def loss_of(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    """Return the cross-entropy in nats a row."""
    return -portable.dot(weights, (targets * portable.log_softmax(logits)).sum(axis=1)) / float(weights.sum())


def fit_leaves(
    leaves: Leaves,
    targets: np.ndarray,
    weights: np.ndarray,
    *,
    toward: np.ndarray,
    strength: np.ndarray,
    lowest: np.ndarray | None = None,
    highest: np.ndarray | None = None,
) -> Leaves:
    """Return the leaves of least cross-entropy over the rows + strength / 2 * (values - toward)**2.

    Args:
        leaves: to begin with.
        targets, weights: (rows, classes), (rows,).
        toward, strength: of each value.
        lowest, highest: bounds of each value; none if left out.
    Source: Ren et al., Global Refinement of Random Forest, CVPR 2015, with the cross-entropy as its loss.
    """
    where, columns = leaves.where, leaves.columns
    n = len(leaves.values)
    p = portable.softmax(leaves.logits())
    curvature = np.ascontiguousarray((p * (1 - p) * weights[:, None]).T)
    steep = np.concatenate([strength, curvature.sum(axis=1)])
    for at, column in zip(where, columns, strict=True):
        steep[:n] += np.bincount(at, curvature[column], n)
    scale = 1 / np.sqrt(steep + 1e-3)  # makes all directions about as steep, so that few iterations do

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        v, b = (z * scale)[:n], (z * scale)[n:]
        scores = replace(leaves, values=v, base=b).logits()
        scores -= scores.max(axis=1, keepdims=True)
        powers = portable.exp(scores)
        total = powers.sum(axis=1, keepdims=True)
        nats = portable.log(total[:, 0]) - (targets * scores).sum(axis=1)
        loss = portable.dot(weights, nats) + 0.5 * portable.dot(strength, (v - toward) * (v - toward))
        residual = np.ascontiguousarray(((powers / total - targets) * weights[:, None]).T)
        slope = strength * (v - toward)
        for at, column in zip(where, columns, strict=True):
            slope += np.bincount(at, residual[column], n)
        return loss, np.concatenate([slope, residual.sum(axis=1)]) * scale

    free = np.full(n, np.inf)
    low, high = (-free if lowest is None else lowest), (free if highest is None else highest)
    endless = np.full(len(leaves.base), np.inf)
    found = scale * minimize(
        objective,
        np.concatenate([leaves.values, leaves.base]) / scale,
        steps=ITERATIONS,
        tolerance=TOLERANCE,
        lowest=np.concatenate([low, -endless]) / scale,
        highest=np.concatenate([high, endless]) / scale,
    )
    return replace(leaves, values=found[:n], base=found[n:])
