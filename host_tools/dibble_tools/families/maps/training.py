"""Fit a convolutional network to labelled frames, under the rounding that it will have on the node."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dibble_tools.families.maps.network import FloatLayer, Shape, backward, build, fold, forward
from dibble_tools.families.maps.quantized import QuantizedLayer, QuantizedMap, QuantizedNetwork
from dibble_tools.families.maps.requantizing import requantized
from dibble_tools.families.maps.tables import CODE_MAX, Frame, MapsTables, batches

BATCH = 64
RATE, RATE_ROUNDED, RATE_LEAST = 1e-2, 5e-4, 1e-5
WARM_UP = 100  # steps
MOMENTS = 0.9, 0.99
DECAY = 1e-4
ROUNDED_SHARE = 0.15  # of the last steps: under rounding
SHIFTED = 0.08  # of a side, at most
BRIGHTER, CONTRAST, NOISE = 0.12, 0.25, 0.03  # of the whole range
SMOOTHING = 0.05  # of the labels
TEACHER_SHARE = 0.5  # of the targets, where there is a teacher
SETTLED_BY = 512  # rows that tell how far outputs go, and their mean and variance
SCALED_BY = 400  # the same of the integers


@dataclass(frozen=True)
class Augmentation:
    """How frames are varied while training: what the camera or the scene may do, and the label stays."""

    shift: bool = True
    flip: bool = True
    brightness: bool = True
    noise: bool = True

    def vary(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return frames (rows, height, width, depth) of 0..1, each varied by itself."""
        count, height, width = x.shape[:3]
        rows, columns = (np.broadcast_to(np.arange(side), (count, side)) for side in (height, width))
        if self.shift:
            most = max(1, round(height * SHIFTED)), max(1, round(width * SHIFTED))
            down, right = (rng.integers(-m, m + 1, (count, 1)) for m in most)
            rows, columns = np.clip(rows - down, 0, height - 1), np.clip(columns - right, 0, width - 1)
        if self.flip:
            columns = np.where(rng.random((count, 1)) < 0.5, columns[:, ::-1], columns)
        x = x[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
        each = (count, 1, 1, 1)
        if self.brightness:
            contrast, brighter = rng.uniform(-CONTRAST, CONTRAST, each), rng.uniform(-BRIGHTER, BRIGHTER, each)
            x = (x - np.float32(0.5)) * (1 + contrast).astype(np.float32) + (0.5 + brighter).astype(np.float32)
        if self.noise:
            noise = rng.standard_normal(x.shape, np.float32)
            x = x + noise * rng.uniform(0, NOISE, each).astype(np.float32)
        return np.clip(x, 0, 1)


class FrameLearner:
    """A network that learns, step by step; `finish` ends it.

    Attributes:
        layers: as they are by now; of folded, rounded layers after `finish`.
        steps: how many batches it has learned.
    """

    def __init__(
        self, shape: Shape, codes: np.ndarray, y: np.ndarray, classes: int, rng: np.random.Generator, **targets: Any
    ) -> None:
        """Begin with random weights.

        Args:
            codes, y, classes, targets: see `give`.
        """
        self.layers = build(shape, codes.shape[3], classes, rng)
        self.classes, self.rng = classes, rng
        self.steps = 0
        self.rounded = False
        self.moments: dict[tuple[int, str], list[np.ndarray]] = {}
        self.moved = 0
        self.give(codes, y, **targets)

    def give(
        self,
        codes: np.ndarray,
        y: np.ndarray,
        *,
        teacher: np.ndarray | None = None,
        augmentation: Augmentation | None = None,
    ) -> None:
        """Set the frames to learn from.

        Args:
            codes: uint8 (rows, height, width, depth); y: class index of each.
            teacher: class shares (rows, classes) that a larger network gives them.
            augmentation: None varies nothing.
        """
        own = np.full((len(y), self.classes), SMOOTHING / self.classes, np.float32)
        own[np.arange(len(y)), y] += 1 - SMOOTHING
        self.codes, self.augmentation = codes, augmentation
        self.targets = own if teacher is None else (1 - TEACHER_SHARE) * own + TEACHER_SHARE * teacher
        self.order = np.zeros(0, dtype=np.int64)

    def learn(self, steps: int) -> None:
        """Learn from so many batches, at the full rate."""
        for _ in range(steps):
            self._step(RATE * min(1.0, (self.steps + 1) / WARM_UP))

    def finish(self, steps: int) -> list[FloatLayer]:
        """Learn from so many batches at a rate that falls, the last of them under rounding; return the layers."""
        rounded = max(1, round(ROUNDED_SHARE * steps))
        for i in range(steps - rounded):
            warm = min(1.0, (self.steps + 1) / WARM_UP)
            self._step(RATE * warm * 0.5 * (1 + np.cos(np.pi * i / (steps - rounded))) + RATE_LEAST)
        some = self.settle()
        fold(self.layers)
        _set_tops(self.layers, some)
        self.rounded, self.moments, self.moved = True, {}, 0
        for i in range(rounded):
            self._step(RATE_ROUNDED * (1 - i / rounded))
        return self.layers

    def settle(self) -> np.ndarray:
        """Let some frames, which are returned, tell each unit's mean and variance: the last batches' are rough."""
        some = frames_of(self.codes[:: -(-len(self.codes) // SETTLED_BY)])
        forward(self.layers, some, learning=True, settling=True)
        for layer in self.layers:
            layer.cache = []  # of many frames, and many shapes compete
        return some

    def _step(self, rate: float) -> None:
        if len(self.order) < min(BATCH, len(self.codes)):
            self.order = self.rng.permutation(len(self.codes))
        part, self.order = self.order[:BATCH], self.order[BATCH:]
        x = frames_of(self.codes[part])
        x = x if self.augmentation is None else self.augmentation.vary(x, self.rng)
        logits = forward(self.layers, x, rounded=self.rounded, learning=True)
        gradient = ((softmax(logits) - self.targets[part]) / len(part)).astype(np.float32)
        self.steps += 1
        self.moved += 1
        weighed = [layer for layer in self.layers if layer.weights is not None]
        for i, (layer, gradients) in enumerate(zip(weighed, backward(self.layers, gradient), strict=True)):
            for name, g in zip(layer.learned(), gradients, strict=True):
                self._move(i, layer, name, g, rate)

    def _move(self, i: int, layer: FloatLayer, name: str, gradient: np.ndarray, rate: float) -> None:
        """Move what layer i has learned, by Adam (D. Kingma, J. Ba, 2015); weights decay."""
        kept = self.moments.setdefault((i, name), [np.zeros_like(gradient), np.zeros_like(gradient)])
        first, second = kept
        first += (1 - MOMENTS[0]) * (gradient - first)
        second += (1 - MOMENTS[1]) * (gradient * gradient - second)
        moved = first / (1 - MOMENTS[0] ** self.moved) / (np.sqrt(second / (1 - MOMENTS[1] ** self.moved)) + 1e-7)
        value = getattr(layer, name)
        decay = DECAY if name == "weights" else 0.0
        setattr(layer, name, (value - rate * (moved + decay * value)).astype(np.float32))


def frames_of(codes: np.ndarray) -> np.ndarray:
    """Return codes as what a network of floats sees: 0..1, float32."""
    return codes.astype(np.float32) / np.float32(CODE_MAX)


def _set_tops(layers: list[FloatLayer], x: np.ndarray) -> None:
    """Set the value that the largest code of each hidden layer stands for: nearly the largest that comes up."""
    for i, layer in enumerate(layers):
        if layer.weights is not None and layer.kind != "dense":
            layer.top = np.inf
            layer.top = max(float(np.quantile(forward(layers[: i + 1], x), 0.9995)), 1e-3)


def shares(layers: list[FloatLayer], codes: np.ndarray) -> np.ndarray:
    """Return the class shares (rows, classes) that a network gives frames of codes."""
    return np.concatenate([softmax(forward(layers, frames_of(part))) for part in batches(codes)])


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
