"""Models whose features are ratios, and rows that ask them at every magnitude."""

from typing import Any

import numpy as np
from dibble.inference.features import LAST
from dibble.inference.fixed_point import MISSING
from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import ChannelRatio, FeatureSpec
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export
from helpers import random_additive, random_mlp

CEILING = 102_400_000
CHANNELS = [Channel(f"gas_{i}_ohm", "ohm", 1, 0, 1 if i % 2 else 5685, CEILING) for i in range(5)]
FEATURES = [
    FeatureSpec(0, LAST, 1, ChannelRatio(0, (1,), -9000, 17000)),
    FeatureSpec(2, LAST, 1),
    FeatureSpec(3, LAST, 1, ChannelRatio(3, (0, 1, 2, 3, 4), -4000, 9000)),
    FeatureSpec(4, LAST, 1, ChannelRatio(4, (2,), -20480, 40960)),
    FeatureSpec(1, LAST, 1, ChannelRatio(1, (2, 3), 0, 300)),
]


def ratio_model(family: str, seed: int = 3, features: list[FeatureSpec] = FEATURES) -> HostModel:
    """Return a model of random tables, "additive" or "mlp", over ratios and a reading."""
    limits = [feature.limit(CHANNELS) for feature in features]
    tables: Any = random_additive(seed, limits, 3)
    if family == "mlp":
        tables = random_mlp(seed, limits, 3, [6], ["dense8", "dense16"])
    golden = [[min(max(reading, c.low), c.high) for reading, c in zip(row, CHANNELS, strict=True)] for row in rows(4)]
    return HostModel(export(ModelSpec(f"ratios {family}", CHANNELS, ["a", "b", "c"], tables, features), golden))


def rows(count: int, seed: int = 1) -> Any:
    """Return rows of readings at each magnitude up to 120,000,000 ohm, some beyond the ranges, some missing."""
    rng = np.random.default_rng(seed)
    found = np.minimum(np.exp2(rng.uniform(0, 27, (count, len(CHANNELS)))).astype(np.int64), 120_000_000)
    found[rng.random(found.shape) < 0.002] = MISSING
    return found.tolist() if count < 10 else found
