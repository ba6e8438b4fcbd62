"""Models for the tests: from scikit-learn's trees over integers, or drawn at random."""

from collections.abc import Sequence

import numpy as np
from dibble.inference.fixed_point import MISSING

from host_tools.build import build_spec
from host_tools.channels import Channel
from host_tools.export import ModelSpec, export
from host_tools.families.forest import IntegerTrees, integer_trees, shift
from host_tools.feature_spec import FeatureSpec
from host_tools.host_model import HostModel


def channels_of(lows: Sequence[int], highs: Sequence[int]) -> list[Channel]:
    """Return channels x0, x1, ... with steps of 1."""
    return [Channel(f"x{i}", "", 1, 0, int(a), int(b)) for i, (a, b) in enumerate(zip(lows, highs, strict=True))]


def integers_of(estimator: object) -> IntegerTrees:
    """Return the trees of an estimator fitted on integers, over those integers."""
    return integer_trees(
        estimator,
        lambda _, steps: steps.astype(np.float64),
        lambda _, thresholds: np.floor(thresholds).astype(np.int64),
    )


def model_of(estimator: object, lows: Sequence[int], highs: Sequence[int]) -> HostModel:
    """Return the model of an estimator fitted on integers within lows..highs."""
    channels = channels_of(lows, highs)
    trees = shift(integers_of(estimator), [channel.low for channel in channels])
    return HostModel(export(build_spec("test", channels, [str(c) for c in estimator.classes_], trees)))


def random_trees(rng: np.random.Generator, limits: Sequence[int], classes: int, trees: int, depth: int) -> IntegerTrees:
    """Return trees that ask about values 0..limit of each feature, extremes included."""
    nodes: list[tuple[int, int, int, int]] = []

    def grow(left: int) -> int:
        if left == 0 or rng.random() < 0.15:
            return -1 - int(rng.integers(classes))
        low, high = grow(left - 1), grow(left - 1)
        feature = int(rng.integers(len(limits)))
        most = max(limits[feature] - 1, 0)
        threshold = int(rng.choice([0, most, int(rng.integers(most + 1))], p=[0.05, 0.05, 0.9]))
        nodes.append((feature, threshold, low, high))
        return len(nodes) - 1

    roots = [grow(depth) for _ in range(trees)]
    return IntegerTrees(nodes, roots, classes)


def random_spec(
    seed: int,
    features: Sequence[FeatureSpec] = (),
    *,
    hysteresis: int = 1,
    classes: int = 4,
    trees: int = 7,
    depth: int = 6,
) -> ModelSpec:
    """Return a model of three channels whose thresholds take 1, 2 and 4 bytes."""
    rng = np.random.default_rng(seed)
    channels = channels_of([-100, -20_000, 0], [120, 30_000, 1_000_000])
    limits = [f.limit(channels) for f in features] or [c.high - c.low for c in channels]
    grown = random_trees(rng, limits, classes, trees, depth)
    return build_spec(
        "random",
        channels,
        [f"class {i}" for i in range(classes)],
        grown,
        features,
        interval_ms=60_000 if features else 0,
        unsure_below=2,
        hysteresis=hysteresis,
    )


def random_rows(seed: int, channels: Sequence[Channel], rows: int) -> np.ndarray:
    """Return wandering readings, some of them missing, at a limit or out of range."""
    rng = np.random.default_rng(seed)
    out = np.empty((rows, len(channels)), dtype=np.int64)
    for i, c in enumerate(channels):
        span = c.high - c.low
        steps = rng.integers(-span // 6, span // 6 + 1, rows)
        column = np.clip(c.low + span // 2 + np.cumsum(steps), c.low, c.high)
        fresh = rng.random(rows) < 0.1
        column[fresh] = rng.integers(c.low, c.high + 1, fresh.sum())
        kind = rng.random(rows)
        for k, special in enumerate((MISSING, c.low, c.high, c.low - 1, c.high + 1, 1 - (1 << 30), (1 << 30) - 1)):
            column[(kind >= k * 0.012) & (kind < (k + 1) * 0.012)] = special
        out[:, i] = column
    return out


def random_elapsed(seed: int, rows: int) -> np.ndarray:
    """Return times since the row before around an interval of 60 s, with gaps."""
    rng = np.random.default_rng(seed)
    edges = [60_000, 30_000, 90_000, 29_999, 90_001, 0, -1]
    return rng.choice(edges, rows, p=[0.8, 0.05, 0.05, 0.03, 0.03, 0.02, 0.02])


def numbers(ds):
    """Return a dataset's values as lists, missing readings as None."""
    return [[None if np.isnan(value) else value for value in row] for row in ds.values]
