"""Maps family: a small convolutional network of 8-bit codes, int8 weights and a shift for each unit.

Codes of maps are 0..255, of which 0 is 0: the ReLU is the clamp. A unit's scale is free, so the next layer's weights
absorb it, and requantizing is one shift.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dibble_tools.common.errors import InputError

CODE_MAX = 255
SCORE_MAX = 65535
ACCUMULATOR_MAX = 2**30 - 1  # a small int on a 32-bit VM
WEIGHT_MAX = 127
DEPTH_MAX = 255  # of a frame: a byte of the file
SHIFT_MAX = 30
WEIGHTS_MAX = 4096  # of a unit: a kernel in machine code has 8 units' of them as words
MULTIPLIER_MAX = 32767
KINDS = ("conv", "depthwise", "pool", "add")  # as firmware's maps.py numbers them


@dataclass(frozen=True)
class Frame:
    """What a model sees: height x width pixels of `depth` readings each.

    Attributes:
        scaled: readings have 16 bits; a code is (reading - zero_point) * multiplier >> shift, clamped to 0..255. Else
            readings are codes.
    """

    height: int
    width: int
    depth: int = 1
    scaled: bool = False
    zero_point: int = 0
    multiplier: int = 1
    shift: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns, readings of a pixel."""
        return self.height, self.width, self.depth

    @property
    def size(self) -> int:
        """Readings of a frame."""
        return self.height * self.width * self.depth

    def codes(self, readings: np.ndarray) -> np.ndarray:
        """Return the codes of readings, int64, of any shape."""
        values = np.asarray(readings).astype(np.int64)
        if self.scaled:
            values = (values - self.zero_point) * self.multiplier >> self.shift
        return np.clip(values, 0, CODE_MAX)

    def __str__(self) -> str:
        kind = f"{self.depth} readings a pixel, " if self.depth > 1 else ""
        return f"{self.height} x {self.width} pixels, {kind}{'16' if self.scaled else '8'} bits"


@dataclass(frozen=True)
class MapLayer:
    """One step: maps in, a map out. Map 0 is the frame, map i + 1 what layer i makes.

    Attributes:
        kind: of KINDS. A pool's outputs are sum * multiplier + bias >> shift, or with multiplier 0 the largest code; an
            addition's a * multiplier + b * multiplier_b + bias >> shift.
        inputs: of which maps; two of an addition, else one.
        weights: int64 of conv (units, rows, columns, depth), of depthwise (channels, rows, columns).
        biases, shifts: one a unit of these; a sum is exact, its half for rounding is in the bias.
        kernel: rows and columns.
        stride: rows and columns.
        pads: rows above, columns left, rows below, columns right, of `pad_code`.
    """

    kind: str
    inputs: tuple[int, ...]
    weights: np.ndarray | None = None
    biases: tuple[int, ...] = ()
    shifts: tuple[int, ...] = ()
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    pad_code: int = 0
    multiplier: int = 0
    multiplier_b: int = 0
    bias: int = 0
    shift: int = 0

    def out_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return the shape of the map that it makes of one of `shape`."""
        top, left, bottom, right = self.pads
        height = (shape[0] + top + bottom - self.kernel[0]) // self.stride[0] + 1
        width = (shape[1] + left + right - self.kernel[1]) // self.stride[1] + 1
        units = len(self.biases) if self.weights is not None else shape[2]
        return height, width, units

    def multiply_adds(self, shape: tuple[int, int, int]) -> int:
        """Return how many it takes for an input of `shape`."""
        height, width, units = self.out_shape(shape)
        if self.weights is not None:
            return height * width * int(self.weights.size)
        return height * width * units * (2 if self.kind == "add" else self.kernel[0] * self.kernel[1])

    def outputs(self, maps: Sequence[np.ndarray]) -> np.ndarray:
        """Return the codes (rows, height, width, units) that it makes of the maps before it."""
        return np.clip(_sums(self, maps), 0, CODE_MAX)

    def accumulators(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each unit's least and largest sum, int64, over all codes of 0..255."""
        if self.weights is None:
            window = 1 if self.kind == "add" else self.kernel[0] * self.kernel[1]
            most = self.bias + CODE_MAX * (self.multiplier * window + self.multiplier_b)
            return np.array([self.bias]), np.array([most])
        rows = self.weights.reshape(len(self.weights), -1).astype(np.int64)
        bias = np.array(self.biases, dtype=np.int64)
        return bias + np.minimum(rows, 0).sum(1) * CODE_MAX, bias + np.maximum(rows, 0).sum(1) * CODE_MAX


@dataclass(frozen=True)
class MapsTables:
    """The last layer makes one pixel, whose units are the classes' scores; all of its shifts are one.

    Attributes:
        margin_unit: score steps a nat of log-odds.
    """

    frame: Frame
    layers: list[MapLayer]
    margin_unit: float = 1.0

    @property
    def classes(self) -> int:
        """How many classes the last layer tells apart."""
        return len(self.layers[-1].biases)

    def shapes(self) -> list[tuple[int, int, int]]:
        """Return the shape of each map, the frame's first."""
        found = [self.frame.shape]
        for layer in self.layers:
            found.append(layer.out_shape(found[layer.inputs[0]]))
        return found

    def multiply_adds(self) -> int:
        """Return how many a frame takes."""
        shapes = self.shapes()
        return sum(layer.multiply_adds(shapes[layer.inputs[0]]) for layer in self.layers)

    def weights(self) -> int:
        """Return how many weights there are."""
        return sum(layer.weights.size for layer in self.layers if layer.weights is not None)

    def check(self) -> None:
        """Raise InputError unless all fits together, no sum leaves +-(2**30 - 1) and scores are within 0..65535."""
        if not 1 <= self.frame.depth <= DEPTH_MAX:
            raise InputError(f"maps: expected a frame of up to {DEPTH_MAX} readings a pixel, got {self.frame.depth}")
        shapes = self.shapes()
        for i, (layer, shape) in enumerate(zip(self.layers, shapes[1:], strict=True)):
            where = f"layer {i + 1} ({layer.kind})"
            _check_layer(layer, shapes, shape, where)
        last = self.layers[-1]
        if last.kind != "conv" or shapes[-1][:2] != (1, 1) or len(set(last.shifts)) != 1:
            raise InputError(f"maps: expected a dense last layer of one shift, got {last.kind} making {shapes[-1]}")
        low, high = (bound >> last.shifts[0] for bound in last.accumulators())
        if low.min() < 0 or high.max() > SCORE_MAX:
            raise InputError(f"maps: expected scores within 0..{SCORE_MAX}, got {low.min()}..{high.max()}")

    def forward(self, codes: np.ndarray) -> list[np.ndarray]:
        """Return all maps of frames' codes (rows, height, width, depth), these first; last come the scores."""
        maps = [codes.astype(np.float32)]
        for i, layer in enumerate(self.layers):
            highest = SCORE_MAX if i + 1 == len(self.layers) else CODE_MAX
            maps.append(np.clip(_sums(layer, maps), 0, highest).astype(np.float32))
        return maps

    def scores(self, readings: np.ndarray) -> np.ndarray:
        """Return the integer scores (rows, classes) of frames of readings (rows, height, width, depth)."""
        found = [
            self.forward(part)[-1].reshape(len(part), -1).astype(np.int64)
            for part in batches(self.frame.codes(readings))
        ]
        return np.concatenate(found) if found else np.zeros((0, self.classes), dtype=np.int64)


def batches(rows: np.ndarray, most: int = 64) -> Iterator[np.ndarray]:
    """Yield rows in pieces that fit a cache, and memory."""
    for at in range(0, len(rows), most):
        yield rows[at : at + most]


def windows(maps: np.ndarray, layer: MapLayer) -> np.ndarray:
    """Return what each output of a layer sees: a view (rows, height, width, kernel rows, kernel columns, depth)."""
    top, left, bottom, right = layer.pads
    if any(layer.pads):
        wide = ((0, 0), (top, bottom), (left, right), (0, 0))
        maps = np.pad(maps, wide, constant_values=layer.pad_code)
    view = np.lib.stride_tricks.sliding_window_view(maps, layer.kernel, axis=(1, 2))
    return view[:, :: layer.stride[0], :: layer.stride[1]].transpose(0, 1, 2, 4, 5, 3)


def _sums(layer: MapLayer, maps: Sequence[np.ndarray]) -> np.ndarray:
    """Return the shifted sums of a layer, before they are clamped; products are exact in float64."""
    x = maps[layer.inputs[0]]
    if layer.kind == "add":
        total = x.astype(np.int64) * layer.multiplier + maps[layer.inputs[1]].astype(np.int64) * layer.multiplier_b
        return total + layer.bias >> layer.shift
    seen = windows(x, layer)
    if layer.kind == "pool":
        if not layer.multiplier:
            return seen.max(axis=(3, 4))
        return seen.astype(np.int64).sum(axis=(3, 4)) * layer.multiplier + layer.bias >> layer.shift
    assert layer.weights is not None
    if layer.kind == "conv":
        flat = seen.reshape(*seen.shape[:3], -1).astype(np.float64)
        exact = flat @ layer.weights.reshape(len(layer.weights), -1).T.astype(np.float64)
    else:
        exact = np.einsum("nhwijc,cij->nhwc", seen.astype(np.float64), layer.weights.astype(np.float64))
    return exact.astype(np.int64) + np.array(layer.biases) >> np.array(layer.shifts)


def _check_layer(layer: MapLayer, shapes: Sequence[tuple[int, int, int]], shape: tuple[int, ...], where: str) -> None:
    first = shapes[layer.inputs[0]]
    if min(shape) < 1:
        raise InputError(f"{where}: expected a map of at least one pixel, got {shape}: take a larger frame")
    if layer.weights is not None:
        expected = (*layer.kernel, first[2]) if layer.kind == "conv" else layer.kernel
        units = len(layer.biases)
        if layer.weights.shape != (units, *expected) or len(layer.shifts) != units:
            raise InputError(f"{where}: expected weights of {(units, *expected)}, got {layer.weights.shape}")
        if layer.kind == "depthwise" and units != first[2]:
            raise InputError(f"{where}: expected {first[2]} channels, got {units}")
        if int(np.abs(layer.weights).max()) > WEIGHT_MAX or layer.weights[0].size > WEIGHTS_MAX:
            raise InputError(
                f"{where}: expected up to {WEIGHTS_MAX} weights a unit within +-{WEIGHT_MAX}, got "
                f"{layer.weights[0].size} up to {np.abs(layer.weights).max()}"
            )
    elif layer.kind == "add" and first != shapes[layer.inputs[1]]:
        raise InputError(f"{where}: expected two maps of one shape, got {first} and {shapes[layer.inputs[1]]}")
    if not all(0 <= shift <= SHIFT_MAX for shift in (*layer.shifts, layer.shift)):
        raise InputError(f"{where}: expected shifts of 0..{SHIFT_MAX}")
    if not all(0 <= multiplier <= MULTIPLIER_MAX for multiplier in (layer.multiplier, layer.multiplier_b)):
        raise InputError(f"{where}: expected multipliers of 0..{MULTIPLIER_MAX}")
    low, high = layer.accumulators()
    worst = max(int(-low.min()), int(high.max()))
    if worst > ACCUMULATOR_MAX:
        raise InputError(f"{where}: a sum can reach {worst:,}, expected at most {ACCUMULATOR_MAX:,}: use fewer weights")
