"""Which features a small student should look at: the most telling first, each given those before it."""

from collections.abc import Sequence

import numpy as np

from dibble_tools.common import portable
from dibble_tools.families.scaling import apply, fit_scaler

TOP = 255  # largest code
COLUMNS = 4  # of a feature's basis
CHUNK = 2048  # rows whose basis is in memory at a time
RIDGE = 1e-3  # of a column's variance: what a near copy of chosen features still adds is noise
PRIOR_ROWS = 10  # further ridge, in rows: few rows tell little
NEARLY = 0.02  # a gain within this share of the best is as good, if its feature costs fewer bytes


def rank_features(
    values: np.ndarray,
    limits: Sequence[int],
    lows: Sequence[int],
    targets: np.ndarray,
    weights: np.ndarray,
    *,
    most: int,
    bytes_of: Sequence[int] | None = None,
) -> list[int]:
    """Return the indices of at most `most` features, best first.

    Each feature offers a bent line over its code. The next feature is the one with which a
    least-squares fit of the targets leaves least, all those before it kept.

    Args:
        values: feature values, ints (rows, features).
        limits, lows: largest value of each feature, and what a value of 0 stands for (see `fit_scaler`).
        targets: soft labels (rows, K).
        weights: (rows,), mean about 1.
        bytes_of: what each feature costs; the cheaper of two that tell about as much goes first.
    Source: group orthogonal matching pursuit (Lozano, Swirszcz, Abe, NIPS 2009), from the Gram matrix.
    """
    gram, moment = _gram(values, limits, lows, targets, weights)
    features = values.shape[1]
    costs = np.zeros(features) if bytes_of is None else np.asarray(bytes_of)
    order: list[int] = []
    for _ in range(min(most, features)):
        gains = np.maximum(_gains(gram, moment), 0)
        gains[order] = -1
        near = np.flatnonzero(gains >= gains.max() * (1 - NEARLY))
        best = int(near[np.lexsort((-gains[near], costs[near]))[0]])
        order.append(best)
        gram, moment = _without(gram, moment, best)
    return order


def _gram(
    values: np.ndarray, limits: Sequence[int], lows: Sequence[int], targets: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted covariances of all basis columns, scaled to variance 1, and those with the targets."""
    features = values.shape[1]
    codes = np.empty(values.shape, dtype=np.uint8)
    tables = np.empty((features, TOP + 1, COLUMNS))
    for f in range(features):
        column = values[:, f]
        codes[:, f] = apply(fit_scaler(column, limits[f], TOP, lows[f]), column, limits[f])
        tables[f] = _basis(np.quantile(codes[:, f], [0.25, 0.75]))
    share = weights / weights.sum()
    wide = features * COLUMNS
    joint = np.zeros((wide + targets.shape[1] + 1,) * 2)  # the last column is all ones: means
    for start in range(0, len(values), CHUNK):
        rows = slice(start, start + CHUNK)
        basis = tables[np.arange(features), codes[rows]].reshape(-1, wide)
        columns = np.column_stack([basis, targets[rows], np.ones(len(basis))])
        joint += portable.matmul((columns * share[rows, None]).T, columns)
    class_share = joint[-1, wide:-1]  # a rare class's targets vary as much as a common one's: as a chi-square counts
    joint = joint - np.outer(joint[-1], joint[-1])
    scale = np.sqrt(np.maximum(np.diag(joint)[:wide], 1e-12))
    gram = joint[:wide, :wide] / np.outer(scale, scale) + (RIDGE + PRIOR_ROWS / len(values)) * np.eye(wide)
    return gram, joint[:wide, wide:-1] / np.outer(scale, np.sqrt(np.maximum(class_share, 1e-6)))


def _basis(quartiles: np.ndarray) -> np.ndarray:
    """Return a table code -> columns: the line, its square, and bends at the outer quartiles."""
    x = np.arange(TOP + 1) / TOP
    return np.column_stack([x, x * x, *(np.maximum(x - quartile / TOP, 0) for quartile in quartiles)])


def _blocks(gram: np.ndarray) -> np.ndarray:
    """Return each feature's own part of the Gram matrix: (features, COLUMNS, COLUMNS)."""
    features = len(gram) // COLUMNS
    at = np.arange(features)
    return gram.reshape(features, COLUMNS, features, COLUMNS)[at, :, at]


def _gains(gram: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Return by how much each feature alone would lessen what is left of the targets."""
    moments = moment.reshape(-1, COLUMNS, moment.shape[1])
    return (moments * portable.solve(_blocks(gram), moments)).sum(axis=(1, 2))


def _without(gram: np.ndarray, moment: np.ndarray, feature: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what is left of all columns and targets once a feature has explained what it can (Schur complement)."""
    own = slice(feature * COLUMNS, (feature + 1) * COLUMNS)
    explained = portable.solve(gram[own, own], np.hstack([gram[own], moment[own]]))
    across = gram[:, own]
    left, rest = gram.copy(), moment.copy()
    for column, row in zip(across.T, explained, strict=True):
        left -= column[:, None] * row[: len(gram)]
        rest -= column[:, None] * row[len(gram) :]
    left[own, own] += np.eye(COLUMNS)  # the feature itself is used up: any block that can be solved
    return left, rest
