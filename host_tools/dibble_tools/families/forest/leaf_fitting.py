"""Fit the leaves of all trees of an ensemble together: logistic regression on which leaf a row comes to."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

ITERATIONS = 60
TOLERANCE = 1e-6


def logits_of(where: np.ndarray, columns: Sequence[int], values: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return the scores (rows, classes) of rows in leaves.

    Args:
        where: (trees, rows) index in `values` of the leaf that each tree sends a row to.
        columns: each tree's class.
        values: of each leaf.
        base: (classes,) scores before any tree.
    """
    out = np.repeat(base[:, None], where.shape[1], axis=1)
    for at, column in zip(where, columns, strict=True):
        out[column] += values[at]
    return out.T


def loss_of(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    """Return the cross-entropy in nats a row."""
    return float(-(weights @ (targets * log_softmax(logits, axis=1)).sum(axis=1)) / weights.sum())


def fit_leaves(
    where: np.ndarray,
    columns: Sequence[int],
    values: np.ndarray,
    base: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    *,
    toward: np.ndarray,
    strength: np.ndarray,
    lowest: np.ndarray | None = None,
    highest: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the (values, base) of least cross-entropy over the rows + strength / 2 * (values - toward)**2.

    Args:
        where, columns, values, base: see `logits_of`; values and base are the start.
        targets, weights: (rows, classes), (rows,).
        toward, strength: of each value.
        lowest, highest: bounds of each value; none if left out.
    Source: Ren et al., Global Refinement of Random Forest, CVPR 2015, with the cross-entropy as its loss.
    """
    n = len(values)
    p = softmax(logits_of(where, columns, values, base), axis=1)
    curvature = np.ascontiguousarray((p * (1 - p) * weights[:, None]).T)
    steep = np.concatenate([strength, curvature.sum(axis=1)])
    for at, column in zip(where, columns, strict=True):
        steep[:n] += np.bincount(at, curvature[column], n)
    scale = 1 / np.sqrt(steep + 1e-3)  # makes all directions about as steep, so that few iterations do

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        v, b = (z * scale)[:n], (z * scale)[n:]
        log_p = log_softmax(logits_of(where, columns, v, b), axis=1)
        loss = -(weights @ (targets * log_p).sum(axis=1)) + 0.5 * (strength @ (v - toward) ** 2)
        residual = np.ascontiguousarray(((np.exp(log_p) - targets) * weights[:, None]).T)
        slope = strength * (v - toward)
        for at, column in zip(where, columns, strict=True):
            slope += np.bincount(at, residual[column], n)
        return loss, np.concatenate([slope, residual.sum(axis=1)]) * scale

    free = np.full(n, np.inf)
    low, high = (-free if lowest is None else lowest), (free if highest is None else highest)
    endless = np.full(len(base), np.inf)
    bounds = np.column_stack([np.concatenate([low, -endless]), np.concatenate([high, endless])]) / scale[:, None]
    options = {"maxiter": ITERATIONS, "ftol": TOLERANCE}
    start = np.concatenate([values, base]) / scale
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x * scale
    return found[:n], found[n:]
