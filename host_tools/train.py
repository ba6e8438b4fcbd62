"""`dibble train`: a CSV of readings -> a model file and its card. Nothing is written before all of it stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dibble.inference.features import Windows
from dibble.inference.fixed_point import MISSING
from sklearn.ensemble import RandomForestClassifier

from host_tools.build import build_spec, without_unused
from host_tools.card import make_card
from host_tools.channels import Channel, find_channels, parse_channel_option, to_readings
from host_tools.datasets import Dataset, read_dataset
from host_tools.errors import InputError
from host_tools.export import export
from host_tools.families import forest
from host_tools.feature_spec import (
    FeatureSpec,
    default_features,
    elapsed_of,
    interval_of,
    offsets_of,
    read_features,
    run_windows,
)
from host_tools.golden import golden_rows
from host_tools.host_model import HostModel
from host_tools.metrics import unsure_below
from host_tools.splits import Split, check_classes, folds, split

TEACHER_TREES = 100
TEACHER_ROWS = 50_000  # the float reference is fitted on at most so many


@dataclass(frozen=True)
class TrainOptions:
    """What `dibble train` is asked for; its help text has the meaning of each."""

    label: str
    time: str | None = None
    group: str | None = None
    test_groups: Sequence[str] = ()
    test_after: str | None = None
    channels: Sequence[str] = ()
    ignore: Sequence[str] = ()
    features: Path | None = None
    trees: int = 10
    leaves: int = 32
    balance: float = 0.3
    sure: float = 0.6
    hysteresis: int | None = None
    seed: int = 0
    name: str | None = None


@dataclass(frozen=True)
class Trained:
    """A model, its card (JSON-ready), and what is worth telling about the data."""

    model: HostModel
    card: dict[str, object]
    notes: list[str]


@dataclass(frozen=True)
class Prepared:
    """A data set as the node will see it.

    Attributes:
        values: feature values, ints (rows, features).
        whole: rows without a missing reading.
        elapsed_ms: time since the row before; None where rows stand alone.
    """

    ds: Dataset
    split: Split
    channels: list[Channel]
    features: list[FeatureSpec]
    readings: np.ndarray
    values: np.ndarray
    whole: np.ndarray
    elapsed_ms: np.ndarray | None
    interval_ms: int
    notes: list[str]


def train(path: Path, options: TrainOptions, progress: Callable[[str], None] = lambda step: None) -> Trained:
    """Train a model on a CSV file.

    Args:
        progress: called with a few words before each step.
    Raises:
        InputError: something in the file or the options has to change.
    """
    progress("reading the data")
    data = prepare(path, options)
    labels = data.ds.labels
    assert labels is not None
    fit_rows = data.split.train & data.whole
    margins, right = _validate(data, labels, fit_rows, options, progress)
    threshold, margin_table = unsure_below(margins, right, options.sure)

    progress(f"fitting {options.trees} trees")
    estimator = _fit(data.values[fit_rows], labels[fit_rows], options)
    progress(f"fitting a float reference of {TEACHER_TREES} full trees")
    teacher = _fit_teacher(data.values[fit_rows], labels[fit_rows], options.seed)

    progress("converting to integers")
    trees = forest.integer_trees(estimator, _as_is, _floor)
    kept, features, trees = without_unused(data.channels, trees, data.features)
    spec = build_spec(
        options.name or data.ds.name,
        [data.channels[i] for i in kept],
        [str(c) for c in estimator.classes_],
        trees,
        features,
        interval_ms=data.interval_ms,
        unsure_below=threshold,
        hysteresis=options.hysteresis or (2 if data.interval_ms else 1),
    )
    unused = [c.name for i, c in enumerate(data.channels) if i not in kept]
    if unused:
        data.notes.append(
            f"no split asks about {', '.join(unused)}: left out of the model, the node needn't measure it"
        )
    readings = data.readings[:, kept]
    model = HostModel(export(spec, golden_rows(spec, readings, data.elapsed_ms)))

    progress("comparing with scikit-learn on every row")
    decisions = model.decide(readings, data.elapsed_ms)
    agreement = _check_votes(estimator, data, decisions.class_index, decisions.margin)
    card = make_card(path, options, data, model, estimator, teacher, decisions, margin_table, agreement)
    return Trained(model, card, data.notes)


def prepare(path: Path, options: TrainOptions) -> Prepared:
    """Read the file and turn it into feature values, as the board's own code computes them."""
    if options.features and not options.time:
        raise InputError("--features: expected --time too: windows need to know what follows what")
    ds = read_dataset(path, label=options.label, time=options.time, group=options.group, ignore=options.ignore)
    assert ds.labels is not None
    parts = split(ds, test_groups=options.test_groups, test_after=options.test_after, seed=options.seed)
    notes = [*ds.notes, *check_classes(ds, parts.train, parts.test)]
    wanted = [parse_channel_option(text) for text in options.channels]
    channels, more = find_channels(ds, wanted, parts.train)
    notes += more
    columns = [ds.columns.index(channel.name) for channel in channels]
    readings = to_readings(ds.values[:, columns], channels)
    missing = readings == MISSING
    whole = ~missing.any(axis=1)
    if not whole.all():
        row, column = np.argwhere(missing)[0]
        notes.append(
            f"{(~whole).sum()} rows have a missing reading, the first in line {ds.lines[row]}, column "
            f"{channels[column].name!r}: not trained on; the node will say 'sensor fault' for such rows"
        )
    for name in np.unique(ds.labels):
        if not (whole & parts.train & (ds.labels == name)).any():
            raise InputError(f"class {name!r}: every training row of it has a missing reading; --ignore the column")
    values = offsets_of(readings, channels)
    elapsed, interval, features = None, 0, []
    if options.time:
        elapsed = elapsed_of(ds.times_ms, ds.groups, len(readings))
        assert elapsed is not None
        interval = interval_of(elapsed)
        features = read_features(options.features, channels) if options.features else default_features(channels)
        gap = np.abs(elapsed - interval) > interval // 2
        values = run_windows(Windows([f.window(channels) for f in features], interval), values, gap)
    return Prepared(ds, parts, channels, features, readings, values, whole, elapsed, interval, notes)


def _fit(values: np.ndarray, labels: np.ndarray, options: TrainOptions) -> RandomForestClassifier:
    return forest.fit(
        values, labels, trees=options.trees, leaves=options.leaves, balance=options.balance, seed=options.seed
    )


def _fit_teacher(values: np.ndarray, labels: np.ndarray, seed: int) -> RandomForestClassifier:
    if len(values) > TEACHER_ROWS:
        some = np.random.default_rng(seed).permutation(len(values))[:TEACHER_ROWS]
        values, labels = values[some], labels[some]
    return RandomForestClassifier(TEACHER_TREES, random_state=seed, n_jobs=-1).fit(values, labels)


def _validate(
    data: Prepared,
    labels: np.ndarray,
    rows: np.ndarray,
    options: TrainOptions,
    progress: Callable[[str], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Return margins and whether the vote was right, on training rows that the voting trees hadn't seen."""
    margins, right = [], []
    parts = folds(data.ds, rows, seed=options.seed)
    for i, (fit, judge) in enumerate(parts):
        progress(f"cross-validating inside the training part, {i + 1} of {len(parts)}")
        estimator = _fit(data.values[fit], labels[fit], options)
        votes = forest.hard_votes(estimator, data.values[judge])
        top = np.sort(votes, axis=1)
        margins.append(top[:, -1] - (top[:, -2] if votes.shape[1] > 1 else -1))
        right.append(estimator.classes_[votes.argmax(axis=1)] == labels[judge])
    return np.concatenate(margins), np.concatenate(right)


def _check_votes(
    estimator: RandomForestClassifier, data: Prepared, class_index: np.ndarray, margin: np.ndarray
) -> float:
    """Return the share of rows voted alike; stop, rather than ship, if that isn't all of them."""
    whole = data.whole
    votes = forest.hard_votes(estimator, data.values[whole])
    top = np.sort(votes, axis=1)
    lead = top[:, -1] - (top[:, -2] if votes.shape[1] > 1 else -1)
    wrong = (votes.argmax(axis=1) != class_index[whole]) | (lead != margin[whole])
    if wrong.any():
        line = data.ds.lines[whole][wrong][0]
        raise AssertionError(
            f"the integer forest differs from scikit-learn's votes on {wrong.sum()} rows, first line {line}"
        )
    return float(1 - wrong.mean())


def _as_is(feature: int, steps: np.ndarray) -> np.ndarray:
    return steps.astype(np.float64)


def _floor(feature: int, thresholds: np.ndarray) -> np.ndarray:
    return np.floor(thresholds).astype(np.int64)
