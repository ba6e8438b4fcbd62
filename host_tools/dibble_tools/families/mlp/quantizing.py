"""Float network -> integer tables: scales, shifts, codebooks.

A hidden unit's weights are scaled so that the largest becomes 127, and its shift so that its largest
output on the training rows lies in 128..255: what is above, on other rows, saturates.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dibble_tools.families.mlp.network import Grid, Net, forward
from dibble_tools.families.mlp.tables import BOOK, CODE_MAX, WEIGHT_MAX, Layer, MlpTables, weight_bytes
from dibble_tools.families.scaling import Scaler

MARGIN_UNIT = 32.0  # score steps a nat: a rounding moves a probability by at most 0.4 points
LAST_SHIFT_MAX = 14  # keeps the base, shifted left, below 2**30
BIAS_PACE = 64.0  # a bias acts as the weight of an input of about half the range
MEANS_ROUNDS = 30


def integer_net(
    net: Net, x: np.ndarray, spread: np.ndarray, forms: Sequence[str], unit: float = MARGIN_UNIT
) -> tuple[Net, Grid]:
    """Return the same function with weights in integer steps, not yet rounded, on inputs x * spread.

    Args:
        net: a float network on standardized inputs.
        x: training rows (rows, inputs), standardized.
        spread: codes in one standard deviation, for each input.
        forms: of each layer.
        unit: score steps a nat.
    """
    result = replace(net, vector=net.vector.copy())
    outputs = forward(net, x)
    pace = np.ones_like(net.vector)
    gains = []
    scale = 1 / spread  # of each input of the layer at hand: what a step of it stands for
    last = len(net.sizes) - 2
    for i, ((weights, biases), (weight_pace, bias_pace)) in enumerate(
        zip(result.layers(), result.layers(pace), strict=True)
    ):
        top = WEIGHT_MAX[forms[i]]
        weights *= scale
        # A unit whose weights are next to nothing beside its bias gets steps of at least 2**-24 of the bias.
        largest = np.maximum(np.abs(weights).max(axis=1), np.abs(biases) * top / 2**24 + 1e-9)
        if i < last:
            step = largest / top
            highest = np.maximum(outputs[i + 1].max(axis=0), 1e-9)
            shifts = np.maximum(_log2_up(highest / (step * CODE_MAX)), 0)
            scale = np.ldexp(step, shifts)
        else:
            shift = -_log2_up(largest.max() * unit / top)
            shifts = np.clip(shift, 0, LAST_SHIFT_MAX)
            step = np.full(len(biases), np.ldexp(1 / unit, -shifts))
        weights /= step[:, None]
        biases /= step
        weight_pace[:] = top / WEIGHT_MAX["dense8"]
        bias_pace[:] = BIAS_PACE * top / WEIGHT_MAX["dense8"]
        gains.append(np.ldexp(np.ones(len(biases)), -shifts) if i < last else step)
    return result, Grid([WEIGHT_MAX[form] for form in forms], gains, pace)


def to_tables(
    net: Net, grid: Grid, scalers: list[Scaler], middle: np.ndarray, forms: Sequence[str], unit: float
) -> MlpTables:
    """Return the integers of an integer net whose inputs were codes - middle.

    Raises:
        InputError: a sum or a score can leave its range.
    """
    layers, base = [], 0
    last = len(net.sizes) - 2
    for i, (weights, biases) in enumerate(net.layers()):
        whole = np.clip(np.rint(weights), -grid.tops[i], grid.tops[i]).astype(np.int64)
        gain = grid.gains[i] * (unit if i == last else 1)
        shifts = -_log2_up(gain).astype(np.int64)
        start = np.rint(biases).astype(np.int64) - (whole @ middle if i == 0 else 0) + (1 << shifts >> 1)
        if i == last:
            low = start + np.minimum(whole, 0).sum(axis=1) * CODE_MAX
            base = max(0, -int((low >> shifts).min()))
            start = start + (base << shifts)
        layers.append(_smallest(Layer(whole, start.tolist(), shifts.tolist(), forms[i])))
    tables = MlpTables(net.sizes[-1] + 1, scalers, layers, base, unit)
    tables.check()
    return tables


def _log2_up(x: np.ndarray) -> np.ndarray:
    """Return the least whole exponents of 2 that reach x > 0: exact."""
    part, exponent = np.frexp(x)
    return exponent - (part == 0.5)


def share_weights(net: Net, grid: Grid, forms: Sequence[str]) -> tuple[Net, Grid]:
    """Return the integer net with at most 16 weights, 0 among them, in each codebook4 layer; equals move together."""
    if "codebook4" not in forms:
        return net, grid
    net = replace(net, vector=net.vector.copy(), mask=net.mask.copy())
    ties = np.arange(len(net.vector))
    masks, places = net.layers(net.mask), net.layers(ties)
    for i, (weights, _) in enumerate(net.layers()):
        if forms[i] == "codebook4":
            book, place = _means(weights.ravel())
            weights[:] = book[place].reshape(weights.shape)
            masks[i][0][:] = weights != 0
            _, first, same = np.unique(place, return_index=True, return_inverse=True)
            places[i][0][:] = places[i][0].ravel()[first][same].reshape(weights.shape)
    return net, replace(grid, ties=ties)


def _means(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (book, place): k-means of values by at most 16 means, the first held at 0; value -> book[place]."""
    others = np.unique(values[values != 0])
    if len(others) >= BOOK:
        others = np.quantile(values[values != 0], (np.arange(BOOK - 1) + 0.5) / (BOOK - 1))
    book = np.array([0.0, *others])
    for _ in range(MEANS_ROUNDS):
        place = np.abs(values[:, None] - book).argmin(axis=1)
        for k in range(1, len(book)):
            if (place == k).any():
                book[k] = values[place == k].mean()
    return book, np.abs(values[:, None] - book).argmin(axis=1)


def without_idle(tables: MlpTables) -> tuple[MlpTables, list[int]]:
    """Return (tables of the same scores, kept inputs) without units that nothing reads or that are constant."""
    layers = list(tables.layers)
    for i in range(len(layers) - 1, 0, -1):  # backwards, as an unread unit leaves others unread
        before, after = layers[i - 1], layers[i]
        read, varies = (after.weights != 0).sum(axis=0) > 0, (before.weights != 0).sum(axis=1) > 0
        kept = read & varies
        if not kept.any():
            kept[0] = True
        constant = np.clip(np.array(before.biases) >> np.array(before.shifts), 0, CODE_MAX) * ~(kept | varies)
        biases = (np.array(after.biases) + after.weights @ constant).tolist()
        layers[i] = replace(after, weights=after.weights[:, kept], biases=biases)
        layers[i - 1] = Layer(
            before.weights[kept],
            [b for b, keep in zip(before.biases, kept, strict=True) if keep],
            [s for s, keep in zip(before.shifts, kept, strict=True) if keep],
            before.form,
        )
    used = np.flatnonzero(layers[0].weights.any(axis=0)).tolist() or [0]
    layers[0] = replace(layers[0], weights=layers[0].weights[:, used])
    result = replace(tables, scalers=[tables.scalers[i] for i in used], layers=[_smallest(layer) for layer in layers])
    result.check()
    return result, used


def _smallest(layer: Layer) -> Layer:
    """Return the layer in the form that takes least bytes among its own and those that need no retraining."""
    forms = [layer.form] if layer.form == "dense16" else [layer.form, "dense8", "sparse8"]
    return replace(layer, form=min(forms, key=lambda form: weight_bytes(layer.weights, form)))
