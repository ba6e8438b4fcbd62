"""A network of int8 with a multiplier for each unit -> one of shifts: dibble's maps.

A unit's scale is free: the next layer's weights absorb it. So there are two ways. Maps keep the original's scale, and
the weights before them are rounded to steps of it over a power of two. Or each unit has the scale that suits its
weights and its outputs, and the weights behind are rounded anew. Either rounds each weight at least once; rows of the
original's own kind, if given, tell which is nearer to the original's logits, and that is taken.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.families.maps.pruning import without_constant_channels
from dibble_tools.families.maps.quantized import QuantizedLayer, QuantizedMap, QuantizedNetwork
from dibble_tools.families.maps.tables import (
    ACCUMULATOR_MAX,
    CODE_MAX,
    MULTIPLIER_MAX,
    SCORE_MAX,
    SHIFT_MAX,
    WEIGHT_MAX,
    WEIGHTS_MAX,
    Frame,
    MapLayer,
    MapsTables,
    windows,
)

ROOM = 1.1  # above the largest output that was seen
CORRECTED_ROWS = 64  # by which biases are set right
COMPARED_ROWS = 200  # by which the nearer of two ways is found
LEAST_ACTIVE = 0.02  # of a unit's outputs that are neither 0 nor the largest
STEPS_TRIED = 12
PATCHES = 6000  # by which weights are rounded together
DAMPING = 0.01
UNSEEN_SQUARE = 48.0**2  # of a code's distance from zero, where no rows tell


@dataclass(frozen=True)
class Seen:
    """What rows tell of a map: each channel's least and largest code, and the mean square of its distance from zero."""

    least: np.ndarray
    largest: np.ndarray
    square: np.ndarray


@dataclass(frozen=True)
class Scaled:
    """How a map's codes stand for values here: scale of each channel; one zero point."""

    scales: np.ndarray
    zero_point: int


def requantized(network: QuantizedNetwork, codes: np.ndarray | None = None) -> MapsTables:
    """Return the network in shifts.

    Args:
        codes: frames of codes (rows, height, width, depth) that tell how far outputs go; None: as far as they can.
    Raises:
        InputError: a layer is too large.
    """
    kept = _in_shifts(network, codes, True)
    if codes is None or not len(codes):
        return kept
    some = codes[:: -(-len(codes) // COMPARED_ROWS)]
    true = network.run(some) * network.maps[-1].scale
    return min((kept, _in_shifts(network, codes, False)), key=lambda tables: _distance(tables, some, true))


def _distance(tables: MapsTables, codes: np.ndarray, true: np.ndarray) -> float:
    """Return the mean square by which differences of logits are off those of the original (rows, logits)."""
    own = tables.scores(codes) / tables.margin_unit
    if true.shape[1] == 1:
        true = np.concatenate([np.zeros_like(true), true], axis=1)
    off = own - true
    return float(((off - off.mean(axis=1, keepdims=True)) ** 2).mean())


def _in_shifts(network: QuantizedNetwork, codes: np.ndarray | None, keep_scales: bool) -> MapsTables:
    """Return the network in shifts, in one of the two ways: see the top of this file."""
    some = None if codes is None or not len(codes) else codes[:: -(-len(codes) // CORRECTED_ROWS)]
    seen = _seen(network, codes)
    true: list[np.ndarray] = []
    if some is not None:
        parts: list[list[np.ndarray]] = [[] for _ in network.maps]
        network.run(some, lambda i, values: parts[i].append(values))
        true = [np.concatenate(part) for part in parts]
    own = true[:1]
    height, width, depth = network.maps[0].shape
    scaled = [Scaled(np.full(depth, network.maps[0].scale), network.maps[0].zero_point)]
    even = _even_maps(network)
    layers: list[MapLayer] = []
    margin_unit = 1.0
    for i, layer in enumerate(network.layers):
        if i + 1 == len(network.layers):
            last, margin_unit = _scores(network, layer, scaled[layer.inputs[0]])
            layers.append(last)
            break
        same = i + 1 in even or (keep_scales and layer.weights is not None and _can_keep(network, i, scaled))
        shifted, told = _layer(network, i, scaled, seen, same, own)
        if own:
            outputs = shifted.outputs(own)
            if shifted.weights is not None:
                shifted = _without_drift(shifted, outputs, told, network.maps[i + 1], true[i + 1])
                outputs = shifted.outputs(own)
            own.append(outputs)
        layers.append(shifted)
        scaled.append(told)
    tables = MapsTables(Frame(height, width, depth), layers, margin_unit)
    for i, made in enumerate(layers):
        if made.weights is not None and made.weights[0].size > WEIGHTS_MAX:
            raise InputError(
                f"{network.layers[i].name}: expected up to {WEIGHTS_MAX:,} weights a unit, got "
                f"{made.weights[0].size:,}: pool before a dense layer"
            )
    return without_constant_channels(tables)


def _seen(network: QuantizedNetwork, codes: np.ndarray | None) -> list[Seen]:
    found: dict[int, list[Seen]] = {}
    if codes is not None and len(codes):

        def look(i: int, values: np.ndarray) -> None:
            flat = values.reshape(-1, values.shape[-1])
            square = ((flat - network.maps[i].zero_point) ** 2).mean(axis=0)
            found.setdefault(i, []).append(Seen(flat.min(axis=0), flat.max(axis=0), square))

        network.run(codes, look)
    told = []
    for i, made in enumerate(network.maps):
        depth = made.shape[2]
        own = found.get(i)
        if own is None:
            layer = network.layers[i - 1] if i else None
            low, high = (layer.low, layer.high) if layer else (0, CODE_MAX)
            told.append(Seen(np.full(depth, low), np.full(depth, high), np.full(depth, UNSEEN_SQUARE)))
        else:
            least = np.min([part.least for part in own], axis=0)
            told.append(Seen(least, np.max([p.largest for p in own], axis=0), np.mean([p.square for p in own], axis=0)))
    return told


def _even_maps(network: QuantizedNetwork) -> set[int]:
    """Return the maps all of whose channels need one scale, as a sum of two maps has one multiplier for each."""
    even: set[int] = set()
    for i in range(len(network.layers), 0, -1):
        layer = network.layers[i - 1]
        if layer.kind == "add" or (i in even and layer.kind in ("max", "mean")):
            even |= set(layer.inputs)
    return even


def _can_keep(network: QuantizedNetwork, i: int, scaled: list[Scaled]) -> bool:
    """Tell whether the map that layer i makes can have the original's scale: no weight is more than 127 steps."""
    layer = network.layers[i]
    values, _ = _effective(network, layer, scaled[layer.inputs[0]])
    return float(np.abs(values).max()) <= WEIGHT_MAX * network.maps[i + 1].scale


def _layer(
    network: QuantizedNetwork, i: int, scaled: list[Scaled], seen: list[Seen], even: bool, own: list[np.ndarray]
) -> tuple[MapLayer, Scaled]:
    layer = network.layers[i]
    source, target = scaled[layer.inputs[0]], network.maps[i + 1]
    around: dict[str, Any] = {
        "kernel": layer.kernel,
        "stride": layer.stride,
        "pads": layer.pads,
        "pad_code": source.zero_point,
    }
    if layer.kind in ("conv", "depthwise"):
        return _weighted(network, i, source, seen, even, around, own)
    units = target.shape[2]
    zero_point = layer.low if layer.low == target.zero_point else target.zero_point
    # After a ReLU 0 stands for 0.
    zero_point = 0 if layer.low == target.zero_point else zero_point
    if layer.kind == "add":
        other = scaled[layer.inputs[1]]
        ratios = np.array([source.scales[0], other.scales[0]]) / target.scale
        shift = int(min(16, np.floor(np.log2(MULTIPLIER_MAX / ratios.max()))))
        a, b = (round(ratio * 2**shift) for ratio in ratios)
        bias = (zero_point << shift) - a * source.zero_point - b * other.zero_point + (1 << shift >> 1)
        made = MapLayer("add", layer.inputs, multiplier=a, multiplier_b=b, bias=bias, shift=shift)
        return made, Scaled(np.full(units, target.scale), zero_point)
    if layer.kind == "max" and layer.low == 0 and layer.kernel != (1, 1):
        return MapLayer("pool", layer.inputs, **{**around, "pad_code": 0}), source
    if layer.kind == "max" and layer.kernel != (1, 1):
        raise InputError(f"{layer.name}: expected a ReLU before it, not in it")
    # A mean, a ReLU by itself, another scale: codes less their zero point, times something.
    window = layer.kernel[0] * layer.kernel[1]
    gain = source.scales[0] / target.scale if even else 1.0
    if not even and not source.zero_point and not zero_point:
        largest = seen[i + 1].largest - target.zero_point
        reach = float((largest * target.scale / source.scales).max()) * ROOM
        gain = max(1.0, CODE_MAX / max(reach, 1.0)) if reach < CODE_MAX else 1.0
    shift = int(np.floor(np.log2(min(MULTIPLIER_MAX, ACCUMULATOR_MAX // (CODE_MAX * window * 2)) * window / gain)))
    shift = min(shift, SHIFT_MAX - 8)
    multiplier = round(2**shift * gain / window)
    bias = (zero_point << shift) - multiplier * window * source.zero_point + (1 << shift >> 1)
    kept: dict[str, Any] = {"kernel": layer.kernel, "stride": layer.stride}
    made = MapLayer("pool", layer.inputs, multiplier=multiplier, bias=bias, shift=shift, **kept)
    return made, Scaled(source.scales / gain, zero_point)


def _without_drift(
    layer: MapLayer, outputs: np.ndarray, told: Scaled, target: QuantizedMap, true: np.ndarray
) -> MapLayer:
    """Return a layer whose units' outputs are the original's in the mean: rounding moves it.

    Args:
        outputs: codes that it makes of what the layers before it make.
        true: the original's codes.
    """
    real = told.scales * (outputs - told.zero_point)
    drift = (target.scale * (true - target.zero_point) - real).mean(axis=(0, 1, 2))
    active = ((outputs > 0) & (outputs < CODE_MAX)).mean(axis=(0, 1, 2))
    # Of a unit without weights there is nothing to set right.
    assert layer.weights is not None
    active = np.where(np.any(layer.weights.reshape(len(layer.weights), -1), axis=1), active, 0.0)
    moved = np.where(active > LEAST_ACTIVE, drift / np.maximum(active, LEAST_ACTIVE), 0.0)
    steps = moved / told.scales * 2.0 ** np.array(layer.shifts)
    return replace(layer, biases=tuple(_within(np.array(layer.biases) + np.round(steps), layer.weights).tolist()))


def _within(biases: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return biases as integers, where no sum leaves the small ints of a 32-bit board.

    A unit that is always far beyond what its 8 bits hold needn't be further beyond.
    """
    limit = ACCUMULATOR_MAX - CODE_MAX * np.abs(weights).reshape(len(weights), -1).sum(axis=1)
    return np.clip(biases, -limit, limit).astype(np.int64)


def _effective(network: QuantizedNetwork, layer: QuantizedLayer, source: Scaled) -> tuple[np.ndarray, np.ndarray]:
    """Return (real value that each weight adds for a code's step, (units, ...); each unit's bias, real)."""
    assert layer.weights is not None and layer.weight_scales is not None and layer.biases is not None
    shape = (-1,) + (1,) * (layer.weights.ndim - 1)
    values = layer.weights * layer.weight_scales.reshape(shape)
    values = values * (source.scales if layer.kind == "conv" else source.scales.reshape(shape))
    return values, layer.biases * network.maps[layer.inputs[0]].scale * layer.weight_scales


def _weighted(
    network: QuantizedNetwork,
    i: int,
    source: Scaled,
    seen: list[Seen],
    even: bool,
    around: dict[str, Any],
    maps: list[np.ndarray],
) -> tuple[MapLayer, Scaled]:
    layer, target = network.layers[i], network.maps[i + 1]
    values, biases = _effective(network, layer, source)
    relu = layer.low >= target.zero_point
    zero_point = 0 if relu else target.zero_point
    inputs = seen[layer.inputs[0]]
    # In steps of the codes here: the same distance from zero.
    square = inputs.square * (network.maps[layer.inputs[0]].scale / source.scales) ** 2
    weights, scales, shifts = [], [], []
    for unit, own in enumerate(values):
        reach = target.scale * (min(seen[i + 1].largest[unit] * 1.0, layer.high) - target.zero_point) * ROOM
        fall = target.scale * (target.zero_point - max(seen[i + 1].least[unit], layer.low)) * ROOM
        needed = max(reach / (CODE_MAX - zero_point), fall / zero_point if zero_point else 0.0)
        needed = target.scale if even else min(needed, target.scale)
        squares = square if layer.kind == "conv" else square[unit]
        rounded, scale, shift = _unit(own, needed, squares, even)
        weights.append(rounded)
        scales.append(scale)
        shifts.append(shift)
    whole = np.array(weights, dtype=np.int64)
    told = np.array(scales)
    steps = told / 2.0 ** np.array(shifts)
    if maps:
        view = windows(maps[layer.inputs[0]], MapLayer("pool", layer.inputs, **around)) - source.zero_point
        exact = values.reshape(len(values), -1) / steps[:, None]
        if layer.kind == "conv":
            whole = _rounded_together(exact, _some(view.reshape(-1, whole[0].size))).reshape(whole.shape)
        else:
            parts = [_some(view[..., unit].reshape(-1, whole[0].size)) for unit in range(len(whole))]
            found = [_rounded_together(one[None], part) for one, part in zip(exact, parts, strict=True)]
            whole = np.concatenate(found).reshape(whole.shape)
    sums = whole.reshape(len(whole), -1).sum(axis=1)
    offset = np.round(biases / steps) - source.zero_point * sums
    offset = _within(offset + (zero_point << np.array(shifts)) + (1 << np.array(shifts) >> 1), whole)
    made = MapLayer(layer.kind, layer.inputs, whole, tuple(offset.tolist()), tuple(shifts), **around)
    return made, Scaled(told, zero_point)


def _some(patches: np.ndarray) -> np.ndarray:
    return patches[:: -(-len(patches) // PATCHES)].astype(np.float64)


def _rounded_together(weights: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return weights as integers: what rounding one adds to a unit's sums, the next ones take back as far as they can.

    Args:
        weights: (units, inputs) in steps.
        seen: (rows, inputs), what they are multiplied by.
    Source: E. Frantar et al., GPTQ (2023), algorithm 1, without blocks.
    """
    hessian = seen.T @ seen / len(seen)
    hessian += np.eye(len(hessian)) * (DAMPING * max(float(np.trace(hessian)) / len(hessian), 1e-9))
    upper = np.linalg.cholesky(np.linalg.inv(hessian)).T
    left = weights.copy()
    found = np.zeros_like(left)
    for k in range(left.shape[1]):
        found[:, k] = np.clip(np.round(left[:, k]), -WEIGHT_MAX, WEIGHT_MAX)
        left[:, k + 1 :] -= np.outer((left[:, k] - found[:, k]) / upper[k, k], upper[k, k + 1 :])
    return found.astype(np.int64)


def _unit(own: np.ndarray, needed: float, squares: np.ndarray, even: bool) -> tuple[np.ndarray, float, int]:
    """Return (weights, the output's scale, shift) of a unit: the rounding that adds least to its outputs.

    Args:
        own: real value of each weight for a code's step.
        needed: the least scale of the output at which 8 bits hold it.
        squares: mean square of the codes that each weight sees, as they broadcast over `own`.
        even: the output's scale has to be `needed`.
    """
    finest = float(np.abs(own).max()) / WEIGHT_MAX
    if finest <= 0 or needed <= 0:
        return np.zeros(own.shape, dtype=np.int64), max(needed, 1e-30), 0
    most = max(0, int(np.floor(np.log2(needed / finest) + 1e-9)))
    options = [(needed / 2**most, most)]
    if not even:
        # Steps between: some of them round these weights well.
        finer = finest * 2.0 ** (np.arange(STEPS_TRIED) / STEPS_TRIED)
        options = [*options, *((step, most + 1) for step in finer)] if needed > finest else [(s, 0) for s in finer]
    elif needed < finest:
        raise InputError("a sum of two maps: expected inputs of one scale, got one too fine for it")
    best: tuple[float, np.ndarray, float, int] | None = None
    for step, shift in options:
        shift = min(shift, SHIFT_MAX - 8)
        rounded = np.round(own / step)
        if np.abs(rounded).max() > WEIGHT_MAX:
            rounded = np.clip(rounded, -WEIGHT_MAX, WEIGHT_MAX)
        error = float((((own - rounded * step) ** 2) * squares).sum()) + (step * 2**shift) ** 2 / 12
        if best is None or error < best[0]:
            best = error, rounded.astype(np.int64), step * 2**shift, shift
    assert best is not None
    return best[1:]


def _scores(network: QuantizedNetwork, layer: QuantizedLayer, source: Scaled) -> tuple[MapLayer, float]:
    """Return the last layer, whose units have one scale, and how many of its steps a nat is."""
    values, biases = _effective(network, layer, source)
    if network.single:
        values, biases = np.stack([np.zeros_like(values[0]), values[0]]), np.array([0.0, biases[0]])
    step = max(float(np.abs(values).max()) / WEIGHT_MAX, 1e-30)
    whole = np.round(values / step).astype(np.int64)
    rows = whole.reshape(len(whole), -1)
    offset = np.round(biases / step) - source.zero_point * rows.sum(axis=1)
    least = offset + np.minimum(rows, 0).sum(axis=1) * CODE_MAX
    offset = (offset - least.min()).astype(np.int64)
    largest = int((offset + np.maximum(rows, 0).sum(axis=1) * CODE_MAX).max())
    shift = max(0, int(largest).bit_length() - SCORE_MAX.bit_length())
    made = MapLayer("conv", layer.inputs, whole, tuple(offset.tolist()), (shift,) * len(whole), layer.kernel)
    if any(layer.pads):
        raise InputError(f"{layer.name}: expected no padding of a dense layer")
    return replace(made, pad_code=source.zero_point), 1 / (step * 2**shift)
