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


def baseline_sizes(interval_ms: int) -> list[int]:
    """Return of how many readings a baseline may be: a quarter of a day's and a day's, or what a window holds."""
    day = min(max(DAY_MS // interval_ms, LEAST), MAX_SIZE)
    return sorted({max(day // 4, LEAST), day})


def with_baselines(data: Prepared, y: np.ndarray, parts: Parts, seed: int) -> Prepared:
    """Return the data with each channel above its own baseline, too, where a forest or a linear model gains by that.

    Args:
        data: a time series.
        parts: (rows to learn from, rows to judge on), whole groups apart where there are groups.
    """
    spans = [channel.high - channel.low for channel in data.channels]
    before = _accuracy(data, y, parts, seed)
    best, reached, chosen = data, before, 0
    for size in baseline_sizes(data.interval_ms):
        more = [FeatureSpec(i, ABOVE, size) for i, span in enumerate(spans) if _fits(size, span)]
        longer = with_features(data, more) if more else data
        after = _accuracy(longer, y, parts, seed) if more else before
        if after > reached:
            best, reached, chosen = longer, after, size
    if reached < before + GAIN:
        return data
    hours = f"{chosen * data.interval_ms / 3_600_000:.3g} h"
    note = (
        f"how far readings lie above their own baseline, the EMA of {chosen} ({hours}), helps on other groups: "
        f"{100 * before:.1f} % without, {100 * reached:.1f} % with it, of quick models of floats: offered. After a "
        "restart a node's baseline begins anew, at its first reading"
    )
    return replace(best, notes=[*data.notes, note])


def _accuracy(data: Prepared, y: np.ndarray, parts: Parts, seed: int) -> float:
    return max(pool_accuracies(data.values, y, parts[:MOST_PARTS], seed))


def _fits(size: int, span: int) -> bool:
    return bool(window_limit(ABOVE, size, span) <= READING_LIMIT)
