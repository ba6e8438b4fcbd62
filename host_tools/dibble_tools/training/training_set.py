"""What students learn from: feature values, soft targets and weights of the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class TrainingSet:
    """Rows to learn from.

    Attributes:
        values: int64 (rows, features), 0..limit of each.
        limits: largest value of each feature.
        lows: what a feature's value of 0 stands for, in steps of its channel.
        targets: (rows, classes) soft labels.
        y_true: (rows,) class indices.
        weights: (rows,) mean about 1.
        uncorrelated: networks with hidden layers learn from inputs made so, see `mlp.training`.
    """

    values: np.ndarray
    limits: list[int]
    lows: list[int]
    targets: np.ndarray
    y_true: np.ndarray
    weights: np.ndarray
    uncorrelated: bool = False

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.targets.shape[1]

    def rows(self, index: np.ndarray) -> "TrainingSet":
        """Return the same of some rows."""
        return replace(
            self,
            values=self.values[index],
            targets=self.targets[index],
            y_true=self.y_true[index],
            weights=self.weights[index],
        )

    def columns(self, index: Sequence[int]) -> "TrainingSet":
        """Return the same of some features, in that order."""
        return replace(
            self,
            values=self.values[:, list(index)],
            limits=[self.limits[i] for i in index],
            lows=[self.lows[i] for i in index],
        )

    def labels_alone(self) -> "TrainingSet":
        """Return the same without a teacher's opinion."""
        return replace(self, targets=np.eye(self.classes)[self.y_true])


def mix(soft: np.ndarray, y_true: np.ndarray, share: float) -> np.ndarray:
    """Return targets: `share` of the teacher's soft labels, the rest of the true class."""
    return share * soft + (1 - share) * np.eye(soft.shape[1])[y_true]
