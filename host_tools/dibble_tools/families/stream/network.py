"""A network with a memory, trained by gradient descent in floats or as a node rounds.

Sequences are (hops, batch, channels), float32. Every layer is causal: its first output is that of its first `taps`
inputs, so nothing is padded, and what is learned from a piece of a stream is what a node computes in its midst.

NumPy, as elsewhere here: PyTorch is hundreds of megabytes for what is a product of two matrices for each tap. Products
are those of BLAS in 32 bits, and so, unlike the mlp's, a network may come out a little different on another computer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

FULL, DEPTHWISE, MEAN = "full", "depthwise", "mean"
CODE_MAX = 255
NORM_KEPT = 0.9  # of running statistics, at each step
TINY = 1e-5
MOMENTS = (0.9, 0.99)


@dataclass(frozen=True)
class LayerShape:
    """What a layer is.

    Attributes:
        kind: full (each unit sees all channels), depthwise (its own one) or mean (a running mean, no weights).
        units: outputs; of depthwise and mean layers as many as inputs.
        taps: hops that it sees, the newest last.
        stride: it is computed at each so manieth of its inputs.
        bits: of a weight: 8 or 4.
        relu: whether what is below 0 becomes 0; else the unit's whole range is kept.
    """

    kind: str
    units: int
    taps: int = 1
    stride: int = 1
    bits: int = 8
    relu: bool = True

    def weights(self, inputs: int) -> int:
        """Return how many weights it has."""
        return {FULL: self.units * self.taps * inputs, DEPTHWISE: self.units * self.taps, MEAN: 0}[self.kind]

    def hops(self, outputs: int) -> int:
        """Return how many inputs so many outputs are made of."""
        return (outputs - 1) * self.stride + self.taps


def hops_seen(shapes: Sequence[LayerShape], outputs: int = 1) -> int:
    """Return how many rows so many scores are made of."""
    for shape in reversed(shapes):
        outputs = shape.hops(outputs)
    return outputs


@dataclass
class Parameters:
    """Of one layer; all float32.

    Attributes:
        weights: (taps, inputs, units) of a full layer, (taps, units) of a depthwise one.
        bias: (units,); where there is a norm, what it adds.
        gain: (units,) of the norm; None: there is none.
        mean, variance: (units,) running, of what the norm sees.
    """

    weights: np.ndarray
    bias: np.ndarray
    gain: np.ndarray | None = None
    mean: np.ndarray | None = None
    variance: np.ndarray | None = None

    def tensors(self) -> list[np.ndarray]:
        """Return what is trained."""
        return [self.weights, self.bias] + ([] if self.gain is None else [self.gain])


@dataclass
class Rounding:
    """How a layer whose weights are in integer steps is rounded, as a node would.

    Attributes:
        least, most: a weight.
        gains: (units,) 2**-shift; of the last layer nats a step of its sums.
    """

    least: int
    most: int
    gains: np.ndarray


@dataclass
class StreamNet:
    """A network: shapes, the last one full, of a unit a class; and their parameters (None: a mean)."""

    inputs: int
    shapes: list[LayerShape]
    layers: list[Parameters | None]
    rounding: list[Rounding | None] = field(default_factory=list)

    def tensors(self) -> list[np.ndarray]:
        """Return what is trained, in order."""
        return [tensor for layer in self.layers if layer is not None for tensor in layer.tensors()]


def new_net(inputs: int, shapes: Sequence[LayerShape], rng: np.random.Generator) -> StreamNet:
    """Return a net of random weights (He), each layer but the last with a norm."""
    layers: list[Parameters | None] = []
    channels = inputs
    for shape in shapes:
        if shape.kind == MEAN:
            layers.append(None)
            continue
        size = (shape.taps, channels, shape.units) if shape.kind == FULL else (shape.taps, shape.units)
        fan = shape.taps * (channels if shape.kind == FULL else 1)
        weights = (rng.normal(size=size) * np.sqrt(2 / fan)).astype(np.float32)
        zero, one = np.zeros(shape.units, np.float32), np.ones(shape.units, np.float32)
        if shape is shapes[-1]:
            layers.append(Parameters(weights * np.float32(0.5), zero))
        else:
            layers.append(Parameters(weights, zero, one, zero.copy(), one.copy()))
        channels = shape.units
    return StreamNet(inputs, list(shapes), layers)


class Tape:
    """One pass through a net, kept for the way back."""

    def __init__(self, net: StreamNet, x: np.ndarray, *, training: bool) -> None:
        self.net, self.training = net, training
        self.kept: list[tuple] = []
        for i, (shape, layer) in enumerate(zip(net.shapes, net.layers, strict=True)):
            last = i + 1 == len(net.shapes)
            if layer is None:
                x = self._mean(x, shape, rounded=bool(net.rounding))
            elif net.rounding:
                rounding = net.rounding[i]
                assert rounding is not None
                x = self._rounded(x, shape, layer, rounding, last=last)
            else:
                x = self._float(x, shape, layer, last=last)
        self.out = x

    def _mean(self, x: np.ndarray, shape: LayerShape, *, rounded: bool) -> np.ndarray:
        count = outputs_of(len(x), shape)
        y = np.empty((count, *x.shape[1:]), np.float32)
        for i in range(count):  # few, while training
            first = i * shape.stride
            x[first : first + shape.taps].mean(axis=0, out=y[i])
        self.kept.append((len(x),))
        return np.floor(y + np.float32(0.5)) if rounded else y

    def _float(self, x: np.ndarray, shape: LayerShape, layer: Parameters, *, last: bool) -> np.ndarray:
        y = linear(x, layer.weights, shape)
        if layer.gain is None:
            y += layer.bias
            spread = scaled = None
        else:
            assert layer.mean is not None and layer.variance is not None
            if self.training:
                count = np.float32(y.shape[0] * y.shape[1])
                mean = total(y) / count
                y -= mean
                variance = total(y * y) / count
                layer.mean += np.float32(1 - NORM_KEPT) * (mean - layer.mean)
                layer.variance += np.float32(1 - NORM_KEPT) * (variance - layer.variance)
            else:
                y -= layer.mean
                variance = layer.variance
            spread = np.float32(1) / np.sqrt(variance + np.float32(TINY))
            y *= spread
            scaled = y
            y = y * layer.gain + layer.bias
        active = None
        if shape.relu and not last:
            active = y > 0
            y *= active
        self.kept.append((x, spread, scaled, active))
        return y

    def _rounded(self, x: np.ndarray, shape: LayerShape, layer: Parameters, r: Rounding, *, last: bool) -> np.ndarray:
        weights = np.clip(np.rint(layer.weights), r.least, r.most)
        y = linear(x, weights, shape)
        y += np.rint(layer.bias)
        y *= r.gains
        active = None
        if not last:
            np.floor(y, out=y)  # the half for rounding is in the bias
            active = (y >= 0) & (y <= CODE_MAX)
            np.clip(y, 0, CODE_MAX, out=y)
        self.kept.append((x, weights, None, active))
        return y

    def gradients(self, delta: np.ndarray) -> list[np.ndarray]:
        """Return the derivatives by `net.tensors()`, given those by the output; roundings count as the identity."""
        found: list[np.ndarray] = []
        net = self.net
        for i in range(len(net.shapes) - 1, -1, -1):
            shape, layer, kept = net.shapes[i], net.layers[i], self.kept[i]
            if layer is None:
                delta = _mean_back(delta, shape, kept[0])
                continue
            x, spread, scaled, active = kept
            if active is not None:
                delta = delta * active
            own: list[np.ndarray]
            weights = layer.weights
            if net.rounding:
                rounding = net.rounding[i]
                assert rounding is not None
                delta = delta * rounding.gains
                own = [total(delta)]
                weights = spread
            elif scaled is None:
                own = [total(delta)]
            else:
                assert layer.gain is not None
                by_bias, by_gain = total(delta), total(delta * scaled)
                own = [by_bias, by_gain]
                count = np.float32(delta.shape[0] * delta.shape[1])
                delta = (delta - by_bias / count - scaled * (by_gain / count)) * (layer.gain * spread)
            by_weights, delta = linear_back(delta, x, weights, shape, wanted=i > 0)
            found[:0] = [by_weights, *own]
        return found


def total(x: np.ndarray) -> np.ndarray:
    """Return the sum of each channel (channels,) of (hops, batch, channels): BLAS is several times as fast as sum."""
    flat = x.reshape(-1, x.shape[2])
    return np.asarray(np.ones(len(flat), np.float32) @ flat)


def outputs_of(hops: int, shape: LayerShape) -> int:
    """Return how many outputs so many inputs make."""
    return (hops - shape.taps) // shape.stride + 1


def _seen(x: np.ndarray, tap: int, shape: LayerShape, count: int) -> np.ndarray:
    return x[tap : tap + (count - 1) * shape.stride + 1 : shape.stride]


def linear(x: np.ndarray, weights: np.ndarray, shape: LayerShape) -> np.ndarray:
    """Return a layer's sums (outputs, batch, units)."""
    count = outputs_of(len(x), shape)
    y = np.empty((count, x.shape[1], shape.units), np.float32)
    if shape.kind == DEPTHWISE:
        np.multiply(_seen(x, 0, shape, count), weights[0], out=y)
        for tap in range(1, shape.taps):
            y += _seen(x, tap, shape, count) * weights[tap]
        return y
    if shape.taps == 1:
        flat = np.ascontiguousarray(_seen(x, 0, shape, count)).reshape(-1, x.shape[2])
        return (flat @ weights[0]).reshape(y.shape)
    columns = inputs_of_units(x, shape, count)
    return (columns @ weights.reshape(-1, shape.units)).reshape(y.shape)


def inputs_of_units(x: np.ndarray, shape: LayerShape, count: int) -> np.ndarray:
    """Return all that each of so many outputs of a full layer is summed up of (outputs * batch, taps * channels)."""
    seen = [_seen(x, tap, shape, count) for tap in range(shape.taps)]
    return np.concatenate(seen, axis=2).reshape(-1, shape.taps * x.shape[2])


def linear_back(
    delta: np.ndarray, x: np.ndarray, weights: np.ndarray, shape: LayerShape, *, wanted: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the derivatives by a layer's weights and by its inputs, which are left out if they aren't wanted."""
    count = len(delta)
    back = np.zeros_like(x) if wanted else x
    if shape.kind == DEPTHWISE:
        by_weights = np.empty_like(weights)
        for tap in range(shape.taps):
            by_weights[tap] = total(_seen(x, tap, shape, count) * delta)
            if wanted:
                _seen(back, tap, shape, count)[...] += delta * weights[tap]
        return by_weights, back
    flat = np.ascontiguousarray(delta).reshape(-1, shape.units)
    columns = inputs_of_units(x, shape, count)
    by_weights = (columns.T @ flat).reshape(weights.shape)
    if wanted:
        parts = (flat @ weights.reshape(-1, shape.units).T).reshape(count, x.shape[1], shape.taps, x.shape[2])
        for tap in range(shape.taps):
            _seen(back, tap, shape, count)[...] += parts[:, :, tap]
    return by_weights, back


def _mean_back(delta: np.ndarray, shape: LayerShape, hops: int) -> np.ndarray:
    back = np.zeros((hops, *delta.shape[1:]), np.float32)
    share = delta / np.float32(shape.taps)
    for i in range(len(delta)):
        back[i * shape.stride : i * shape.stride + shape.taps] += share[i]
    return back


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the logarithm of each class's probability, over the last axis."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


class Adam:
    """The optimizer: one step at a time, in place.

    Args:
        paces: of each tensor, how far it moves compared to the rate.
        decays: of each tensor, decoupled.
    """

    def __init__(self, tensors: list[np.ndarray], paces: list[float], decays: list[float]) -> None:
        self.tensors, self.paces, self.decays = tensors, paces, decays
        self.mean = [np.zeros_like(t) for t in tensors]
        self.square = [np.zeros_like(t) for t in tensors]
        self.step = 0

    def move(self, slopes: list[np.ndarray], rate: float) -> None:
        """Go a step down the slopes."""
        self.step += 1
        b1, b2 = MOMENTS
        size = rate * np.sqrt(1 - b2**self.step) / (1 - b1**self.step)
        for t, g, m, s, pace, decay in zip(
            self.tensors, slopes, self.mean, self.square, self.paces, self.decays, strict=True
        ):
            m += (1 - b1) * (g - m)
            s += (1 - b2) * (g * g - s)
            if decay:
                t -= np.float32(rate * pace * decay) * t
            t -= np.float32(size * pace) * m / (np.sqrt(s) + np.float32(1e-8))


def forward(net: StreamNet, x: np.ndarray) -> np.ndarray:
    """Return the logits (outputs, batch, classes) of sequences."""
    return Tape(net, x, training=False).out
