"""Fit a convolutional network to labelled frames, under the rounding that it will have on the node."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dibble_tools.families.maps.network import FloatLayer, Shape, backward, build, forward
from dibble_tools.families.maps.quantized import QuantizedLayer, QuantizedMap, QuantizedNetwork
from dibble_tools.families.maps.requantizing import requantized
from dibble_tools.families.maps.tables import CODE_MAX, Frame, MapsTables, batches

BATCH = 32
RATE = 4e-3
MOMENTS = 0.9, 0.99
DECAY = 1e-4
ROUNDED_FROM = 0.6  # of the epochs: from there on under rounding
SHIFTED = 0.08  # of a side, at most
BRIGHTER, CONTRAST, NOISE = 0.12, 0.25, 0.03  # of the whole range
SMOOTHING = 0.05  # of the labels
TEACHER_SHARE = 0.5  # of the targets, where there is a teacher
SCALED_BY = 400  # rows that tell how far outputs go


@dataclass(frozen=True)
class Augmentation:
    """How frames are varied while training: what the camera or the scene may do, and the label stays."""

    shift: bool = True
    flip: bool = True
    brightness: bool = True
    noise: bool = True

    def vary(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return frames (rows, height, width, depth) of 0..1, each varied by itself."""
        x = x.copy()
        height, width = x.shape[1:3]
        if self.shift:
            most = max(1, round(height * SHIFTED)), max(1, round(width * SHIFTED))
            for i, (down, right) in enumerate(zip(*(rng.integers(-m, m + 1, len(x)) for m in most), strict=True)):
                rows = np.clip(np.arange(height) - down, 0, height - 1)
                x[i] = x[i][rows][:, np.clip(np.arange(width) - right, 0, width - 1)]
        if self.flip:
            turned = rng.random(len(x)) < 0.5
            x[turned] = x[turned][:, :, ::-1]
        each = (len(x), 1, 1, 1)
        if self.brightness:
            x = (x - 0.5) * (1 + rng.uniform(-CONTRAST, CONTRAST, each)) + 0.5 + rng.uniform(-BRIGHTER, BRIGHTER, each)
        if self.noise:
            x = x + rng.normal(0, 1, x.shape) * rng.uniform(0, NOISE, each)
        return np.clip(x, 0, 1).astype(np.float32)


def fit(
    shape: Shape,
    x: np.ndarray,
    y: np.ndarray,
    classes: int,
    epochs: int,
    rng: np.random.Generator,
    *,
    teacher: np.ndarray | None = None,
    augmentation: Augmentation | None = None,
    go_on: Callable[[float], bool] = lambda _: True,
) -> list[FloatLayer]:
    """Return a fitted network.

    Args:
        x: frames of 0..1, float32 (rows, height, width, depth); y: class index of each.
        teacher: class shares (rows, classes) that a larger network gives them.
        augmentation: None varies nothing.
        go_on: told the share that is done after each epoch: False ends it early, rounding included.
    """
    layers = build(shape, x.shape[3], classes, rng)
    own = np.full((len(y), classes), SMOOTHING / classes, np.float32)
    own[np.arange(len(y)), y] += 1 - SMOOTHING
    targets = own if teacher is None else (1 - TEACHER_SHARE) * own + TEACHER_SHARE * teacher
    weighed = [layer for layer in layers if layer.weights is not None]
    state = [[np.zeros_like(p) for p in (m.weights, m.biases) for _ in range(2)] for m in weighed]
    step = 0
    rounded = False
    for epoch in range(epochs):
        if not rounded and epoch >= ROUNDED_FROM * epochs:
            _set_tops(layers, x[:: max(1, len(x) // 256)])
            rounded = True
        order = rng.permutation(len(x))
        rate = RATE * 0.5 * (1 + np.cos(np.pi * epoch / epochs)) + RATE / 200
        for at in range(0, len(x), BATCH):
            part = order[at : at + BATCH]
            frames = x[part] if augmentation is None else augmentation.vary(x[part], rng)
            logits = forward(layers, frames, rounded)
            gradient = (softmax(logits) - targets[part]) / len(part)
            step += 1
            for layer, kept, gradients in zip(weighed, state, backward(layers, gradient), strict=True):
                for k, (name, g) in enumerate(zip(("weights", "biases"), gradients, strict=True)):
                    first, second = kept[2 * k], kept[2 * k + 1]
                    first += (1 - MOMENTS[0]) * (g - first)
                    second += (1 - MOMENTS[1]) * (g * g - second)
                    moved = first / (1 - MOMENTS[0] ** step) / (np.sqrt(second / (1 - MOMENTS[1] ** step)) + 1e-7)
                    value = getattr(layer, name)
                    setattr(layer, name, (value - rate * (moved + DECAY * value)).astype(np.float32))
        if not go_on((epoch + 1) / epochs):
            break
    if not rounded:
        _set_tops(layers, x[:: max(1, len(x) // 256)])
    return layers


def _set_tops(layers: list[FloatLayer], x: np.ndarray) -> None:
    """Set the value that the largest code of each hidden layer stands for: nearly the largest that comes up."""
    for i, layer in enumerate(layers):
        if layer.weights is not None and layer.kind != "dense":
            layer.top = np.inf
            whole = forward(layers[: i + 1], x)
            layer.top = max(float(np.quantile(whole, 0.9995)), 1e-3)


def shares(layers: list[FloatLayer], x: np.ndarray) -> np.ndarray:
    """Return the class shares (rows, classes) that a network gives frames of 0..1."""
    return np.concatenate([softmax(forward(layers, part)) for part in batches(x)])


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return class shares of logits."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def tables_of(layers: list[FloatLayer], frame: Frame, codes: np.ndarray) -> MapsTables:
    """Return a fitted network in integers.

    Args:
        codes: frames of codes that it was fitted to, which tell how far outputs go.
    """
    made = quantized_of(layers, frame)
    found = requantized(made, codes[:: -(-len(codes) // SCALED_BY)])
    return MapsTables(frame, found.layers, found.margin_unit)


def quantized_of(layers: list[FloatLayer], frame: Frame) -> QuantizedNetwork:
    """Return a fitted network of int8 weights, its maps in codes."""
    maps = [QuantizedMap(frame.shape, 1 / CODE_MAX, 0)]
    found = []
    for i, layer in enumerate(layers):
        source = maps[-1]
        if layer.kind == "mean":
            kernel = source.shape[:2]
            found.append(QuantizedLayer(f"layer {i + 1}", "mean", (i,), kernel=kernel))
            maps.append(QuantizedMap((1, 1, source.shape[2]), source.scale, 0))
            continue
        assert layer.weights is not None and layer.biases is not None
        weights = layer.weights.reshape(len(layer.weights), 1, 1, -1) if layer.kind == "dense" else layer.weights
        shape = (-1,) + (1,) * (weights.ndim - 1)
        steps = np.maximum(np.abs(weights).reshape(len(weights), -1).max(axis=1), 1e-12) / 127.0
        whole = np.round(weights / steps.reshape(shape)).astype(np.int64)
        biases = np.round(layer.biases / (steps * source.scale)).astype(np.int64)
        stride, pads = (layer.stride, layer.stride), (layer.pad,) * 4
        kind = "conv" if layer.kind == "dense" else layer.kind
        kernel = (int(weights.shape[1]), int(weights.shape[2]))
        made = QuantizedLayer(f"layer {i + 1}", kind, (i,), whole, steps, biases, kernel, stride, pads)
        found.append(made)
        out = made.shape_of().out_shape(source.shape)[:2]
        scale = 1 / CODE_MAX if layer.kind == "dense" else float(layer.top) / CODE_MAX
        maps.append(QuantizedMap((*out, len(weights)), scale, 0))
    return QuantizedNetwork(maps, found, signed_frame=False)
