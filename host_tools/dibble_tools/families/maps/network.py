"""A convolutional network in float32: forward, backward, and as it will be under its own rounding.

Layers: full 3x3 (stride 2, the first), then blocks of depthwise 3x3 and pointwise, a mean over the map, a dense end.
Hidden outputs are clamped to 0..top, as codes are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

KERNEL = 3


@dataclass(eq=False)
class FloatLayer:
    """A layer: kind "conv" (units, rows, columns, depth), "depthwise" (channels, rows, columns), "mean" or "dense"."""

    kind: str
    weights: np.ndarray | None = None
    biases: np.ndarray | None = None
    stride: int = 1
    pad: int = 0
    top: np.ndarray | float = 6.0
    cache: list = field(default_factory=list)


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

    def conv(units: int, kernel: int, inputs: int, stride: int) -> FloatLayer:
        scale = np.sqrt(2 / (kernel * kernel * inputs))
        weights = rng.normal(0, scale, (units, kernel, kernel, inputs)).astype(np.float32)
        return FloatLayer("conv", weights, np.zeros(units, np.float32), stride, kernel // 2)

    layers = [conv(shape.first, KERNEL, depth, shape.first_stride)]
    units = shape.first
    for wider, stride in shape.blocks:
        weights = rng.normal(0, np.sqrt(2 / 9), (units, KERNEL, KERNEL)).astype(np.float32)
        layers.append(FloatLayer("depthwise", weights, np.zeros(units, np.float32), stride, 1))
        layers.append(conv(wider, 1, units, 1))
        units = wider
    layers.append(FloatLayer("mean"))
    weights = rng.normal(0, np.sqrt(1 / units), (classes, units)).astype(np.float32)
    layers.append(FloatLayer("dense", weights, np.zeros(classes, np.float32)))
    return layers


def forward(layers: Sequence[FloatLayer], x: np.ndarray, rounded: bool = False) -> np.ndarray:
    """Return the logits (rows, classes) of x (rows, height, width, depth), and keep what `backward` needs.

    Args:
        rounded: weights as int8 of each unit, outputs as codes of 8 bits.
    """
    for layer in layers:
        w = rounded_weights(layer.weights) if rounded and layer.weights is not None else layer.weights
        if layer.kind == "mean":
            layer.cache = [x.shape]
            x = x.mean(axis=(1, 2))
            continue
        assert w is not None and layer.biases is not None
        if layer.kind == "dense":
            layer.cache = [x, w]
            x = x @ w.T + layer.biases
            continue
        padded = np.pad(x, ((0, 0), (layer.pad,) * 2, (layer.pad,) * 2, (0, 0))) if layer.pad else x
        view = np.lib.stride_tricks.sliding_window_view(padded, w.shape[1:3], axis=(1, 2))
        view = view[:, :: layer.stride, :: layer.stride]  # (rows, height, width, depth, kernel rows, kernel columns)
        if layer.kind == "conv":
            seen = np.ascontiguousarray(view.transpose(0, 1, 2, 4, 5, 3)).reshape(-1, w[0].size)
            out = (seen @ w.reshape(len(w), -1).T).reshape(*view.shape[:3], -1) + layer.biases
        else:
            seen = view
            out = np.zeros((*view.shape[:3], view.shape[3]), w.dtype)
            for i in range(w.shape[1]):
                for j in range(w.shape[2]):
                    out += view[..., i, j] * w[:, i, j]
            out += layer.biases
        layer.cache = [x.shape, seen, w, (out > 0) & (out < layer.top)]
        x = np.clip(out, 0, layer.top)
        if rounded:
            x = np.round(x * np.float32(255 / layer.top)) * np.float32(layer.top / 255)
    return x


def backward(layers: Sequence[FloatLayer], gradient: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the gradients (weights, biases) of each layer that has any, from that of the logits."""
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for i in range(len(layers) - 1, -1, -1):
        layer = layers[i]
        if layer.kind == "mean":
            (shape,) = layer.cache
            gradient = np.broadcast_to(gradient[:, None, None, :] / (shape[1] * shape[2]), shape)
            continue
        if layer.kind == "dense":
            x, w = layer.cache
            found.append((gradient.T @ x, gradient.sum(axis=0)))
            gradient = gradient @ w
            continue
        shape, seen, w, active = layer.cache
        gradient = gradient * active
        bias = gradient.sum(axis=(0, 1, 2))
        flat = gradient.reshape(-1, gradient.shape[-1])
        if layer.kind == "conv":
            own = (flat.T @ seen).reshape(w.shape)
        else:
            own = np.empty_like(w)
            for r in range(w.shape[1]):
                for c in range(w.shape[2]):
                    own[:, r, c] = np.einsum("nhwd,nhwd->d", seen[..., r, c], gradient)
        found.append((own, bias))
        gradient = _to_inputs(layer, shape, w, gradient) if i else gradient
    return found[::-1]


def _to_inputs(layer: FloatLayer, shape: tuple[int, ...], w: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return the gradient of a layer's inputs."""
    rows, height, width, depth = shape
    out = np.zeros((rows, height + 2 * layer.pad, width + 2 * layer.pad, depth), w.dtype)
    down, right = gradient.shape[1] * layer.stride, gradient.shape[2] * layer.stride
    for r in range(w.shape[1]):
        for c in range(w.shape[2]):
            part = gradient @ w[:, r, c, :] if layer.kind == "conv" else gradient * w[:, r, c]
            out[:, r : r + down : layer.stride, c : c + right : layer.stride] += part
    return out[:, layer.pad : layer.pad + height, layer.pad : layer.pad + width]


def rounded_weights(weights: np.ndarray | None) -> np.ndarray | None:
    """Return weights as int8 of each unit hold them."""
    if weights is None:
        return None
    step = np.abs(weights).reshape(len(weights), -1).max(axis=1).reshape(-1, *(1,) * (weights.ndim - 1)) / 127
    step = np.maximum(step, 1e-12)
    return (np.round(weights / step) * step).astype(np.float32)
