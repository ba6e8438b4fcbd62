"""MLP family: a small dense ReLU network of 8-bit codes and integer weights.

A ReLU unit's scale is free, so the next layer's weights absorb it, and requantizing is one shift.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.families.scaling import Scaler, apply

CODE_MAX = 255
SCORE_MAX = 65535
ACCUMULATOR_MAX = 2**30 - 1  # a small int on a 32-bit VM
UNITS_MAX = 255
WIDE_INPUTS_MAX = 64
SHIFT_MAX = 29
BOOK = 16
WEIGHT_MAX = {"dense8": 127, "dense16": 32767, "sparse8": 127, "codebook4": 127}
ZERO_POINT = {"dense8": 128, "dense16": 32768, "sparse8": 0, "codebook4": 128}


@dataclass(frozen=True)
class Layer:
    """accumulator = weights @ x + bias, exact; output = accumulator >> shift, the half for rounding inside the bias.

    Attributes:
        weights: (units, inputs) int64.
        biases, shifts: one a unit.
        form: how the weights lie in the file: dense8, dense16, sparse8 or codebook4.
    """

    weights: np.ndarray
    biases: list[int]
    shifts: list[int]
    form: str

    def bytes(self) -> int:
        """Return how many bytes the weights take in the file."""
        return weight_bytes(self.weights, self.form)

    def accumulators(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each unit's least and largest accumulator (int64) over all inputs of 0..255."""
        weights = self.weights.astype(np.int64)
        bias = np.array(self.biases, dtype=np.int64)
        low = bias + np.minimum(weights, 0).sum(axis=1) * CODE_MAX
        return low, bias + np.maximum(weights, 0).sum(axis=1) * CODE_MAX

    def check(self) -> None:
        """Raise InputError unless the weights fit the form and no sum on the way leaves +-(2**30 - 1).

        A node begins with bias - zero_point * sum(x) and adds (weight + zero_point) * x: what lies
        between is never below the first nor above the largest accumulator.
        """
        units, inputs = self.weights.shape
        if not len(self.biases) == len(self.shifts) == units or not 1 <= units <= UNITS_MAX:
            raise InputError(f"mlp layer: expected 1..{UNITS_MAX} units with a bias and a shift each, got {units}")
        if not 1 <= inputs <= (WIDE_INPUTS_MAX if self.form == "dense16" else UNITS_MAX):
            raise InputError(
                f"mlp layer of form {self.form}: {inputs} inputs are too many: use fewer features or units"
            )
        largest = int(np.abs(self.weights).max())
        if largest > WEIGHT_MAX[self.form]:
            raise InputError(
                f"mlp layer of form {self.form}: expected weights up to {WEIGHT_MAX[self.form]}, got {largest}"
            )
        if self.form == "codebook4" and len(np.unique(np.append(self.weights, 0))) > BOOK:
            raise InputError(f"mlp layer of form codebook4: expected 0 and at most {BOOK - 1} other weights")
        if not all(0 <= shift <= SHIFT_MAX for shift in self.shifts):
            raise InputError(
                f"mlp layer: expected shifts of 0..{SHIFT_MAX}, got {min(self.shifts)}..{max(self.shifts)}"
            )
        low, high = self.accumulators()
        excess = ZERO_POINT[self.form] * CODE_MAX * inputs
        unsigned = (self.weights.astype(np.int64) + ZERO_POINT[self.form]).sum(axis=1) * CODE_MAX
        bias = np.array(self.biases, dtype=np.int64)
        worst = max(int(np.max(x)) for x in (-low, high, np.abs(bias), excess - bias, unsigned))
        if worst > ACCUMULATOR_MAX:
            raise InputError(f"mlp layer: a sum can reach {worst}, expected at most {ACCUMULATOR_MAX}: use fewer units")


@dataclass(frozen=True)
class MlpTables:
    """Hidden outputs are clamped to 0..255, which is the ReLU; the last layer's are the scores of classes 1, 2...

    Attributes:
        classes: number of classes, at least 2.
        scalers: one a feature, to codes 0..255.
        layers: hidden ones, then the last, of classes - 1 units with one shift.
        base: class 0's score.
        margin_unit: score steps a nat of log-odds.
    """

    classes: int
    scalers: list[Scaler]
    layers: list[Layer]
    base: int
    margin_unit: float

    def bytes(self) -> int:
        """Return how many bytes the weights take in the file, biases and shifts left out."""
        return sum(layer.bytes() for layer in self.layers)

    def check(self) -> None:
        """Raise InputError unless the layers fit each other and every possible score is within 0..65535."""
        inputs = len(self.scalers)
        for layer in self.layers:
            layer.check()
            if layer.weights.shape[1] != inputs:
                raise InputError(f"mlp layer: expected {inputs} inputs, got {layer.weights.shape[1]}")
            inputs = len(layer.biases)
        last = self.layers[-1]
        if inputs != self.classes - 1 or len(set(last.shifts)) != 1:
            raise InputError(f"mlp: expected a last layer of {self.classes - 1} units of one shift, got {inputs}")
        low, high = (bound >> last.shifts[0] for bound in last.accumulators())
        if min(low.min(), self.base) < 0 or max(high.max(), self.base) > SCORE_MAX:
            raise InputError(
                f"mlp: expected scores within 0..{SCORE_MAX}, got {min(low.min(), self.base)}.."
                f"{max(high.max(), self.base)}: use fewer units"
            )

    def scores(self, values: np.ndarray, limits: Sequence[int]) -> np.ndarray:
        """Return the integer scores (rows, classes) of feature values (rows, features)."""
        x = codes_of(self.scalers, values, limits)
        for layer in self.layers:
            x = (x @ layer.weights.T + np.array(layer.biases)) >> np.array(layer.shifts)
            if layer is not self.layers[-1]:
                x = np.clip(x, 0, CODE_MAX)
        return np.column_stack([np.full(len(x), self.base), x])


def codes_of(scalers: Sequence[Scaler], values: np.ndarray, limits: Sequence[int]) -> np.ndarray:
    """Return the codes (rows, features), int64, of feature values."""
    columns = [apply(s, values[:, i], limits[i]) for i, s in enumerate(scalers)]
    return np.stack(columns, axis=1)


def weight_bytes(weights: np.ndarray, form: str) -> int:
    """Return how many bytes weights (units, inputs) take in the file in a form."""
    units, inputs = weights.shape
    if form == "sparse8":  # a unit: a count, then an index and a weight each
        return units + 2 * int(np.count_nonzero(weights))
    if form == "codebook4":
        return BOOK + units * ((inputs + 1) // 2)
    return units * inputs * (2 if form == "dense16" else 1)
