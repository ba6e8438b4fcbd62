"""Class scores of a model file for many rows at once, in NumPy: the oracle that the kernels are held against.

The bytes are read by the firmware's own readers; every sum and product here is NumPy's, every walk of
a tree scikit-learn's.
"""

from collections.abc import Callable, Sequence

import numpy as np
from dibble.inference import additive, mlp
from dibble.inference.format import ADDITIVE, FOREST, NOVELTY, Cursor
from dibble.inference.model import Model

from dibble_tools.model.tree_file import trees_of
from dibble_tools.model.tree_walk import TreeWalk

LOG_STEPS = 256


def class_scores(model: Model, values: np.ndarray) -> np.ndarray:
    """Return each class's score, int64 (rows, classes), for feature values (rows, features)."""
    return scorer(model)(values).T


def scorer(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return f(values): each class's score, int64 (classes, rows), for feature values (rows, features)."""
    family, cursor, classes = model.blob[5] & 127, Cursor(model.blob, model.family_at), len(model.classes)
    if family == FOREST:
        return TreeWalk(trees_of(model), model.limits).scores
    if family == ADDITIVE:
        tables = additive.read(cursor, model.limits, classes)
        return lambda values: _additive(tables, values).T
    layers = mlp.read(cursor, model.limits, classes)
    return lambda values: _mlp(layers, values).T


def novel(model: Model, values: np.ndarray) -> np.ndarray:
    """Return which rows' combinations of values are novel: bool (rows,)."""
    if not model.blob[5] & NOVELTY:
        return np.zeros(len(values), dtype=bool)
    cursor = Cursor(model.blob, model.novelty_at)
    return _additive(additive.read(cursor, model.limits, 2), values)[:, 1] < model.novel_below


def scale(scalers: Sequence[tuple[int, ...]], values: np.ndarray) -> np.ndarray:
    """Return the codes (rows, scalers) of feature values."""
    codes = np.zeros((len(values), len(scalers)), dtype=np.int64)
    for k, (feature, drop, bias, zero_point, multiplier, shift, top) in enumerate(scalers):
        column = values[:, feature].astype(np.int64)
        u = _log2(column + bias) if bias else column // 2**drop
        codes[:, k] = np.clip((u - zero_point) * multiplier // 2**shift, 0, top)
    return codes


def _log2(values: np.ndarray) -> np.ndarray:
    exponent = np.frexp(values.astype(np.float64))[1] - 1  # exact below 2**53
    return exponent * LOG_STEPS + (values - (1 << exponent)) * LOG_STEPS // (1 << exponent)


def _additive(parts: tuple, values: np.ndarray) -> np.ndarray:
    scalers, singles, pairs, tables, _, base = parts
    codes = scale(scalers, values)
    scores = np.tile(np.array(base, dtype=np.int64), (len(values), 1))
    cells = [codes[:, i] for i in singles]
    cells += [(codes[:, a] >> drop_a) * n + (codes[:, b] >> drop_b) for a, drop_a, n, b, drop_b in pairs]
    for cell, columns in zip(cells, tables, strict=True):
        for k, column in enumerate(columns):
            scores[:, k + 1] += np.frombuffer(column, dtype=np.uint8)[cell]
    return scores


def _mlp(parts: tuple, values: np.ndarray) -> np.ndarray:
    scalers, base, layers = parts
    x = scale(scalers, values)
    for form, (rows, biases, shifts, extra) in layers:
        weights = np.array([weights_of(form, row, extra, x.shape[1]) for row in rows])
        total = x @ weights.T + np.array(biases, dtype=np.int64)
        x = np.clip(total // 2 ** np.frombuffer(shifts, dtype=np.uint8).astype(np.int64), 0, 65535)
        if rows is not layers[-1][1][0]:
            x = np.minimum(x, 255)
    return np.column_stack([np.full(len(values), base, dtype=np.int64), x])


def weights_of(form: int, row: object, extra: object, inputs: int) -> np.ndarray:
    """Return a unit's weights, int64 (inputs,)."""
    if form == mlp.SPARSE8:
        at, kept = (np.frombuffer(part, dtype=np.uint8).astype(np.int64) for part in row)  # type: ignore[attr-defined]
        weights = np.zeros(inputs, dtype=np.int64)
        weights[at] = kept - 128
        return weights
    if form == mlp.CODEBOOK4:
        places = np.frombuffer(row, dtype=np.uint8)  # type: ignore[call-overload]
        halves = np.stack([places // 16, places % 16], axis=1).ravel()[:inputs]
        return np.frombuffer(extra, dtype=np.uint8).astype(np.int64)[halves] - 128  # type: ignore[call-overload]
    if form == mlp.DENSE16:
        return np.array(row, dtype=np.int64) - 32768
    return np.frombuffer(row, dtype=np.uint8).astype(np.int64) - 128  # type: ignore[call-overload]
