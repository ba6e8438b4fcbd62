"""Rows to learn from in which readings are missing, so that a model may do without a sensor."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dibble_tools.data.prepare import Prepared
from dibble_tools.training.training_set import TrainingSet

DROPPED = 0.5  # of the rows so many are learned from a second time, with a channel missing
SECOND = 0.2  # of these another one too


def features_of(data: Prepared) -> list[list[int]]:
    """Return for each channel the features that it is seen through."""
    if not data.features:
        return [[i] for i in range(len(data.channels))]
    return [[k for k, f in enumerate(data.features) if channel in f.channels] for channel in range(len(data.channels))]


def dropped(values: np.ndarray, data: Prepared, channels: Sequence[int]) -> np.ndarray:
    """Return feature values (rows, features) as they are where these channels are missing."""
    found = values.copy()
    for channel in channels:
        columns = features_of(data)[channel]
        found[:, columns] = np.array(data.absent)[columns]
    return found


def with_dropouts(rows: TrainingSet, data: Prepared, seed: int) -> TrainingSet:
    """Return a training set and, behind it, copies of some of its rows in which readings are missing."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(rows.y_true))[: round(DROPPED * len(rows.y_true))]
    channels = len(data.channels)
    first = rng.integers(channels, size=len(chosen))
    second = np.where(rng.random(len(chosen)) < SECOND, rng.integers(channels, size=len(chosen)), first)
    values = rows.values[chosen]
    for channel in range(channels):
        gone = (first == channel) | (second == channel)
        values[gone] = dropped(values[gone], data, [channel])
    again = rows.rows(chosen)
    return replace(
        rows,
        values=np.concatenate([rows.values, values]),
        targets=np.concatenate([rows.targets, again.targets]),
        y_true=np.concatenate([rows.y_true, again.y_true]),
        weights=np.concatenate([rows.weights, again.weights]),
    )
