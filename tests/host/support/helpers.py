"""Models for the tests: from scikit-learn's trees over integers, or drawn at random."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from dibble.inference.fixed_point import MISSING
from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.families.additive.tables import AdditiveTables, Term
from dibble_tools.families.forest.integer_trees import IntegerTrees, shift
from dibble_tools.families.forest.trees import integer_trees
from dibble_tools.families.mlp.tables import Layer, MlpTables
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export, forest_spec
from random_models import scalers as random_scalers  # of every kind: whole ranges, parts of them, logarithms


def channels_of(lows: Sequence[int], highs: Sequence[int]) -> list[Channel]:
    """Return channels x0, x1, ... with steps of 1."""
    return [Channel(f"x{i}", "", 1, 0, int(a), int(b)) for i, (a, b) in enumerate(zip(lows, highs, strict=True))]


def integers_of(estimator: object) -> IntegerTrees:
    """Return the trees of an estimator fitted on integers, over those integers."""
    return integer_trees(estimator, lambda _, steps: steps.astype(np.float64))


def model_of(estimator: object, lows: Sequence[int], highs: Sequence[int]) -> HostModel:
    """Return the model of an estimator fitted on integers within lows..highs."""
    channels = channels_of(lows, highs)
    trees = shift(integers_of(estimator), [channel.low for channel in channels])
    return HostModel(export(forest_spec("test", channels, [str(c) for c in estimator.classes_], trees)))


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
    return forest_spec(
        "random",
        channels,
        [f"class {i}" for i in range(classes)],
        grown,
        features,
        interval_ms=60_000 if features else 0,
        unsure_below=2,
        hysteresis=hysteresis,
    )


def random_additive(seed: int, limits: Sequence[int], classes: int, largest: int = 255) -> AdditiveTables:
    """Return tables for all features but the last, which is in a pair only, and two pairs."""
    rng = np.random.default_rng(seed)
    scalers = random_scalers(rng, limits, rng.integers(3, 32, len(limits)).tolist())
    last = len(limits) - 1
    pairs = [((last, 0), (1, 2)), ((0, 1), (2, 0))]
    terms = []
    for features, shifts in [*(((i,), (0,)) for i in range(last)), *pairs]:
        cells = int(np.prod([(scalers[f].top >> s) + 1 for f, s in zip(features, shifts, strict=True)]))
        table = rng.integers(0, largest + 1, (classes - 1, cells)).astype(np.uint8)
        terms.append(Term(features, shifts, table, table.mean(axis=1).astype(np.uint8)))
    base = rng.integers(0, largest + 1, classes)
    base[0] += largest * len(terms) // 2  # the reference has no tables: make it as likely
    base = base.tolist()
    tables = AdditiveTables(classes, list(scalers), terms, base, 32.0)
    tables.check()
    return tables


def random_mlp(
    seed: int, limits: Sequence[int], classes: int, widths: Sequence[int], forms: Sequence[str]
) -> MlpTables:
    """Return a network of random weights whose scores use the whole range."""
    rng = np.random.default_rng(seed)
    scalers = random_scalers(rng, limits, [255] * len(limits))
    sizes = [len(limits), *widths, classes - 1]
    layers = []
    for i, form in enumerate(forms):
        shape = sizes[i + 1], sizes[i]
        most = 32767 if form == "dense16" else 127
        weights = rng.integers(-most, most + 1, shape)
        if form == "sparse8":
            weights = np.where(rng.random(shape) < 0.6, 0, weights)
        if form == "codebook4":
            weights = rng.choice(np.append(rng.integers(-127, 128, 15), 0), shape)
        last = i + 1 == len(forms)
        reach = np.abs(weights).sum(axis=1) * 255
        shift = max(int(reach.max()) // 32000, 1).bit_length() if last else 0
        shifts = [shift] * shape[0] if last else [max(int(r) // 600, 1).bit_length() for r in reach]
        low = np.minimum(weights, 0).sum(axis=1) * 255
        biases = (-low if last else rng.integers(-500, 500, shape[0])).tolist()
        layers.append(Layer(weights, biases, shifts, form))
    draft = MlpTables(classes, scalers, layers, 0, 32.0)
    some = rng.integers(0, np.array(limits) + 1, (200, len(limits)))
    tables = dataclasses.replace(draft, base=int(np.quantile(draft.scores(some, limits)[:, 1:].max(axis=1), 0.4)))
    tables.check()
    return tables


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
