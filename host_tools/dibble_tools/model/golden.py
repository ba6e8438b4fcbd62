"""Which rows a model file carries to prove, on the board, that it computes what the host computed."""

import numpy as np
from dibble.inference.decision import SENSOR_FAULT
from dibble.inference.fixed_point import MISSING

from dibble_tools.model.decisions import Decisions
from dibble_tools.model.evaluator import evaluate, gaps
from dibble_tools.model.reader import content_of
from dibble_tools.model.writer import ModelSpec, export

ROWS_LOOKED_AT = 4000
READINGS_KEPT = 256  # over all golden rows: wide models carry fewer


def golden_rows(
    spec: ModelSpec, readings: np.ndarray, elapsed_ms: np.ndarray | None, most: int = 8, *, odd: bool = True
) -> list[list[int]]:
    """Return rows of readings to replay in order from a fresh start.

    Where rows stand alone: for each class the surest row, and the closest call. In a time series:
    a run of consecutive rows with as many different decisions as can be found. Then, with `odd`, of
    the last of them a copy with a reading out of range and one with a reading missing.

    Args:
        readings: ints (rows, channels) to choose from.
        elapsed_ms: time since the row before, where rows are a time series.
        most: rows to choose, at most; the two odd ones come on top.
    """
    most = max(1, min(most, READINGS_KEPT // readings.shape[1]))
    readings = readings[:ROWS_LOOKED_AT]
    elapsed_ms = None if elapsed_ms is None else elapsed_ms[:ROWS_LOOKED_AT]
    model = content_of(export(spec))
    decisions = evaluate(model, readings, elapsed_ms)
    if spec.interval_ms:
        chosen = _run(decisions, gaps(model, elapsed_ms, len(readings)), most)
    else:
        chosen = _surest_and_closest(decisions, most)
    rows = [[int(reading) for reading in readings[i]] for i in chosen]
    if not odd and rows:
        return rows
    last = rows[-1] if rows else [channel.low for channel in spec.channels]
    # Only now, as the reading must be within the file's own range to be carried.
    rows = [[_within(r, c.low, c.high) for r, c in zip(row, spec.channels, strict=True)] for row in rows]
    beyond, missing = last.copy(), last.copy()
    beyond[-1] = spec.channels[-1].high + 1
    missing[0] = MISSING
    for row in (beyond, missing):
        rows.append([_within(r, c.low, c.high + 1) for r, c in zip(row, spec.channels, strict=True)])
    return rows


def _within(reading: int, low: int, high: int) -> int:
    return reading if reading == MISSING else min(max(reading, low), high)


def _surest_and_closest(decisions: Decisions, most: int) -> list[int]:
    whole = np.flatnonzero(decisions.flags & SENSOR_FAULT == 0)
    if not len(whole):
        return []
    by_margin = whole[np.argsort(decisions.margin[whole], kind="stable")]
    surest = {int(decisions.class_index[i]): int(i) for i in by_margin}  # the last of a class wins
    return [int(by_margin[0]), *(surest[c] for c in sorted(surest))][:most]


def _run(decisions: Decisions, gap: np.ndarray, most: int) -> list[int]:
    """Return the consecutive rows, without a gap inside, that show most different classes."""
    starts = np.arange(max(len(gap) - most + 1, 1))
    best, found = [0], -1
    for start in starts:
        rows = np.arange(int(start), min(int(start) + most, len(gap)))
        if gap[rows[1:]].any():
            continue
        different = len(np.unique(decisions.class_index[rows]))
        if different > found:
            best, found = rows.tolist(), different
    return best
