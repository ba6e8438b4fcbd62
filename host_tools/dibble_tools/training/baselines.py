"""Baselines of a node's own: how far readings lie above their own slow EMA, offered where that helps on other groups.

Probes, and what they are stuck into, differ from node to node by more than the weather moves them; above its own
baseline each says the same. What doesn't change for days is lost by it, so both are held against each other.
"""

from dataclasses import replace

import numpy as np
from dibble.inference.features import ABOVE, window_limit
from dibble.inference.fixed_point import READING_LIMIT

from dibble_tools.data.feature_spec import MAX_SIZE, FeatureSpec
from dibble_tools.data.prepare import Prepared, with_features
from dibble_tools.training.ratio_pools import GAIN, MOST_PARTS, Parts, pool_accuracies

DAY_MS = 86_400_000
LEAST = 8  # readings of a baseline


def baseline_size(interval_ms: int) -> int:
    """Return how many readings the baseline is of: a day's, or as many as a window can have."""
    return min(max(DAY_MS // interval_ms, LEAST), MAX_SIZE)


def with_baselines(data: Prepared, y: np.ndarray, parts: Parts, seed: int) -> Prepared:
    """Return the data with each channel above its own baseline, too, where a forest or a linear model gains by that.

    Args:
        data: a time series.
        parts: (rows to learn from, rows to judge on), whole groups apart where there are groups.
    """
    size = baseline_size(data.interval_ms)
    spans = [channel.high - channel.low for channel in data.channels]
    more = [FeatureSpec(i, ABOVE, size) for i, span in enumerate(spans) if _fits(size, span)]
    if not more:
        return data
    longer = with_features(data, more)
    before, after = (max(pool_accuracies(d.values, y, parts[:MOST_PARTS], seed)) for d in (data, longer))
    said = f"{100 * before:.1f} % without, {100 * after:.1f} % with (quick models of floats, on other groups)"
    hours = f"{size * data.interval_ms / 3_600_000:.3g} h"
    if after < before + GAIN:
        return data
    note = f"how far readings lie above their own baseline, the EMA of {size} ({hours}), helps: {said}: offered"
    return replace(longer, notes=[*data.notes, note])


def _fits(size: int, span: int) -> bool:
    return bool(window_limit(ABOVE, size, span) <= READING_LIMIT)
