"""The host's evaluator: a model file's decisions on many rows at once, in NumPy.

It shares no kernel with the firmware, so that host and node can be compared. Only the feature
windows, which are sequential by nature, are the firmware's own.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from dibble.inference.decision import NO_CLASS, NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE
from dibble.inference.fixed_point import MISSING
from dibble.inference.kernels.maps_take import NO_READING

from dibble_tools.data.feature_spec import run_windows, windows_of
from dibble_tools.model.columns import Columns, Odd, readings_of
from dibble_tools.model.content import Content, Forest, Maps, Stream
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.oracle import novel, ratio_offsets, scorer, stream_scores

CHUNK_ROWS = 1 << 14  # so many fit a cache, and are worth a thread
COLUMN_ROWS = 1 << 17  # the same of a forest, which has a bit a row


def evaluate(
    model: Content,
    readings: np.ndarray,
    elapsed_ms: np.ndarray | None = None,
    to_steps: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Decisions:
    """Return the decisions on consecutive rows, starting fresh.

    Args:
        readings: ints (rows, channels); MISSING where there is none. Floats are rounded, halves up; NaN is missing.
        elapsed_ms: time since the row before; where left out, one sampling interval.
        to_steps: makes whole steps, floats, of rows of anything else.
    """
    readings = np.asarray(readings)
    if isinstance(model.family, Stream):
        return _stream(model, model.family, _readings(readings, to_steps))
    each = _Rows(model)
    rows = len(readings)
    out = np.empty((4, rows), dtype=np.int64)
    values = None
    if model.looks_back:
        readings, to_steps = _readings(readings, to_steps), None
        values = feature_values(model, each.offsets(readings)[0], elapsed_ms)

    def part(first: int) -> None:
        here = slice(first, first + each.chunk)
        decided = each.decide(readings[here], None if values is None else values[here], to_steps)
        for column, of in zip(out, decided, strict=True):
            column[here] = of

    with ThreadPoolExecutor(os.cpu_count()) as threads:  # NumPy lets go of the interpreter
        list(threads.map(part, range(0, rows, each.chunk)))
    class_index, margin, flags, channel = out
    gap = gaps(model, elapsed_ms, rows)
    return Decisions(class_index, margin, flags, channel, held_classes(class_index, flags, gap, model.hysteresis))


def _readings(rows: np.ndarray, to_steps: Callable[[np.ndarray], np.ndarray] | None) -> np.ndarray:
    return readings_of(to_steps(rows) if to_steps else rows)


def _stream(model: Content, network: Stream, rows: np.ndarray) -> Decisions:
    """Return the decision at each hop: where nothing is scored anew, what it was before."""
    scores, hops = stream_scores(network, rows)
    class_index, margin = leaders(scores.T) if len(scores) else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    flags = np.where(margin < model.unsure_below, UNSURE, 0)
    held = held_classes(class_index, flags, np.zeros(len(scores), dtype=bool), model.hysteresis)
    columns = np.column_stack([class_index, margin, flags, np.full(len(scores), -1), held])
    columns = np.concatenate([[[NO_CLASS, 0, 0, -1, NO_CLASS]], columns])
    return Decisions(*columns[np.searchsorted(hops, np.arange(len(rows)), side="right")].T)


class _Rows:
    """What is decided on each row by itself."""

    def __init__(self, model: Content) -> None:
        self.model = model
        self.low = np.array([channel.low for channel in model.channels], dtype=np.int64)
        self.high = np.array([channel.high for channel in model.channels], dtype=np.int64)
        self.span = (self.high - self.low).astype(np.uint64)
        self.vital = np.array([offset is None for offset in model.stand_ins] or [True])
        self.score = scorer(model)
        by_column = isinstance(model.family, Forest) and not model.looks_back and not model.ratios
        self.columns = Columns(self.low, self.high) if by_column else None
        self.channels = [feature.channel for feature in model.features]
        self.chunk = COLUMN_ROWS if by_column else CHUNK_ROWS

    def offsets(self, readings: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return (offsets above low, -1 where missing; which are missing; which out of range): None where none is."""
        above = readings - self.low
        # Seen as unsigned, what is below its low is far above its span.
        if not len(above) or bool(np.all(above.view(np.uint64).max(axis=0) <= self.span)):
            return above, None, None
        missing = readings == MISSING
        if isinstance(self.model.family, Maps):  # a frame's readings can't be out of range, and are clamped
            if self.model.family.frame.scaled:
                missing = readings <= NO_READING
            return np.where(missing, -1, np.clip(readings, self.low, self.high) - self.low), missing, missing & False
        beyond = ((readings < self.low) | (readings > self.high)) & ~missing
        return np.where(missing, -1, np.clip(readings, self.low, self.high) - self.low), missing, beyond

    def decide(
        self, readings: np.ndarray, values: np.ndarray | None, to_steps: Callable[[np.ndarray], np.ndarray] | None
    ) -> tuple[np.ndarray, ...]:
        """Return class, margin, flags and channel of each row, before the hysteresis.

        Args:
            values: of features that look back; None where they don't.
            to_steps: makes whole steps of the rows, if they aren't.
        """
        model = self.model
        if self.columns is None:
            offsets, missing, beyond = self.offsets(_readings(readings, to_steps))
            values = feature_values(model, offsets) if values is None else values
            odd = None if missing is None or beyond is None else self._odd(missing, beyond)
            if odd:
                values = np.where(odd.fault[:, None], 0, values)  # not decided: the flag is all there is
        else:
            columns, odd = self.columns.of(readings, to_steps, self._in_range)
            values = columns.T if self.channels == list(range(len(columns))) else columns[self.channels].T
        class_index, margin = leaders(self.score(values))
        flags = np.where(margin < model.unsure_below, UNSURE, 0)
        if model.novelty:
            flags |= np.where(novel(model, values), NOVEL, 0)
        if odd is None:
            return class_index, margin, flags, np.array(-1)
        class_index = np.where(odd.fault, NO_CLASS, class_index)
        margin = np.where(odd.fault, 0, margin)
        return class_index, margin, np.where(odd.fault, SENSOR_FAULT, flags | odd.flags), odd.channel

    def _in_range(self, readings: np.ndarray) -> tuple[np.ndarray, "Odd"]:
        """Return offsets of any readings, with something in place of what is missing; and what is odd about them."""
        offsets, missing, beyond = self.offsets(readings)
        if missing is None or beyond is None:
            return offsets, Odd.none(len(readings))
        odd = self._odd(missing, beyond)
        filled = np.where(missing, [offset or 0 for offset in self.model.stand_ins or [0]], offsets)
        return np.where(odd.fault[:, None], 0, filled), odd

    def _odd(self, missing: np.ndarray, beyond: np.ndarray) -> "Odd":
        faulty, out_of_range = missing.any(axis=1), beyond.any(axis=1)
        flags = np.where(out_of_range, OUT_OF_RANGE, 0) | np.where(faulty, SENSOR_FAULT, 0)
        channel = np.where(faulty, missing.argmax(axis=1), np.where(out_of_range, beyond.argmax(axis=1), -1))
        return Odd((missing & self.vital).any(axis=1), flags, channel)


def leaders(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (the first of the highest classes, its lead over the runner-up) of each row of scores (classes, rows)."""
    best = scores[0].copy()
    second = np.full_like(best, -1)
    winner = np.zeros(len(best), dtype=np.int16)
    for k in range(1, len(scores)):
        ahead = scores[k] > best
        np.maximum(second, np.minimum(scores[k], best), out=second)
        np.maximum(best, scores[k], out=best)
        np.maximum(winner, np.multiply(ahead, k, dtype=np.int16), out=winner)
    return winner, best - second


def lead(scores: np.ndarray) -> np.ndarray:
    """Return by how much each row's highest score leads the next (rows, classes); its score + 1 where it is alone."""
    top = np.sort(scores, axis=1)
    return top[:, -1] - top[:, -2] if scores.shape[1] > 1 else top[:, -1] + 1


def gaps(model: Content, elapsed_ms: np.ndarray | None, rows: int) -> np.ndarray:
    """Return where a time series breaks: the elapsed time isn't one interval, give or take half."""
    if elapsed_ms is None or not model.windowed:
        return np.zeros(rows, dtype=bool)
    return np.abs(np.asarray(elapsed_ms, dtype=np.int64) - model.interval_ms) > model.interval_ms // 2


def feature_values(model: Content, offsets: np.ndarray, elapsed_ms: np.ndarray | None = None) -> np.ndarray:
    """Return the model's feature values (rows, features) from offsets (-1: missing)."""
    if model.ratios:
        offsets = np.column_stack([offsets, ratio_offsets(model, offsets)])
    if not model.looks_back:
        if model.stand_ins:
            offsets = np.where(offsets < 0, [-1 if offset is None else offset for offset in model.stand_ins], offsets)
        channels = [feature.channel for feature in model.features]
        return offsets if channels == list(range(offsets.shape[1])) else offsets[:, channels]
    windows = windows_of(model.features, model.spans, model.interval_ms)
    if model.stand_ins:
        offsets = np.where(offsets < 0, [-1 if offset is None else ~offset for offset in model.stand_ins], offsets)
    return run_windows(windows, offsets, gaps(model, elapsed_ms, len(offsets)))


def held_classes(class_index: np.ndarray, flags: np.ndarray, gap: np.ndarray, hysteresis: int) -> np.ndarray:
    """Return the class after hysteresis: the last one that `hysteresis` trusted rows in a row agreed on."""
    if hysteresis == 1 and not flags.any():
        return class_index.copy()
    rows = np.arange(len(class_index))
    trusted = (flags == 0) | ((flags == SENSOR_FAULT) & (class_index != NO_CLASS))
    settled = trusted
    if hysteresis > 1:
        # A run of agreement begins where the row before isn't trusted, differs, or time breaks.
        same = np.zeros(len(rows), dtype=bool)
        same[1:] = trusted[1:] & trusted[:-1] & (class_index[1:] == class_index[:-1]) & ~gap[1:]
        begin = np.maximum.accumulate(np.where(same, 0, rows))
        settled = trusted & (rows - begin + 1 >= hysteresis)
    last = np.maximum.accumulate(np.where(settled, rows, -1))
    return np.where(last >= 0, class_index[np.maximum(last, 0)], NO_CLASS)
