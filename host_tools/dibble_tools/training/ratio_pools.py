"""Ratios between the steps of a heater scan, offered where they help on groups that a student hasn't seen.

Absolute resistances differ from sensor to sensor, and from day to day; by how many octaves one step lies above another
often doesn't. Not always: so steps alone, steps with their ratios, and ratios alone are held against each other.
"""

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from dibble.inference.features import LAST
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import ChannelRatio, FeatureSpec, log2_1024ths
from dibble_tools.data.prepare import Prepared

UNIT = "ohm"  # of quantities that are told by their ratios
LEAST_STEPS, MOST_STEPS = 2, 12
TREES = 40
ROWS, ROWS_ALONE = 2000, 600  # that a pool, and a step alone, are judged on
MOST_PARTS = 4
GAIN = 0.005  # of accuracy, by which another pool has to be better than the steps alone
STEPS, BOTH, RATIOS = "steps", "steps and ratios", "ratios"
Parts = Sequence[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Pools:
    """What each kind of features reached.

    Attributes:
        accuracy: of the better of a forest and a linear model of floats, by pool; under "one step" the best step's.
        chosen: a pool.
        steps: the channels that are steps of the scan.
        plain: the last reading of each channel, of a step its logarithm (rows, channels).
        parts: rows to learn from, and to judge on.
    """

    accuracy: dict[str, float]
    chosen: str
    steps: list[int]
    plain: np.ndarray
    parts: Parts


def steps_of(channels: Sequence[Channel]) -> list[int]:
    """Return the channels that are steps of a scan: resistances above 0; none where they are too few or too many."""
    found = [i for i, channel in enumerate(channels) if channel.unit == UNIT and channel.low >= 1]
    return found if LEAST_STEPS <= len(found) <= MOST_STEPS else []


def with_ratios(
    data: Prepared, y: np.ndarray, parts: Parts, rows: np.ndarray, seed: int
) -> tuple[Prepared, Pools | None]:
    """Return the data with the features of the best pool, and what each pool reached; None where there are no steps.

    Args:
        parts: (rows to learn from, rows to judge on), whole groups apart where there are groups.
        rows: that ranges of ratios come from.
    """
    steps = steps_of(data.channels)
    parts = [(learn, judge) for learn, judge in parts if len(np.unique(y[learn])) > 1][:MOST_PARTS]
    if data.features or not steps or not parts:
        return data, None
    features, values = _ratios(data, steps, rows)
    plain = [FeatureSpec(i, LAST, 1) for i in range(len(data.channels))]
    others = [i for i in range(len(plain)) if i not in steps]
    rest = [plain[i] for i in others]
    own = {STEPS: [], BOTH: [*plain, *features], RATIOS: [*rest, *features]}
    tables = {BOTH: np.column_stack([data.values, values]), RATIOS: np.column_stack([data.values[:, others], values])}
    even = _logarithms(data, steps)  # a forest draws its splits evenly over the range of what it sees
    seen = {STEPS: even, BOTH: np.column_stack([even, values]), RATIOS: tables[RATIOS]}
    both = {name: pool_accuracies(table, y, parts, seed, ROWS) for name, table in seen.items()}
    reached = {name: max(each) for name, each in both.items()}
    best = BOTH if reached[BOTH] + GAIN >= reached[RATIOS] else RATIOS
    # A node's trees and tables can't subtract: ratios that help a forest help them, though a line needs none.
    helps = reached[best] >= reached[STEPS] + GAIN or both[best][0] >= both[STEPS][0] + GAIN
    chosen = best if helps else STEPS
    reached["one step"] = max(float_accuracy(even[:, [i]], y, parts, seed, rows=ROWS_ALONE) for i in steps)
    pools = Pools(reached, chosen, steps, even, parts)
    if chosen == STEPS:
        return data, pools
    by, what = (0, "forest") if both[chosen][0] >= both[STEPS][0] + GAIN else (1, "linear model")
    note = (
        f"{chosen} tell more on rows of other groups than the steps alone, {both[chosen][by]:.1%} for "
        f"{both[STEPS][by]:.1%} of a {what} of floats: taken"
    )
    return replace(data, features=own[chosen], values=tables[chosen], notes=[*data.notes, note]), pools


def _logarithms(data: Prepared, steps: Sequence[int]) -> np.ndarray:
    """Return the offsets of all channels, of the steps the logarithms of their readings."""
    lows = np.array([channel.low for channel in data.channels])
    logs = log2_1024ths(np.maximum(data.values, 0) + lows)
    return np.where(np.isin(np.arange(len(lows)), steps), logs, data.values)


def _ratios(data: Prepared, steps: Sequence[int], rows: np.ndarray) -> tuple[list[FeatureSpec], np.ndarray]:
    """Return a feature for each pair of steps, and for each step above the mean of all; and their values."""
    lows = np.array([channel.low for channel in data.channels])
    logs = log2_1024ths(np.maximum(data.values, 0) + lows)
    whole = data.values.min(axis=1) >= 0
    pairs: list[tuple[int, tuple[int, ...]]] = [(a, (b,)) for a, b in itertools.combinations(steps, 2)]
    if len(steps) > LEAST_STEPS:
        pairs += [(a, tuple(steps)) for a in steps]
    features, columns = [], []
    for own, others in pairs:
        count = len(others)
        above = logs[:, own] - (logs[:, list(others)].sum(axis=1) + count // 2) // count
        low, high = int(above[rows].min()), int(above[rows].max())
        features.append(FeatureSpec(own, LAST, 1, ChannelRatio(own, others, low, max(high - low, 1))))
        columns.append(np.where(whole, np.clip(above, low, max(high, low + 1)) - low, -1))
    return features, np.column_stack(columns)


def float_accuracy(values: np.ndarray, y: np.ndarray, parts: Parts, seed: int, rows: int = ROWS) -> float:
    """Return the mean accuracy over the parts, classes counted alike, of a forest or a linear model, the better one."""
    return max(pool_accuracies(values, y, parts, seed, rows))


def pool_accuracies(
    values: np.ndarray, y: np.ndarray, parts: Parts, seed: int, rows: int = ROWS
) -> tuple[float, float]:
    """Return the mean accuracies of a forest and of a linear model."""
    rng = np.random.default_rng(seed)
    found = []
    for learn, judge in parts:
        learn, judge = (rng.permutation(one)[:rows] for one in (learn, judge))
        there = np.unique(y[judge])
        mean, spread = values[learn].mean(axis=0), values[learn].std(axis=0) + 1e-9
        forest = ExtraTreesClassifier(TREES, min_samples_leaf=2, class_weight="balanced", random_state=seed, n_jobs=1)
        line = LogisticRegression(max_iter=300, class_weight="balanced")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a line that isn't quite there after so many rounds
            line.fit((values[learn] - mean) / spread, y[learn])
        decided = (
            forest.fit(values[learn], y[learn]).predict(values[judge]),
            line.predict((values[judge] - mean) / spread),
        )
        found.append([np.mean([np.mean(one[y[judge] == k] == k) for k in there]) for one in decided])
    forest_mean, line_mean = np.mean(found, axis=0).tolist()
    return forest_mean, line_mean
