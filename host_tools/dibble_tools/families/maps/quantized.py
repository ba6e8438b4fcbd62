"""A network of int8 as other frameworks quantize it: read by tflite_import.py and onnx_import.py, run exactly here.

real = scale * (code - zero_point), as in the int8 specification of TensorFlow Lite, but that codes are 0..255 here,
zero points likewise: what is int8 there, plus 128.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dibble_tools.families.maps.tables import CODE_MAX, MapLayer, batches, windows

ROUNDED_AT_ONCE = 32  # frames
INT8_ZERO = 128  # of codes


@dataclass(frozen=True)
class QuantizedMap:
    """A map of codes: shape (height, width, depth), one scale and zero point."""

    shape: tuple[int, int, int]
    scale: float
    zero_point: int


@dataclass(frozen=True)
class QuantizedLayer:
    """A layer of such a network.

    Attributes:
        name: the operator's, for people.
        kind: "conv", "depthwise", "mean", "max" or "add".
        inputs: of which maps; map 0 is the frame, map i + 1 what layer i makes.
        weights: int8 values, int64 of conv (units, rows, columns, depth), of depthwise (channels, rows, columns).
        weight_scales: of each unit.
        biases: int64, one a unit, in steps of the input's scale times the unit's.
        low: the least code that comes out: the zero point where there is a ReLU.
        high: the largest.
    """

    name: str
    kind: str
    inputs: tuple[int, ...]
    weights: np.ndarray | None = None
    weight_scales: np.ndarray | None = None
    biases: np.ndarray | None = None
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    low: int = 0
    high: int = CODE_MAX

    def shape_of(self) -> MapLayer:
        """Return a layer that sees what this one sees."""
        return MapLayer("pool", self.inputs, kernel=self.kernel, stride=self.stride, pads=self.pads)


@dataclass(frozen=True)
class QuantizedNetwork:
    """Layers over maps; the last map's one pixel has a logit for each class, or one whose sign decides.

    Attributes:
        maps: the frame first, then what each layer makes.
        signed_frame: the frame's readings are int8 in the original: a code is a reading + 128.
        single: one logit decides between two classes.
    """

    maps: list[QuantizedMap]
    layers: list[QuantizedLayer]
    signed_frame: bool = True
    single: bool = False

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        return 2 if self.single else self.maps[-1].shape[2]

    def run(self, codes: np.ndarray, on_map: Callable[[int, np.ndarray], None] = lambda _, __: None) -> np.ndarray:
        """Return the codes of the logits (rows, classes) of frames of codes (rows, height, width, depth).

        Args:
            on_map: told each map's number and codes, piece by piece of the rows.
        """
        out = []
        for part in batches(codes.astype(np.int64), ROUNDED_AT_ONCE):
            maps = [part]
            on_map(0, part)
            for i, layer in enumerate(self.layers):
                maps.append(self._layer(layer, maps, self.maps[i + 1]))
                on_map(i + 1, maps[-1])
            out.append(maps[-1].reshape(len(part), -1))
        return np.concatenate(out) if out else np.zeros((0, self.maps[-1].shape[2]), dtype=np.int64)

    def decide(self, codes: np.ndarray) -> np.ndarray:
        """Return the class index of each frame of codes."""
        logits = self.run(codes)
        if self.single:
            return (logits[:, 0] > self.maps[-1].zero_point).astype(np.int64)
        return logits.argmax(axis=1)

    def _layer(self, layer: QuantizedLayer, maps: Sequence[np.ndarray], target: QuantizedMap) -> np.ndarray:
        source = self.maps[layer.inputs[0]]
        x = maps[layer.inputs[0]]
        if layer.kind == "add":
            other = self.maps[layer.inputs[1]]
            real = source.scale * (x - source.zero_point)
            real = real + other.scale * (maps[layer.inputs[1]] - other.zero_point)
            return _clamped(real / target.scale, target, layer)
        view = windows(x, MapLayer(**{**vars(layer.shape_of()), "pad_code": source.zero_point}))
        if layer.kind == "max":
            return _clamped((view.max(axis=(3, 4)) - source.zero_point) * (source.scale / target.scale), target, layer)
        if layer.kind == "mean":
            if (source.scale, source.zero_point) == (target.scale, target.zero_point):
                # Of the int8 themselves, halves away from zero, as LiteRT's pool has it.
                mean = view.mean(axis=(3, 4)) - INT8_ZERO
                steps = np.where(mean < 0, np.ceil(mean - 0.5), np.floor(mean + 0.5)).astype(np.int64)
                return np.clip(steps + INT8_ZERO, layer.low, layer.high)
            mean = (view - source.zero_point).mean(axis=(3, 4))
            return _clamped(mean * (source.scale / target.scale), target, layer)
        assert layer.weights is not None and layer.weight_scales is not None and layer.biases is not None
        seen = (view - source.zero_point).astype(np.float64)  # sums of integers below 2**53 are exact
        if layer.kind == "conv":
            total = seen.reshape(*seen.shape[:3], -1) @ layer.weights.reshape(len(layer.weights), -1).T.astype(float)
        else:
            total = np.einsum("nhwijc,cij->nhwc", seen, layer.weights.astype(float))
        return _clamped((total + layer.biases) * (source.scale * layer.weight_scales / target.scale), target, layer)


def _clamped(steps: np.ndarray, target: QuantizedMap, layer: QuantizedLayer) -> np.ndarray:
    """Return codes of values in steps of the output's scale: nearest, halves away from zero."""
    rounded = np.where(steps < 0, np.ceil(steps - 0.5), np.floor(steps + 0.5)).astype(np.int64)
    return np.clip(rounded + target.zero_point, layer.low, layer.high)
