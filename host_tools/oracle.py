"""Class scores of a model file for many rows at once, in NumPy: the oracle that the kernels are held against.

The bytes are read by the firmware's own readers; every search, walk, sum and product here is NumPy's.
"""

from collections.abc import Sequence

import numpy as np
from dibble.inference import additive, forest, mlp
from dibble.inference.cursor import Cursor
from dibble.inference.model import ADDITIVE, FOREST, NOVELTY, Model

CHUNK_ROWS = 1 << 14  # keeps a chunk's arrays in cache
LOG_STEPS = 256


def class_scores(model: Model, values: np.ndarray) -> np.ndarray:
    """Return each class's score, int64 (rows, classes), for feature values (rows, features)."""
    family, cursor, classes = model.blob[5] & 127, Cursor(model.blob, model.family_at), len(model.classes)
    if family == FOREST:
        layout, tables = forest.read(cursor, model.limits, classes)
        return _forest(layout, tables, model, values)
    if family == ADDITIVE:
        return _additive(additive.read(cursor, model.limits, classes), values)
    return _mlp(mlp.read(cursor, model.limits, classes), values)


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


def _rank(layout: Sequence[tuple[int, int, int, int]], model: Model, values: np.ndarray) -> np.ndarray:
    """Return the 8-bit codes (rows, features): how many thresholds lie below each value."""
    codes = np.zeros(values.shape, dtype=np.uint8)
    for feature, width, position, count in layout:
        column = values[:, feature]
        if count:
            thresholds = np.frombuffer(model.blob, dtype=f"<u{width}", count=count, offset=position)
            column = np.searchsorted(thresholds.astype(np.int64), column, side="left")
        codes[:, feature] = np.maximum(column, 0)
    return codes


def _forest(layout: Sequence[tuple[int, int, int, int]], tables: tuple, model: Model, values: np.ndarray) -> np.ndarray:
    features, thresholds, roots, targets = _nodes(tables)
    leaf_classes, leaf_amounts = (np.frombuffer(t, dtype=np.uint8).astype(np.int64) for t in tables[8:10])
    base = np.array(tables[10], dtype=np.int64)
    out = np.zeros((len(values), len(base)), dtype=np.int64)
    for first in range(0, len(values), CHUNK_ROWS):
        codes = _rank(layout, model, values[first : first + CHUNK_ROWS])
        rows, width = codes.shape
        flat = codes.ravel()
        sums = np.tile(base, rows)
        for root in roots:
            row = np.arange(rows)
            node = np.full(rows, root)
            while row.size:
                right = flat[row * width + features[node]] > thresholds[node]
                node = targets[2 * node + right]
                leaf = node < 0
                if leaf.any():
                    reached = -1 - node[leaf]
                    sums[row[leaf] * len(base) + leaf_classes[reached]] += leaf_amounts[reached]
                    row, node = row[~leaf], node[~leaf]
        out[first : first + rows] = sums.reshape(rows, -1)
    return out


def _nodes(tables: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return features, thresholds, roots, and for nodes i the targets [2i] left, [2i + 1] right; < 0: -1 - leaf."""
    features, thresholds, lefts, rights, starts, children, leaves_end, trees = tables[:8]
    starts = np.array(starts, dtype=np.int64)
    nodes = len(features)
    page = np.searchsorted(starts, np.arange(nodes), side="right") - 1
    targets = np.zeros((nodes, 2), dtype=np.int64)
    for side, references in enumerate((lefts, rights)):
        reference = np.frombuffer(references, dtype=np.uint8).astype(np.int64)
        target = starts[page] + reference
        leaf = (reference >= 128) & (reference < leaves_end)
        target[leaf] = 127 - reference[leaf]
        jump = reference >= leaves_end
        if jump.any():
            target[jump] = starts[np.array(children, dtype=np.int64)[page[jump]] + reference[jump] - leaves_end]
        targets[:, side] = target
    return (
        np.frombuffer(features, dtype=np.uint8).astype(np.int64),
        np.frombuffer(thresholds, dtype=np.uint8),
        starts[:trees],
        targets.ravel(),
    )
