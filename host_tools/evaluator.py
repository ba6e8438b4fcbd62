"""The host's evaluator: a model file's decisions on many rows at once, in NumPy.

It shares no kernel with the firmware, so that host and node can be compared. Only the feature
windows, which are sequential by nature, are the firmware's own.
"""

from dataclasses import dataclass

import numpy as np
from dibble.inference.decision import NO_CLASS, NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE
from dibble.inference.features import LAST
from dibble.inference.fixed_point import MISSING
from dibble.inference.model import Model

from host_tools.feature_spec import run_windows
from host_tools.oracle import class_scores, novel


@dataclass(frozen=True)
class Decisions:
    """What the node concludes on each row: int arrays, as in firmware's Decision."""

    class_index: np.ndarray
    margin: np.ndarray
    flags: np.ndarray
    channel: np.ndarray
    held_index: np.ndarray

    def columns(self) -> np.ndarray:
        """Return all of it as one int array (rows, 5)."""
        return np.stack([self.class_index, self.margin, self.flags, self.channel, self.held_index], axis=1)


def evaluate(model: Model, readings: np.ndarray, elapsed_ms: np.ndarray | None = None) -> Decisions:
    """Return the decisions on consecutive rows, starting fresh.

    Args:
        model: as read by the firmware's reader.
        readings: ints (rows, channels); MISSING where there is none.
        elapsed_ms: time since the row before; where left out, one sampling interval.
    """
    readings = np.asarray(readings, dtype=np.int64)
    low, high = np.array(model.low, dtype=np.int64), np.array(model.high, dtype=np.int64)
    missing = readings == MISSING
    beyond = ((readings < low) | (readings > high)) & ~missing
    offsets = np.clip(readings, low, high) - low
    values = feature_values(model, np.where(missing, -1, offsets), elapsed_ms)
    fault = missing.any(axis=1)
    values = np.where(fault[:, None], 0, values)  # not judged: the flag is all there is
    scores = class_scores(model, values)

    out_of_range = beyond.any(axis=1)
    class_index = scores.argmax(axis=1)
    margin = lead(scores)
    flags = np.where(margin < model.unsure_below, UNSURE, 0) | np.where(out_of_range, OUT_OF_RANGE, 0)
    flags |= np.where(novel(model, values), NOVEL, 0)
    channel = np.where(out_of_range, beyond.argmax(axis=1), -1)
    class_index = np.where(fault, NO_CLASS, class_index)
    margin = np.where(fault, 0, margin)
    flags = np.where(fault, SENSOR_FAULT, flags)
    channel = np.where(fault, missing.argmax(axis=1), channel)
    gap = gaps(model, elapsed_ms, len(readings))
    return Decisions(
        class_index, margin, flags, channel, held_classes(class_index, flags, gap, model.decision.hysteresis)
    )


def lead(scores: np.ndarray) -> np.ndarray:
    """Return by how much each row's highest score leads the next (rows, classes); its score + 1 where it is alone."""
    top = np.sort(scores, axis=1)
    return top[:, -1] - top[:, -2] if scores.shape[1] > 1 else top[:, -1] + 1


def gaps(model: Model, elapsed_ms: np.ndarray | None, rows: int) -> np.ndarray:
    """Return where a time series breaks: the elapsed time isn't one interval, give or take half."""
    if elapsed_ms is None or not model.windows:
        return np.zeros(rows, dtype=bool)
    return np.abs(np.asarray(elapsed_ms, dtype=np.int64) - model.interval_ms) > model.interval_ms // 2


def feature_values(model: Model, offsets: np.ndarray, elapsed_ms: np.ndarray | None = None) -> np.ndarray:
    """Return the model's feature values (rows, features) from offsets (-1: missing)."""
    windows = model.windows
    if not windows:
        return offsets
    if all(window.kind == LAST for window in windows.windows):
        return offsets[:, [window.channel for window in windows.windows]]
    return run_windows(windows, offsets, gaps(model, elapsed_ms, len(offsets)))


def held_classes(class_index: np.ndarray, flags: np.ndarray, gap: np.ndarray, hysteresis: int) -> np.ndarray:
    """Return the class after hysteresis: the last one that `hysteresis` trusted rows in a row agreed on."""
    rows = np.arange(len(class_index))
    trusted = flags == 0
    # A run of agreement begins where the row before isn't trusted, differs, or time breaks.
    same = np.zeros(len(rows), dtype=bool)
    same[1:] = trusted[1:] & trusted[:-1] & (class_index[1:] == class_index[:-1]) & ~gap[1:]
    begin = np.maximum.accumulate(np.where(same, 0, rows))
    settled = trusted & (rows - begin + 1 >= hysteresis)
    last = np.maximum.accumulate(np.where(settled, rows, -1))
    return np.where(last >= 0, class_index[np.maximum(last, 0)], NO_CLASS)
