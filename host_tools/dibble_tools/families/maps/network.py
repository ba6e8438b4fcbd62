"""A convolutional network in float32: forward, backward, and as it will be under its own rounding.

Layers: full 3x3 (the first), then blocks of depthwise 3x3 and pointwise, a mean over the map, a dense end. While it
learns, a hidden layer's outputs are normalized over the batch; `fold` puts that into weights and biases, as the node
has no such step. Maps lie as (channels, rows, height, width): each product is one of large matrices then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dibble_tools.families.maps.convolution import Convolution, Depthwise

KERNEL = 3
EPSILON = 1e-5  # of a variance
SEEN_AGAIN = 0.9  # of what is known of a channel's mean and variance; the rest is the batch's


@dataclass(eq=False)
class FloatLayer:
    """A layer, hidden ones with outputs of 0..top.

    Attributes:
        kind: "conv" (units, rows, columns, depth), "depthwise" (channels, rows, columns), "mean" or "dense".
        biases: one a unit; of a normalized layer they are added behind the gains.
        gains: of the normalized outputs; None once folded, and of the last layer.
        means, variances: running, of each unit's sums, float64.
        top: the value of the largest code.
        cache: what `backward` needs of the last `forward`.
    """

    kind: str
    weights: np.ndarray | None = None
    biases: np.ndarray | None = None
    stride: int = 1
    pad: int = 0
    gains: np.ndarray | None = None
    means: np.ndarray | None = None
    variances: np.ndarray | None = None
    top: np.ndarray | float = np.inf
    cache: list = field(default_factory=list)

    def learned(self) -> list[str]:
        """Return the names of what is learned."""
        names = ("weights", "biases", "gains")
        return [name for name in names if getattr(self, name) is not None]


@dataclass(frozen=True)
class Shape:
    """A network's shape: units of the first layer, then of each block, with its stride."""

    first: int
    blocks: tuple[tuple[int, int], ...]
    first_stride: int = 2

    def __str__(self) -> str:
        return f"{self.first}" + "".join(f"-{units}{'/2' if stride == 2 else ''}" for units, stride in self.blocks)


def build(shape: Shape, depth: int, classes: int, rng: np.random.Generator) -> list[FloatLayer]:
    """Return layers of random weights (He)."""

    def hidden(kind: str, size: tuple[int, ...], inputs: int, stride: int) -> FloatLayer:
        weights = rng.normal(0, np.sqrt(2 / inputs), size).astype(np.float32)
        units = size[0]
        zeros, ones = (lambda: np.zeros(units, np.float32)), (lambda: np.ones(units, np.float32))
        return FloatLayer(kind, weights, zeros(), stride, size[1] // 2, ones(), np.zeros(units), np.ones(units))

    layers = [hidden("conv", (shape.first, KERNEL, KERNEL, depth), 9 * depth, shape.first_stride)]
    units = shape.first
    for wider, stride in shape.blocks:
        layers.append(hidden("depthwise", (units, KERNEL, KERNEL), 9, stride))
        layers.append(hidden("conv", (wider, 1, 1, units), units, 1))
        units = wider
    layers.append(FloatLayer("mean"))
    weights = rng.normal(0, np.sqrt(1 / units), (classes, units)).astype(np.float32)
    layers.append(FloatLayer("dense", weights, np.zeros(classes, np.float32)))
    return layers


def forward(
    layers: Sequence[FloatLayer],
    x: np.ndarray,
    *,
    rounded: bool = False,
    learning: bool = False,
    settling: bool = False,
) -> np.ndarray:
    """Return the logits (rows, classes) of frames x (rows, height, width, depth).

    Without a dense layer: the last map, (channels, rows, height, width).

    Args:
        rounded: weights as int8 of each unit, outputs as codes of 8 bits.
        learning: normalize by the batch, and keep what `backward` needs.
        settling: these rows alone tell each unit's mean and variance from now on.
    """
    x = np.ascontiguousarray(x.transpose(3, 0, 1, 2))
    for layer in layers:
        if layer.kind == "mean":
            layer.cache = [x.shape]
            x = x.mean(axis=(2, 3))
            continue
        assert layer.weights is not None and layer.biases is not None
        w = rounded_weights(layer.weights) if rounded else layer.weights
        if layer.kind == "dense":
            layer.cache = [x, w]
            return (w @ x + layer.biases[:, None]).T
        step = (Convolution if layer.kind == "conv" else Depthwise)(x, w, layer.stride, layer.pad)
        x = step.outputs()
        normal = None
        if layer.gains is not None:
            normal = _normalize(layer, x, learning, 1.0 if settling else 1 - SEEN_AGAIN)
            x *= layer.gains[:, None, None, None]
        x += layer.biases[:, None, None, None]
        np.maximum(x, 0, out=x)
        active = x > 0 if learning else None
        if np.isfinite(layer.top):
            if active is not None:
                active &= x < layer.top
            np.minimum(x, layer.top, out=x)
            if rounded:
                x *= np.float32(255 / layer.top)
                np.round(x, out=x)
                x *= np.float32(layer.top / 255)
        if learning:
            layer.cache = [step, normal, active]
    return x


def _normalize(layer: FloatLayer, x: np.ndarray, learning: bool, share: float) -> list[np.ndarray]:
    """Bring x (channels, ...) to mean 0 and variance 1, in place; return (a copy of that, each unit's deviation)."""
    assert layer.means is not None and layer.variances is not None
    flat = x.reshape(len(x), -1)
    if learning:
        means = flat.mean(axis=1)
        flat -= means[:, None]
        variances = np.einsum("cl,cl->c", flat, flat) / flat.shape[1]
        layer.means += share * (means - layer.means)
        layer.variances += share * (variances - layer.variances)
    else:
        flat -= layer.means.astype(flat.dtype)[:, None]
        variances = layer.variances
    deviations = np.sqrt(variances + EPSILON).astype(flat.dtype)
    flat /= deviations[:, None]
    return [flat.copy(), deviations] if learning else []


def backward(layers: Sequence[FloatLayer], gradient: np.ndarray) -> list[list[np.ndarray]]:
    """Return the gradients of what each layer that learns has learned, from that of the logits (rows, classes).

    The last `forward` has to be one of `learning`.
    """
    found: list[list[np.ndarray]] = []
    for i in range(len(layers) - 1, -1, -1):
        layer = layers[i]
        if layer.kind == "mean":
            (shape,) = layer.cache
            gradient = np.broadcast_to((gradient / (shape[2] * shape[3]))[..., None, None], shape)
            continue
        if layer.kind == "dense":
            x, w = layer.cache
            found.append([gradient.T @ x.T, gradient.sum(axis=0)])
            gradient = w.T @ gradient.T
            continue
        step, normal, active = layer.cache
        gradient = gradient * active
        flat = gradient.reshape(len(gradient), -1)
        bias = flat.sum(axis=1)
        own = [bias]
        if layer.gains is not None:
            seen, deviations = normal
            gain = np.einsum("cl,cl->c", flat, seen)
            own.append(gain)
            rows = flat.shape[1]
            flat -= (bias / rows)[:, None]
            flat -= seen * (gain / rows)[:, None]
            flat *= (layer.gains / deviations)[:, None]
        found.append([step.to_weights(gradient), *own])
        gradient = step.to_inputs(gradient) if i else gradient
    return found[::-1]


def fold(layers: Sequence[FloatLayer]) -> None:
    """Put each layer's normalization into its weights and biases."""
    for layer in layers:
        if layer.gains is None:
            continue
        assert layer.weights is not None and layer.biases is not None and layer.means is not None
        assert layer.variances is not None
        factors = (layer.gains / np.sqrt(layer.variances + EPSILON)).astype(np.float32)
        layer.weights = layer.weights * factors.reshape(-1, *(1,) * (layer.weights.ndim - 1))
        layer.biases = layer.biases - (factors * layer.means).astype(np.float32)
        layer.gains = layer.means = layer.variances = None


def rounded_weights(weights: np.ndarray) -> np.ndarray:
    """Return weights as int8 of each unit hold them."""
    step = np.abs(weights).reshape(len(weights), -1).max(axis=1).reshape(-1, *(1,) * (weights.ndim - 1)) / 127
    step = np.maximum(step, 1e-12)
    return (np.round(weights / step) * step).astype(np.float32)
