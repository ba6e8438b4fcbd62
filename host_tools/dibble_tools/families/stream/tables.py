"""Integer tables of the stream family, with the proof that no sum leaves the small ints of a 32-bit VM."""

from dataclasses import dataclass

import numpy as np
from dibble.inference.stream import DEPTHWISE8, FULL4, FULL8, MOST_STEPS, TOGETHER
from dibble.inference.stream import MEAN as MEAN_KIND
from dibble.inference.stream_checks import MOST_INPUTS

from dibble_tools.common.errors import InputError
from dibble_tools.families.mlp.tables import ACCUMULATOR_MAX, CODE_MAX, SCORE_MAX, SHIFT_MAX, UNITS_MAX
from dibble_tools.families.stream.network import DEPTHWISE, MEAN, LayerShape

WEIGHT_RANGE = {8: (-127, 127), 4: (-8, 7)}
MOST_BANDS = 255


@dataclass(frozen=True)
class StreamLayer:
    """output = clamp((sum of weights * inputs + bias) >> shift, 0, 255), the half for rounding inside the bias.

    Attributes:
        shape: a mean's taps are a power of two.
        weights: int64 (units, taps, inputs), the oldest hop first; (units, taps) of a depthwise layer, None of a mean.
        biases, shifts: one a unit.
    """

    shape: LayerShape
    weights: np.ndarray | None = None
    biases: tuple[int, ...] = ()
    shifts: tuple[int, ...] = ()

    @property
    def kind(self) -> int:
        """Its number in the file."""
        if self.shape.kind == MEAN:
            return int(MEAN_KIND)
        return int(DEPTHWISE8 if self.shape.kind == DEPTHWISE else FULL8 if self.shape.bits == 8 else FULL4)

    def sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each unit's least and largest sum (int64) over all inputs of 0..255."""
        assert self.weights is not None
        flat = self.weights.astype(np.int64).reshape(len(self.weights), -1)
        bias = np.array(self.biases, dtype=np.int64)
        return (
            bias + np.minimum(flat, 0).sum(axis=1) * CODE_MAX,
            bias + np.maximum(flat, 0).sum(axis=1) * CODE_MAX,
        )

    def check(self, inputs: int, *, last: bool) -> None:
        """Raise InputError unless a node can compute it: see firmware's stream_checks.py."""
        shape = self.shape
        if self.weights is None:
            if shape.kind != MEAN or last or shape.stride != 1 or shape.taps not in [1 << i for i in range(8)]:
                raise InputError(f"stream: expected a mean over 1, 2, 4 … {1 << MOST_STEPS} hops before a layer")
            return
        size = (shape.units, shape.taps) if shape.kind == DEPTHWISE else (shape.units, shape.taps, inputs)
        if self.weights.shape != size or not len(self.biases) == len(self.shifts) == shape.units:
            raise InputError(f"stream: expected weights {size}, got {self.weights.shape}")
        if not (1 <= shape.units <= UNITS_MAX and 1 <= shape.taps <= 255 and 1 <= shape.stride <= 255):
            raise InputError(f"stream: expected 1..255 units, taps and stride, got {shape}")
        if inputs * shape.taps > MOST_INPUTS:
            raise InputError(f"stream: expected at most {MOST_INPUTS} inputs of a layer, got {inputs * shape.taps}")
        if shape.kind == DEPTHWISE and (shape.units != inputs or last):
            raise InputError("stream: expected a depthwise layer of as many units as inputs, and one behind it")
        if shape.units % TOGETHER and (not last or shape.kind == DEPTHWISE):
            raise InputError(f"stream: expected a multiple of {TOGETHER} units, got {shape.units}")
        least, most = WEIGHT_RANGE[shape.bits]
        if self.weights.min() < least or self.weights.max() > most:
            raise InputError(f"stream: expected weights of {shape.bits} bits, {least}..{most}")
        if not all(0 <= shift <= SHIFT_MAX for shift in self.shifts) or (last and len(set(self.shifts)) != 1):
            raise InputError(f"stream: expected shifts of 0..{SHIFT_MAX}, of the last layer one, got {self.shifts}")
        low, high = self.sums()
        zero_point = 0 if shape.kind == DEPTHWISE else 128 if shape.bits == 8 else 8
        begin = np.array(self.biases) - CODE_MAX * zero_point * inputs * shape.taps
        worst = max(int(np.max(x)) for x in (-low, high, -begin))
        if worst > ACCUMULATOR_MAX:
            raise InputError(f"stream: a sum can reach {worst}, expected at most {ACCUMULATOR_MAX}: use fewer units")
        if last and (low.min() < 0 or high.max() >> self.shifts[0] > SCORE_MAX):
            raise InputError(
                f"stream: expected scores within 0..{SCORE_MAX}, got {low.min()}..{high.max()}: fewer units"
            )


@dataclass(frozen=True)
class StreamTables:
    """A network over rows of codes.

    Attributes:
        inputs: codes in a row.
        layers: the last one full, of a unit a class.
    """

    inputs: int
    layers: tuple[StreamLayer, ...]

    def check(self) -> None:
        """Raise InputError unless the layers fit each other and a node can compute them."""
        inputs = self.inputs
        if not 1 <= inputs <= MOST_BANDS:
            raise InputError(f"stream: expected 1..{MOST_BANDS} codes in a row, got {inputs}")
        for layer in self.layers:
            layer.check(inputs, last=layer is self.layers[-1])
            inputs = layer.shape.units
