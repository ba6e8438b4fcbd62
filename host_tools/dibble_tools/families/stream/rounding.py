"""A float network of the family stream in integer steps: what a node will compute, and what is trained on from there.

Weights of 4 bits are rounded one input after the other, each time letting those that aren't rounded yet make up for the
error in what the unit sums up on real pieces: GPTQ (Frantar and others, 2022, arXiv:2210.17323), which is optimal brain
surgery (Hassibi and Stork, 1993) of rounding. A network whose weights are rounded each by itself knows a third of
the clips that it knew, and training under rounding has to find it again; this way it knows nearly all before that.
"""

from dataclasses import replace

import numpy as np

from dibble_tools.families.mlp.tables import CODE_MAX, SCORE_MAX, SHIFT_MAX
from dibble_tools.families.stream.network import (
    MEAN,
    LayerShape,
    Parameters,
    Rounding,
    StreamNet,
    Tape,
    inputs_of_units,
    outputs_of,
)
from dibble_tools.families.stream.tables import WEIGHT_RANGE, StreamLayer, StreamTables

SPREAD = 40.0  # codes that are a float network's 1
CUTS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)  # of a unit's largest weight
RANGE = 0.9995  # of a unit's outputs keep their place within 0..255
SAMPLED_HOPS = 20_000  # tell how a layer's inputs go together
DAMPED = 0.01  # of their mean variance, added to each: inputs that never differ have an inverse, too


def integer_net(net: StreamNet, pieces: np.ndarray, middle: float) -> StreamNet:
    """Return the same network with weights in integer steps, its outputs as codes.

    What a code stands for is `step` * code + `zero`, of each channel. Weights take in the steps of what they are
    multiplied by, so a unit's own step is free: it is what its largest weight leaves.

    Args:
        pieces: of which the outputs' ranges are measured.
    """
    x = pieces
    steps = np.full(net.inputs, 1 / SPREAD)
    zeros = np.full(net.inputs, -middle / SPREAD)
    layers: list[Parameters | None] = []
    roundings: list[Rounding | None] = []
    shapes = [replace(shape, bits=8) if shape is net.shapes[-1] else shape for shape in net.shapes]
    for shape, layer in zip(shapes, net.layers, strict=True):
        last = shape is shapes[-1]
        if layer is None:
            layers.append(None)
            roundings.append(None)
        else:
            weights, bias = _folded(layer)
            full = weights.ndim == 3
            bias = bias + ((weights * zeros[:, None]).sum(axis=(0, 1)) if full else (weights * zeros).sum(axis=0))
            weights = weights * (steps[:, None] if full else steps)
            y = _sums(x, weights, bias, shape)
            own, rounding, steps, zeros = _stepped(weights, bias, y.reshape(-1, shape.units), shape, last=last)
            if shape.bits == 4:
                own = _rounded_together(own, inputs_of_units(x, shape, outputs_of(len(x), shape)), rounding)
            layers.append(own)
            roundings.append(rounding)
        if not last:
            hand_on = LayerShape(MEAN, x.shape[2] if layer is None else shape.units)
            one = StreamNet(x.shape[2], [shape, hand_on], [layers[-1], None], [roundings[-1], None])
            x = Tape(one, x, training=False).out
    return StreamNet(net.inputs, shapes, layers, roundings)


def _folded(layer: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Return (weights, bias) of a layer with its norm in them, float64."""
    weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
    if layer.gain is None:
        return weights, bias
    assert layer.mean is not None and layer.variance is not None
    scale = layer.gain / np.sqrt(layer.variance + 1e-5)
    return weights * scale, bias - layer.mean * scale


def _sums(x: np.ndarray, weights: np.ndarray, bias: np.ndarray, shape: LayerShape) -> np.ndarray:
    own = Parameters(weights.astype(np.float32), bias.astype(np.float32))
    one = StreamNet(x.shape[2], [shape], [own])
    return Tape(one, x, training=False).out


def _stepped(
    weights: np.ndarray, bias: np.ndarray, y: np.ndarray, shape: LayerShape, *, last: bool
) -> tuple[Parameters, Rounding, np.ndarray, np.ndarray]:
    """Return a layer in integer steps, its rounding, and what its outputs' codes stand for: (steps, zeros)."""
    least, most = WEIGHT_RANGE[shape.bits]
    largest = np.abs(weights).reshape(-1, shape.units).max(axis=0) + 1e-12
    if shape.bits == 4:  # steps are coarse: cutting the largest weights may err less than rounding all others
        largest = cut_at(weights.reshape(-1, shape.units), largest, least, most)
    if last:
        alpha = np.full(shape.units, largest.max() / most)
        own = Parameters((weights / alpha).astype(np.float32), (bias / alpha).astype(np.float32))
        return own, Rounding(least, most, alpha.astype(np.float32)), alpha, np.zeros(shape.units)
    low = np.zeros(shape.units) if shape.relu else np.quantile(y, 1 - RANGE, axis=0)
    high = np.quantile(y, RANGE, axis=0)
    span = np.maximum(high - low, 1e-6)
    alpha = largest / most
    shift = np.clip(np.ceil(np.log2(span / alpha / CODE_MAX)), 0, SHIFT_MAX)
    if shape.bits == 8:  # a weight's steps are fine enough to fill all codes
        shift = np.maximum(shift - 1, 0)
        alpha = np.maximum(alpha, span / CODE_MAX / 2.0**shift)
    biases = (bias - low) / alpha + 2.0 ** (shift - 1)  # the half for rounding among them
    own = Parameters((weights / alpha).astype(np.float32), biases.astype(np.float32))
    return own, Rounding(least, most, (2.0**-shift).astype(np.float32)), alpha * 2.0**shift, low


def cut_at(weights: np.ndarray, largest: np.ndarray, least: int, most: int) -> np.ndarray:
    """Return the weight (units,) that `most` steps should stand for: where rounding and cutting err least together."""
    found, best = largest, np.full(len(largest), np.inf)
    for share in CUTS:
        alpha = share * largest / most
        errors = ((np.clip(np.rint(weights / alpha), least, most) * alpha - weights) ** 2).sum(axis=0)
        found, best = np.where(errors < best, share * largest, found), np.minimum(errors, best)
    return found


def _rounded_together(layer: Parameters, inputs: np.ndarray, rounding: Rounding) -> Parameters:
    """Return a full layer in whole steps; its biases take over what is lost of the mean.

    Args:
        inputs: (many, taps * channels) of its units.
    """
    every = max(len(inputs) // SAMPLED_HOPS, 1)
    seen = inputs[::every].astype(np.float64)
    weights = layer.weights.reshape(seen.shape[1], -1).astype(np.float64)
    rounded = together(weights, np.atleast_2d(np.cov(seen.T)), rounding.least, rounding.most)
    bias = layer.bias + seen.mean(axis=0) @ (weights - rounded)
    return Parameters(rounded.reshape(layer.weights.shape).astype(np.float32), bias.astype(np.float32))


def together(weights: np.ndarray, covariance: np.ndarray, least: int, most: int) -> np.ndarray:
    """Return weights (inputs, units) as whole numbers of least..most whose sums differ little from the given ones'.

    Each input's weights are rounded in turn, those of inputs that vary most first; the error is made up for, as far as
    inputs go together, by the weights that aren't rounded yet.

    Args:
        covariance: (inputs, inputs) of the inputs.
    """
    order = np.argsort(-np.diag(covariance), kind="stable")
    own = covariance[np.ix_(order, order)]
    own[np.diag_indices(len(own))] += DAMPED * np.trace(own) / len(own) + 1e-9
    made_up = np.linalg.cholesky(np.linalg.inv(own)).T
    left, rounded = weights[order], np.empty(weights.shape)
    for i, place in enumerate(order):
        rounded[place] = np.clip(np.rint(left[i]), least, most)
        left[i + 1 :] -= np.outer(made_up[i, i + 1 :], (left[i] - rounded[place]) / made_up[i, i])
    return rounded


def tables_of(net: StreamNet) -> StreamTables:
    """Return the tables of a net in integer steps; scores as fine as 16 bits hold."""
    layers = []
    for shape, layer, rounding in zip(net.shapes, net.layers, net.rounding, strict=True):
        if layer is None or rounding is None:
            layers.append(StreamLayer(shape))
            continue
        weights = np.clip(np.rint(layer.weights), rounding.least, rounding.most).astype(np.int64)
        weights = np.moveaxis(weights, -1, 0)
        biases = np.rint(layer.bias).astype(np.int64)
        if shape is not net.shapes[-1]:
            shifts = np.rint(-np.log2(rounding.gains)).astype(np.int64)
            layers.append(StreamLayer(shape, weights, tuple(biases.tolist()), tuple(shifts.tolist())))
            continue
        flat = weights.reshape(shape.units, -1)
        biases -= int((biases + CODE_MAX * np.minimum(flat, 0).sum(axis=1)).min())
        highest = int((biases + CODE_MAX * np.maximum(flat, 0).sum(axis=1)).max())
        shift = max(int(highest // (SCORE_MAX + 1)).bit_length(), 0)
        layers.append(StreamLayer(shape, weights, tuple(biases.tolist()), (shift,) * shape.units))
    tables = StreamTables(net.inputs, tuple(layers))
    tables.check()
    return tables
