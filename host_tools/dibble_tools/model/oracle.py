"""Class scores of a model for many rows at once, in NumPy: the oracle that the kernels are held against.

Every sum and product is NumPy's; a forest's are in bit_trees.py.
"""

from collections.abc import Callable, Sequence

import numpy as np

from dibble_tools.families.maps.tables import batches
from dibble_tools.model.bit_trees import BitTrees
from dibble_tools.model.content import Additive, CodeScaler, Content, Forest, Maps, Mlp, Step, Stream
from dibble_tools.model.reader import trees_of

LOG_STEPS = 256


def class_scores(model: Content, values: np.ndarray) -> np.ndarray:
    """Return each class's score, int64 (rows, classes), for feature values (rows, features)."""
    return scorer(model)(values).T.astype(np.int64)


def scorer(model: Content) -> Callable[[np.ndarray], np.ndarray]:
    """Return f(values): each class's score, signed integers (classes, rows), for feature values (rows, features)."""
    family = model.family
    if isinstance(family, Forest):
        trees, kind = BitTrees(trees_of(family)), np.min_scalar_type(max(model.limits, default=0))
        return lambda values: trees.scores((values.astype(kind) if values.dtype.itemsize == 8 else values).T)
    if isinstance(family, Additive):
        return lambda values: _additive(family, values).T
    if isinstance(family, Maps):
        return lambda values: _maps(family, values).T
    assert isinstance(family, Mlp)
    return lambda values: _mlp(family, values).T


def ratio_offsets(model: Content, offsets: np.ndarray) -> np.ndarray:
    """Return what lies above the low of each channel that is made of others, int64 (rows, ratios); -1: missing.

    By how many 1/1024 octaves a reading lies above another, or above the mean of several: straight lines between
    powers of two of readings' 11 highest bits, with a bend of 45 * f * (1024 - f) / 2**17.
    """
    lows = np.array([channel.low for channel in model.channels], dtype=np.int64)
    logs = _log2_bent(np.maximum(offsets, 0) + lows)
    found = np.empty((len(offsets), len(model.ratios)), dtype=np.int64)
    for k, ratio in enumerate(model.ratios):
        others = logs[:, list(ratio.others)].sum(axis=1)
        mean = np.floor_divide(others + len(ratio.others) // 2, len(ratio.others))
        above = np.clip(logs[:, ratio.own] - mean - ratio.low, 0, ratio.span)
        found[:, k] = np.where((offsets[:, list(ratio.channels)] < 0).any(axis=1), -1, above)
    return found


def _log2_bent(values: np.ndarray) -> np.ndarray:
    values = np.maximum(values, 1)
    exponent = np.frexp(values.astype(np.float64))[1] - 1  # exact below 2**53
    fraction = np.where(exponent >= 10, values >> np.maximum(exponent - 10, 0), values << np.maximum(10 - exponent, 0))
    fraction = fraction - 1024
    return exponent * 1024 + fraction + fraction * (1024 - fraction) * 45 // 2**17


def novel(model: Content, values: np.ndarray) -> np.ndarray:
    """Return which rows' combinations of values are novel: bool (rows,)."""
    if model.novelty is None:
        return np.zeros(len(values), dtype=bool)
    return _additive(model.novelty, values)[:, 1] < model.novel_below


def scale(scalers: Sequence[CodeScaler], values: np.ndarray) -> np.ndarray:
    """Return the codes (rows, features) of feature values; 0 of a feature that isn't asked about."""
    codes = np.zeros((len(values), len(scalers)), dtype=np.int64)
    for k, s in enumerate(scalers):
        column = values[:, k].astype(np.int64)
        u = _log2(column + s.bias) if s.bias else column // 2**s.drop
        codes[:, k] = np.clip((u - s.zero_point) * s.multiplier // 2**s.shift, 0, s.top)
    return codes


def _log2(values: np.ndarray) -> np.ndarray:
    exponent = np.frexp(values.astype(np.float64))[1] - 1  # exact below 2**53
    return exponent * LOG_STEPS + (values - (1 << exponent)) * LOG_STEPS // (1 << exponent)


def _additive(tables: Additive, values: np.ndarray) -> np.ndarray:
    codes = scale(tables.scalers, values)
    scores = np.tile(np.array(tables.base, dtype=np.int64), (len(values), 1))
    for term in tables.terms:
        cell = codes[:, term.a] >> term.shift_a
        if term.b is not None:
            cell = cell * term.row + (codes[:, term.b] >> term.shift_b)
        scores[:, 1:] += np.array(term.entries, dtype=np.int64)[cell]
    return scores


def _mlp(network: Mlp, values: np.ndarray) -> np.ndarray:
    x = scale(network.scalers, values)
    for i, layer in enumerate(network.layers):
        weights = np.array(layer.weights(x.shape[1]), dtype=np.int64).reshape(-1, x.shape[1])
        total = x @ weights.T + np.array(layer.biases, dtype=np.int64)
        highest = 65535 if i + 1 == len(network.layers) else 255
        x = np.clip(total // 2 ** np.array(layer.shifts, dtype=np.int64), 0, highest)
    return np.column_stack([np.full(len(values), network.base, dtype=np.int64), x])


def _maps(network: Maps, values: np.ndarray) -> np.ndarray:
    """Return the scores of frames' offsets above their channels' lows."""
    low = -32767 if network.frame.scaled else 0
    found = [_arena(network, network.frame.codes(rows + low)) for rows in batches(values)]
    return np.concatenate(found) if found else np.zeros((0, network.steps[-1].words["UNITS"]), dtype=np.int64)


def _arena(network: Maps, codes: np.ndarray) -> np.ndarray:
    """Return the scores of frames of codes (rows, readings): each step over arenas of bytes, one a row."""
    arena = np.zeros((len(codes), network.arena_bytes), dtype=np.uint8)
    _fill(arena, network.around)
    at, row_bytes, skip, rows = network.taken
    _view(arena, at, (rows, row_bytes), (row_bytes + skip, 1))[:] = codes.reshape(-1, rows, row_bytes)
    total = np.zeros(0)
    for step in network.steps:
        words = step.words
        height, width, units = words["OUT_HEIGHT"], words["OUT_WIDTH"], words["UNITS"]
        _fill(arena, step.around)
        total = _sums(arena, step)
        if not words["WIDE"]:
            row = words["OUT_DOWN"] + width * words["OUT_STEP"]
            out = _view(arena, words["OUT_AT"], (height, width, units), (row, words["OUT_STEP"], 1))
            out[:] = np.clip(total, 0, 255)
    return np.clip(total, 0, 65535).reshape(len(codes), -1).astype(np.int64)


def _sums(arena: np.ndarray, step: Step) -> np.ndarray:
    """Return the shifted sums of a step (rows, height, width, units)."""
    w = step.words
    size = w["OUT_HEIGHT"], w["OUT_WIDTH"]
    steps = w["X_DOWN"] + size[1] * w["X_STEP"], w["X_STEP"]
    if step.kind == "conv":
        seen = _view(arena, w["X_AT"], (*size, w["KERNEL_ROWS"], w["RUN"]), (*steps, w["X_ROW"], 1))
        flat = seen.reshape(len(arena), *size, -1).astype(np.float64)  # sums of integers below 2**53 are exact
        return (flat @ step.weights.T).astype(np.int64) + np.array(step.biases) >> np.array(step.shifts)
    if step.kind == "add":
        a = _view(arena, w["X_AT"], (*size, w["UNITS"]), (*steps, 1)).astype(np.int64)
        steps = w["B_DOWN"] + size[1] * w["B_STEP"], w["B_STEP"]
        b = _view(arena, w["B_AT"], (*size, w["UNITS"]), (*steps, 1)).astype(np.int64)
        return a * w["MULTIPLIER"] + b * w["B_MULTIPLIER"] + w["BIAS"] >> w["SHIFT"]
    kernel = w["KERNEL_ROWS"], w["RUN"], w["UNITS"]
    seen = _view(arena, w["X_AT"], (*size, *kernel), (*steps, w["X_ROW"], w["X_PIXEL"], 1))
    if step.kind == "depthwise":
        weights = step.weights.reshape(w["UNITS"], *kernel[:2]).astype(np.float64)
        total = np.einsum("nhwijc,cij->nhwc", seen.astype(np.float64), weights).astype(np.int64)
        return total + np.array(step.biases) >> np.array(step.shifts)
    if not w["MULTIPLIER"]:
        return seen.max(axis=(3, 4))
    return seen.astype(np.int64).sum(axis=(3, 4)) * w["MULTIPLIER"] + w["BIAS"] >> w["SHIFT"]


def _fill(arena: np.ndarray, around: Sequence[int]) -> None:
    if around:
        at, before, between, row, gaps, after, code = around
        arena[:, at : at + before] = code
        gap = at + before + row - between
        _view(arena, gap, (gaps, between), (row, 1))[:] = code
        end = gap + gaps * row
        arena[:, end : end + after] = code


def _view(arena: np.ndarray, at: int, counts: tuple[int, ...], steps: tuple[int, ...]) -> np.ndarray:
    """Return what lies at `at` of each row's arena, as (rows, *counts), `steps` bytes from one to the next."""
    return np.lib.stride_tricks.as_strided(arena[:, at:], (len(arena), *counts), (arena.strides[0], *steps))


def stream_scores(network: Stream, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (scores, int64 (scored, classes); the hops at which there are some) of rows of codes from a fresh start.

    What lies before the first row is 0, in each layer.
    """
    x = np.asarray(rows, dtype=np.int64)
    hops = np.arange(len(x))
    for i, layer in enumerate(network.layers):
        if not len(x):  # all rows are waited for
            return np.zeros((0, network.layers[-1].units), dtype=np.int64), hops
        before = np.zeros((layer.taps - 1, x.shape[1]), dtype=np.int64)
        seen = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, x]), layer.taps, axis=0)
        seen = seen[layer.stride - 1 :: layer.stride]  # (hops, inputs, taps)
        hops = hops[layer.stride - 1 :: layer.stride]
        if layer.kind == "mean":
            x = (seen.sum(axis=2) + layer.taps // 2) // layer.taps
            continue
        weights = np.array(layer.rows, dtype=np.int64)
        if layer.kind == "depthwise8":
            total = (seen * weights).sum(axis=2)
        else:
            total = np.einsum(
                "hit,uti->hu", seen, weights.reshape(layer.units, layer.taps, layer.inputs), optimize=True
            )
        x = (total + np.array(layer.biases, dtype=np.int64)) // 2 ** np.array(layer.shifts, dtype=np.int64)
        if i + 1 < len(network.layers):
            x = np.clip(x, 0, 255)
    return x, hops
