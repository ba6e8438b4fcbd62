"""Which units of a network over the stream are worth their bytes: it begins wider than fits, and the others go.

A unit is a channel: the outputs of a full layer and what depthwise layers and means make of them are dropped together.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from dibble.inference.stream import TOGETHER

from dibble_tools.families.stream.network import FULL, LayerShape, Parameters, StreamNet, Tape, log_softmax

SCALE_BITS = 32  # of each unit of a layer: bias and shift
LOT = 16  # pieces whose slopes are added before they are squared
TINY = 1e-30

Fits = Callable[[Sequence[LayerShape]], bool]


def importance(net: StreamNet, x: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    """Return how much the loss depends on each unit (units,), for each full layer but the last, by first-order Taylor.

    That is the square of output times slope (Molchanov and others, 2019, arXiv:1906.10771), as a share of its layer's:
    else layers next to the scores would hardly lose any. An output's product is that of the weights which it is
    multiplied by in the next full layer, summed up.

    Args:
        x: inputs of the net (hops, batch, channels).
        targets: (batch, classes).
    """
    places = [i for i, shape in enumerate(net.shapes) if shape.kind == FULL]
    found = [np.zeros(net.shapes[i].units) for i in places[:-1]]
    for begin in range(0, x.shape[1], LOT):
        tape = Tape(net, x[:, begin : begin + LOT], training=True)
        slopes = tape.gradients(np.exp(log_softmax(tape.out)) - targets[begin : begin + LOT])
        of_tensor = {id(tensor): slope for tensor, slope in zip(net.tensors(), slopes, strict=True)}
        for own, i in zip(found, places[1:], strict=True):
            layer = net.layers[i]
            assert layer is not None
            own += (layer.weights * of_tensor[id(layer.weights)]).sum(axis=(0, 2)) ** 2
    return [own / max(own.sum(), TINY) for own in found]


def narrower(shapes: Sequence[LayerShape], units: Sequence[int]) -> list[LayerShape]:
    """Return the same layers with so many units of each full one but the last."""
    wanted = [*units, shapes[-1].units]
    full = np.cumsum([shape.kind == FULL for shape in shapes]) - 1
    return [replace(shape, units=wanted[i]) for shape, i in zip(shapes, full, strict=True)]


def worth_most(net: StreamNet, found: Sequence[np.ndarray], fits: Fits) -> list[np.ndarray]:
    """Return which units stay, for each full layer but the last, so that `fits` holds.

    As many as a node computes together go at a time: those of the layer where they matter least for a byte saved.

    Raises:
        ValueError: not even the least network fits.
    """
    order = [np.argsort(-own, kind="stable") for own in found]
    units = [len(own) for own in found]
    while not fits(shapes := narrower(net.shapes, units)):
        whole, losses = _bits(net.inputs, shapes), []
        for k, own in enumerate(found):
            fewer = [n - TOGETHER * (i == k) for i, n in enumerate(units)]
            saved = whole - _bits(net.inputs, narrower(net.shapes, fewer))
            lost = own[order[k][fewer[k] : units[k]]].sum() / saved
            losses.append(lost if fewer[k] else np.inf)
        if np.isinf(min(losses)):
            raise ValueError(f"stream: expected a network of {TOGETHER} units a layer to fit: allow more bytes")
        units[int(np.argmin(losses))] -= TOGETHER
    return [np.sort(which[:count]) for which, count in zip(order, units, strict=True)]


def _bits(inputs: int, shapes: Sequence[LayerShape]) -> int:
    found = 0
    for shape in shapes:
        weights = shape.weights(inputs)
        found += weights * shape.bits + SCALE_BITS * shape.units * bool(weights)
        inputs = shape.units
    return found


def pruned(net: StreamNet, kept: Sequence[np.ndarray]) -> StreamNet:
    """Return a net of the given units of each full layer but the last; it computes what they did, the others at 0."""
    shapes = narrower(net.shapes, [len(which) for which in kept])
    stays = iter([*kept, np.arange(net.shapes[-1].units)])
    inputs = own = np.arange(net.inputs)
    layers: list[Parameters | None] = []
    for shape, layer in zip(net.shapes, net.layers, strict=True):
        if layer is None:
            layers.append(None)
            continue
        weights = layer.weights
        if shape.kind == FULL:
            own = next(stays)
            weights = weights[:, inputs]
        rest = [None if t is None else t[own] for t in (layer.gain, layer.mean, layer.variance)]
        layers.append(Parameters(np.ascontiguousarray(weights[..., own]), layer.bias[own], *rest))
        inputs = own
    return StreamNet(net.inputs, shapes, layers)
