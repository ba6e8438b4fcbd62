"""Bring your own: a fitted classifier of scikit-learn, XGBoost or LightGBM becomes a model file."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from dibble.inference.features import LAST
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel, to_readings, to_values
from dibble_tools.data.column_channels import column_channels, parse_channel_option
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.data.splits import MAX_CLASSES
from dibble_tools.families.additive.naive_bayes import naive_bayes_tables
from dibble_tools.families.forest import integer_trees
from dibble_tools.families.forest import trees as forest
from dibble_tools.families.forest.boosted_import import boosted_trees
from dibble_tools.families.forest.boosted_sources import BOOSTED_NAMES, boosted_of, is_boosted
from dibble_tools.families.mlp.network_import import NETWORKS, network_of
from dibble_tools.families.original import Original, taken_apart
from dibble_tools.model.convert_network import convert_network
from dibble_tools.model.golden import golden_rows
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import ModelSpec, export, forest_spec

SPLIT_BYTES = 4
NEAR = 0.97  # of the rows of X decided alike: fewer are warned of
ROWS_LOOKED_AT = 20_000  # for how fine a rounding has to be
FORESTS = (DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier)
KINDS = (*FORESTS, *NETWORKS, GaussianNB)
KNOWN = ", ".join((*(kind.__name__ for kind in KINDS), *BOOSTED_NAMES))


def convert(
    estimator: Any,
    X: Any = None,
    *,
    name: str = "model",
    channels: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    unsure_below: int = 0,
    max_bytes: int | None = None,
) -> HostModel:
    """Return the model file of a fitted classifier of scikit-learn, or of a Pipeline of scalers and one.

    Or of a network of int8, told by the path of its file, .tflite or .onnx: see convert_network.convert_network.

    What it takes: DecisionTree, RandomForest, ExtraTrees; GradientBoosting, HistGradientBoosting, XGBoost's
    XGBClassifier, LightGBM's LGBMClassifier; linear classifiers (LogisticRegression, LinearSVC, RidgeClassifier, ...)
    and MLPClassifier; GaussianNB, BernoulliNB, CategoricalNB, MultinomialNB, ComplementNB. On how many rows of X the
    model decides as the classifier's `predict`, its `notes` say; what is rounded on the way is warned of.

    The class of a DecisionTree, RandomForest or ExtraTrees on a row is the one that most of scikit-learn's own trees
    choose for it, the first of equals: exactly, for every value that is a whole number of the channel's steps.
    (scikit-learn's predict averages class shares instead of counting votes, and differs on some rows.) Gradient
    boosting, and naive Bayes of features of a few values, have the same splits, their leaves are rounded to at most
    100 values; all else is rounded to codes of 7 to 10 bits.
    A missing reading is a sensor fault on the node, whatever the classifier was fitted to do with it.

    Args:
        estimator: fitted on X, or on values like it.
        X: (rows, features) numbers, an array or a DataFrame, whose columns become channels:
            resolution and valid range come from its values; NaN is a missing reading.
        channels: `--channel` options: "soil=permille:1", "gas=ohm:10:100:13000000".
        classes: names, in the order of `estimator.classes_`; by default those.
        unsure_below: votes the winner must lead by, or the decision is flagged unsure.
        max_bytes: of the model file; splits are pruned until it fits, the least useful first, so that not all
            votes are scikit-learn's any more: compare on rows of your own. None prunes none.
    Raises:
        InputError: not such a classifier, or not such an X; no trees are small enough.
    """
    if isinstance(estimator, (str, Path)):
        if channels or max_bytes is not None:
            raise InputError("expected no channels and no max_bytes with a network's file: its frame says what it sees")
        own = "" if name == "model" else name
        return convert_network(estimator, X, name=own, classes=classes, unsure_below=unsure_below)
    if X is None:
        raise InputError("expected rows X, from which resolution and valid range of each channel come")
    original = taken_apart(estimator)
    kind = original.classifier
    if not isinstance(kind, KINDS) and not is_boosted(kind):
        inside = next((name for name in ("export_", "best_estimator_") if hasattr(kind, name)), None)
        raise InputError(
            f"expected a classifier of one of {KNOWN}, in a Pipeline or not, got {type(kind).__name__}"
            + (f": take its {inside}" if inside else "")
        )
    if np.ndim(kind.classes_) != 1 or isinstance(kind.classes_[0], (np.ndarray, list)):
        raise InputError(f"expected one label a row, got a classifier fitted on {len(kind.classes_)}")
    X = _in_fitted_order(estimator, X)
    columns, values = _columns(X)
    if values.shape[1] != original.features:
        raise InputError(f"expected X with {original.features} columns, as fitted; got {values.shape[1]}")
    labels = [str(label) for label in (kind.classes_ if classes is None else classes)]
    if len(labels) != len(kind.classes_) or len(set(labels)) != len(labels):
        raise InputError(f"expected {len(kind.classes_)} different class names, got {labels}")
    if len(labels) > MAX_CLASSES:
        raise InputError(f"expected at most {MAX_CLASSES} classes, got {len(labels)}")
    found, notes = column_channels(columns, values, [parse_channel_option(text) for text in channels])
    for note in notes:
        warnings.warn(note, stacklevel=2)
    if isinstance(kind, FORESTS):
        blob = _forest(name, original, found, labels, values, unsure_below, max_bytes)
    else:
        spec, told = _imported(name, original, found, labels, values)
        spec = replace(spec, unsure_below=unsure_below)
        blob = export(spec, golden_rows(spec, to_readings(values, spec.channels), None))
        notes = [*notes, *told]
        if max_bytes is not None and len(blob) > max_bytes:
            raise InputError(
                f"expected max_bytes of {len(blob)} or more for a {type(kind).__name__} of this size, got {max_bytes}: "
                "only a forest is pruned: fit fewer or smaller trees, fewer units or on fewer columns"
            )
    return _held_against(estimator, X, values, HostModel(blob, notes))


def _forest(
    name: str,
    original: Original,
    channels: list[Channel],
    labels: list[str],
    values: np.ndarray,
    unsure_below: int,
    max_bytes: int | None,
) -> bytes:
    """Return the file of a forest of votes, pruned to max_bytes."""

    def exported(splits: int | None) -> tuple[bytes, int]:
        """Return the file of the trees, pruned to so many splits, and how many they have."""
        integer = forest.integer_trees(original.classifier, _to_input(original, channels), splits)
        spec = replace(_spec_of(name, channels, labels, integer), unsure_below=unsure_below)
        return export(spec, golden_rows(spec, to_readings(values, spec.channels), None)), len(integer.nodes)

    blob, splits = exported(None)
    while max_bytes is not None and len(blob) > max_bytes:
        if not splits:
            raise InputError(f"expected max_bytes of {len(blob)} or more, for not even a split, got {max_bytes}")
        too_many = (len(blob) - max_bytes) // SPLIT_BYTES
        blob, splits = exported(max(0, splits - max(1, too_many)))
    return blob


def _imported(
    name: str, original: Original, channels: list[Channel], labels: list[str], values: np.ndarray
) -> tuple[ModelSpec, list[str]]:
    """Return the content of the model file of a classifier that isn't a forest of votes, and notes."""
    kind = original.classifier
    if len(labels) < 2:
        raise InputError(f"expected a {type(kind).__name__} fitted on two classes or more, got {labels}")
    whole = values[~np.isnan(values).any(axis=1)][:ROWS_LOOKED_AT]
    if not len(whole):
        raise InputError(
            "expected a row of X that misses no reading: how fine the model has to be comes from such rows"
        )
    lows, highs = (np.array([getattr(c, end) for c in channels]) for end in ("low", "high"))
    readings = np.clip(to_readings(whole, channels), lows, highs)
    to_input = _to_input(original, channels)
    if is_boosted(kind):
        boosted = boosted_of(kind)
        raw = boosted.raw(original.inputs(whole))
        trees, unit = boosted_trees(boosted, len(labels), to_input, readings, raw)
        return _spec_of(name, channels, labels, trees), [f"a nat of log-odds is {unit:g} steps of margin"]
    limits = (highs - lows).tolist()

    def above_low(feature: int, steps: np.ndarray) -> np.ndarray:
        return to_input(feature, steps + lows[feature])

    if isinstance(kind, GaussianNB):
        return ModelSpec(name, channels, labels, naive_bayes_tables(kind, above_low, readings - lows, limits)), []
    tables, features = network_of(kind, above_low, readings - lows, limits)
    own = [FeatureSpec(i, LAST, 1) for i in features]
    return ModelSpec(name, channels, labels, tables, [] if features == list(range(len(channels))) else own), []


def _spec_of(name: str, channels: list[Channel], labels: list[str], trees: integer_trees.IntegerTrees) -> ModelSpec:
    """Return the content of the model file of trees over readings."""
    covering = _cover(channels, trees)
    return forest_spec(name, covering, labels, integer_trees.shift(trees, [channel.low for channel in covering]))


def _held_against(estimator: Any, X: Any, values: np.ndarray, model: HostModel) -> HostModel:
    """Return the model with notes on the rows of X that it decides otherwise."""
    notes = list(model.notes)
    whole = ~np.isnan(values).any(axis=1)
    if not whole.all():
        notes.append(
            f"{int((~whole).sum()):,} of {len(whole):,} rows of X miss a reading: on the node that is a sensor fault, "
            "and nothing is decided, whatever the classifier was fitted to do with it"
        )
    if whole.any():
        readings = to_readings(values[whole], model.channels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scikit-learn's, on names of columns
            expected = estimator.predict(X.iloc[np.flatnonzero(whole)] if hasattr(X, "iloc") else values[whole])
        index = {label: i for i, label in enumerate(estimator.classes_.tolist())}
        expected_index = np.array([index[label] for label in expected.tolist()])
        alike = int((model.decide(readings).class_index == expected_index).sum())
        told = (
            f"decides {alike:,} of {int(whole.sum()):,} rows of X as {type(estimator).__name__}.predict does"
            f" ({alike / whole.sum():.2%})"
        )
        if alike < NEAR * whole.sum():
            told += (
                ": fit it on fewer columns, give a column with strays a range by channels=[...], or take the logarithm "
                "of one over decades"
            )
            warnings.warn(told, stacklevel=3)
        notes.append(told)
    return HostModel(model.blob, notes)


def _in_fitted_order(estimator: Any, X: Any) -> Any:
    """Return X with the columns that the estimator was fitted on, in that order, where both have names."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None or not hasattr(X, "columns"):
        return X
    absent = [name for name in names if name not in X.columns]
    if absent:
        raise InputError(f"expected X with the columns it was fitted on, got none named {', '.join(map(repr, absent))}")
    return X[list(names)]


def _columns(X: Any) -> tuple[list[str], np.ndarray]:
    """Return column names and float64 values of an array or DataFrame."""
    names = [str(name) for name in X.columns] if hasattr(X, "columns") else None
    try:
        values = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected X of numbers: {error}") from None
    if values.ndim != 2 or not len(values):
        raise InputError(f"expected X with rows and columns, got an array of shape {values.shape}")
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise InputError(f"expected finite numbers in X, got {values[row, column]} in row {row}, column {column}")
    return names or [f"x{i}" for i in range(values.shape[1])], values


def _to_input(original: Original, channels: Sequence[Channel]) -> Callable[[int, np.ndarray], np.ndarray]:
    return lambda feature, steps: original.column(feature, to_values(steps, channels[feature]))


def _cover(channels: Sequence[Channel], trees: integer_trees.IntegerTrees) -> list[Channel]:
    """Return the channels with ranges that hold every threshold, so that clamping moves no reading past one."""
    low, high = [c.low for c in channels], [c.high for c in channels]
    for feature, threshold, _, _ in integer_trees.reachable(trees):
        low[feature] = min(low[feature], threshold)
        high[feature] = max(high[feature], threshold + 1)
    return [replace(c, low=a, high=b) for c, a, b in zip(channels, low, high, strict=True)]
