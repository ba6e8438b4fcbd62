"""Fit the family stream: a float network with norms, then weights in integer steps, trained under their rounding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from dibble.inference.stream import MOST_STEPS

from dibble_tools.families.mlp.tables import CODE_MAX, SCORE_MAX, SHIFT_MAX
from dibble_tools.families.stream.network import (
    MEAN,
    Adam,
    LayerShape,
    Parameters,
    Rounding,
    StreamNet,
    Tape,
    log_softmax,
    new_net,
)
from dibble_tools.families.stream.tables import WEIGHT_RANGE, StreamLayer, StreamTables

BATCH = 128
RATE, ROUNDED_RATE = 0.006, 0.5  # of the first steps: of a float network; in steps of an 8-bit weight
DECAY = 0.002
WARM_UP = 60  # steps
ROUNDED_SHARE = 0.35  # of the steps
BIAS_PACE = 60.0  # how far a bias moves, compared to a weight: it is in steps of a sum
SPREAD = 40.0  # codes that are a float network's 1
LOSS_KEPT = 0.02  # of each step's, in the mean that is told
CUTS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)  # of a unit's largest weight
RANGE = 0.9995  # of a unit's outputs keep their place within 0..255

Batch = Callable[[], tuple[np.ndarray, np.ndarray]]
Told = Callable[[float, float], None]


@dataclass(frozen=True)
class FittedStream:
    """A network, and how far its float original is ahead.

    Attributes:
        net: in floats, on (codes - middle) / SPREAD.
    """

    tables: StreamTables
    net: StreamNet
    middle: float

    def float_scores(self, pieces: np.ndarray) -> np.ndarray:
        """Return the float network's logits (batch, classes) at the end of pieces (hops, batch, bands)."""
        return Tape(self.net, _inputs(pieces, self.middle), training=False).out[-1]


def fit(
    bands: int,
    shapes: Sequence[LayerShape],
    batch: Batch,
    steps: int,
    middle: float,
    rng: np.random.Generator,
    told: Told = lambda share, loss: None,
) -> FittedStream:
    """Return a network fitted to pieces of streams.

    Args:
        batch: returns (pieces (hops, batch, bands) of codes, targets (batch, classes)).
        steps: of training, those under rounding among them.
        middle: code that is about the mean.
        told: called with the share of the steps that are done and the mean loss.
    """
    net = new_net(bands, shapes, rng)
    rounded = max(int(ROUNDED_SHARE * steps), 1)
    paces = [1.0] * len(net.tensors())
    decays = [DECAY if t.ndim > 1 else 0.0 for t in net.tensors()]
    before = 1 - ROUNDED_SHARE
    _train(
        net,
        batch,
        steps - rounded,
        RATE,
        paces,
        decays,
        lambda x: _inputs(x, middle),
        lambda share, loss: told(before * share, loss),
    )
    _settle_norms(net, batch, middle)
    found = integer_net(net, np.concatenate([batch()[0] for _ in range(4)], axis=1), middle)
    paces = []
    for layer, shape in zip(found.layers, found.shapes, strict=True):
        if layer is not None:
            pace = WEIGHT_RANGE[shape.bits][1] / WEIGHT_RANGE[8][1]
            paces += [pace, BIAS_PACE * pace]
    none = [0.0] * len(paces)
    _train(
        found,
        batch,
        rounded,
        ROUNDED_RATE,
        paces,
        none,
        lambda x: x,
        lambda share, loss: told(before + ROUNDED_SHARE * share, loss),
    )
    return FittedStream(tables_of(found), net, middle)


def _inputs(codes: np.ndarray, middle: float) -> np.ndarray:
    return (codes - np.float32(middle)) / np.float32(SPREAD)


def _train(
    net: StreamNet,
    batch: Batch,
    steps: int,
    rate: float,
    paces: list[float],
    decays: list[float],
    inputs: Callable[[np.ndarray], np.ndarray],
    told: Told,
) -> None:
    """Train in place: Adam, its steps falling as a cosine does."""
    optimizer = Adam(net.tensors(), paces, decays)
    mean = 0.0
    for step in range(steps):
        pieces, targets = batch()
        tape = Tape(net, inputs(pieces), training=True)
        logs = log_softmax(tape.out)
        loss = -float((logs * targets).sum(axis=-1).mean())
        mean += (LOSS_KEPT if step else 1) * (loss - mean)
        delta = (np.exp(logs) - targets) / np.float32(logs.shape[0] * logs.shape[1])
        size = rate * min(1.0, (step + 1) / WARM_UP) * 0.5 * (1 + np.cos(np.pi * step / steps))
        optimizer.move(tape.gradients(delta), size)
        for layer, rounding in zip(net.layers, net.rounding, strict=False):
            if layer is not None and rounding is not None:  # what is cut off would take long to come back
                np.clip(layer.weights, rounding.least, rounding.most, out=layer.weights)
        if step % 10 == 9:
            told((step + 1) / steps, mean)


def _settle_norms(net: StreamNet, batch: Batch, middle: float) -> None:
    """Let the norms' running figures reach what the last weights make."""
    for _ in range(20):
        Tape(net, _inputs(batch()[0], middle), training=True)


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


def shapes_for(classes: int, width: int, hop_s: float, bits: int = 4, clip_s: float = 1.0) -> list[LayerShape]:
    """Return a network about as deep as a clip is long: taps over the bands, depthwise and pointwise layers, a mean.

    Args:
        width: units of its layers, a multiple of 4; the last two are half as wide again.
        hop_s: from one row to the next; layers behind the first are computed at each second one below 40 ms.
        clip_s: how long most sounds are; the mean is over what taps leave of it.
    """
    stride = 2 if hop_s < 0.04 else 1
    each = hop_s * stride
    taps = max(round(0.1 / hop_s), 2)
    seen = max(round(0.24 / each), 3)
    mean = 1 << int(np.clip(round(np.log2(max(clip_s - 0.36, each) / each)), 0, MOST_STEPS))
    wide = (width * 3 // 2 + 3) // 4 * 4
    return [
        LayerShape("full", width, taps, stride, bits),
        LayerShape("depthwise", width, seen, relu=False),
        LayerShape("full", width, bits=bits),
        LayerShape("depthwise", width, seen, relu=False),
        LayerShape("full", wide, bits=bits),
        LayerShape("depthwise", wide, max(seen - 2, 3), relu=False),
        LayerShape("full", wide, bits=bits),
        LayerShape(MEAN, wide, mean),
        LayerShape("full", classes),
    ]
