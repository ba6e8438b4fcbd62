"""Linear classifiers and networks of scikit-learn -> integer networks over codes, as near as codes are fine."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC

from dibble_tools.common.errors import InputError
from dibble_tools.families.mlp.network import Net, probabilities
from dibble_tools.families.mlp.quantizing import integer_net, to_tables
from dibble_tools.families.mlp.tables import UNITS_MAX, WIDE_INPUTS_MAX, MlpTables, codes_of
from dibble_tools.families.mlp.training import SPREAD_MIN, FloatNetwork, quantize
from dibble_tools.families.scaling import TAIL, Scaler, apply, fit_linear_scalers

LINEAR = (
    *(LogisticRegression, LogisticRegressionCV, LinearSVC, RidgeClassifier, RidgeClassifierCV, SGDClassifier),
    *(Perceptron, LinearDiscriminantAnalysis, MultinomialNB, ComplementNB),
)
NETWORKS = (*LINEAR, MLPClassifier)
PARTS = (1, 2, 4)  # scalers a feature, each of a part of its range: 8, 9 or 10 bits of it
UNITS = tuple(2.0**i for i in range(5, 13))  # score steps a nat
NEAR_ENOUGH = 0.995  # of the rows alike: what rounding alone reaches mostly; else it is trained under rounding
DECIDED = 3.0  # nats of margin of a middling row, where the classifier knows no nats
GRID = 4096  # values of a feature that a code's meaning is fitted on


def network_of(
    estimator: Any, to_input: Callable[[int, np.ndarray], np.ndarray], values: np.ndarray, limits: Sequence[int]
) -> tuple[MlpTables, list[int]]:
    """Return (tables, the feature that each of their inputs looks at) of a fitted classifier.

    Of several roundings the one that decides most rows as the float network does, the smaller of equals.

    Args:
        estimator: one of `NETWORKS`.
        to_input: (feature, values 0..limit) -> what the estimator is given for them: straight in the values.
        values: int64 (rows, features), 0..limits, none missing.
    Raises:
        InputError: it isn't a network of ReLUs, or too large for a node's sums.
    """
    layers = _layers(estimator)
    inputs = np.column_stack([to_input(i, values[:, i]) for i in range(len(limits))])
    exact = _logits(layers, inputs)
    if not hasattr(estimator, "predict_proba") or isinstance(estimator, (MultinomialNB, ComplementNB)):
        top = np.sort(np.column_stack([np.zeros(len(exact)), exact]), axis=1)
        scale = DECIDED / max(float(np.median(top[:, -1] - top[:, -2])), 1e-9)
        layers = [*layers[:-1], (layers[-1][0] * scale, layers[-1][1] * scale)]
        exact = exact * scale
    wanted = _decided(exact)
    best: tuple[float, int] | None = None
    found: tuple[MlpTables, list[int]] | None = None

    def weigh(tables: MlpTables, features: list[int]) -> None:
        nonlocal best, found
        own = tables.scores(values[:, features], [limits[f] for f in features])
        rank = (float((own.argmax(axis=1) == wanted).mean()), -tables.bytes())
        if best is None or rank > best:
            best, found = rank, (tables, features)

    finest = None
    for network, codes in _on_codes(layers, to_input, values, limits):
        if best is not None and best[0] == 1:
            break
        finest = network, codes
        for tables in _rounded(network, codes):
            weigh(tables, network.features)
    if finest is None:
        raise InputError(f"mlp: expected at most {UNITS_MAX} features, got {len(limits)}")
    if best is None or best[0] < NEAR_ENOUGH:
        network, codes = finest
        with suppress(InputError):  # its sums or scores are too large: what there is has to do
            tables, _ = quantize(network, codes, probabilities(exact), np.ones(len(codes)), "dense8", 0)
            weigh(tables, network.features)
    if found is None:
        raise InputError(
            "expected scores within 16 bits, got more at the ends of the columns' ranges, even in steps of a nat: give "
            "a column with strays a range by channels=[...], or fit on fewer columns or units"
        )
    return found


def _layers(estimator: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weights (units, inputs) and biases of each layer on the estimator's inputs; class 0's logit is 0."""
    classes = len(estimator.classes_)
    if isinstance(estimator, MLPClassifier):
        if estimator.activation != "relu":
            raise InputError(f"expected an MLPClassifier with activation='relu', got {estimator.activation!r}")
        if estimator.n_outputs_ != (1 if classes == 2 else classes):
            raise InputError(f"expected one label a row, got a classifier fitted on {estimator.n_outputs_}")
        layers = [(w.T, b) for w, b in zip(estimator.coefs_, estimator.intercepts_, strict=True)]
    elif isinstance(estimator, MultinomialNB):
        layers = [(estimator.feature_log_prob_, estimator.class_log_prior_)]
    elif isinstance(estimator, ComplementNB):  # whose prior isn't used where there are two classes
        layers = [(estimator.feature_log_prob_, np.zeros(classes))]
    else:
        layers = [(np.atleast_2d(estimator.coef_), np.atleast_1d(estimator.intercept_) + 0.0)]
        weights, biases = layers[0]
        layers[0] = (weights, np.broadcast_to(biases, (len(weights),)))
        if len(weights) != (1 if classes == 2 else classes):
            raise InputError(f"expected one label a row, got a classifier of {len(weights)} outputs")
    weights, biases = layers[-1]
    if len(weights) == classes:
        layers[-1] = weights[1:] - weights[0], biases[1:] - biases[0]
    if max(len(w) for w, _ in layers) > UNITS_MAX:
        raise InputError(f"expected layers of at most {UNITS_MAX} units, got {max(len(w) for w, _ in layers)}")
    return layers


def _logits(layers: list[tuple[np.ndarray, np.ndarray]], x: np.ndarray) -> np.ndarray:
    for i, (weights, biases) in enumerate(layers):
        x = x @ weights.T + biases
        x = np.maximum(x, 0) if i + 1 < len(layers) else x
    return x


def _decided(logits: np.ndarray) -> np.ndarray:
    """Return the class of most, 0's logit being 0."""
    return np.column_stack([np.zeros(len(logits)), logits]).argmax(axis=1)


def _on_codes(
    layers: list[tuple[np.ndarray, np.ndarray]],
    to_input: Callable[[int, np.ndarray], np.ndarray],
    values: np.ndarray,
    limits: Sequence[int],
) -> Iterator[tuple[FloatNetwork, np.ndarray]]:
    """Yield the network on codes, and the codes, for scalers from coarse to fine."""
    for parts in PARTS:
        for whole in (True, False):
            scalers: list[Scaler] = []
            features: list[int] = []
            slopes: list[float] = []
            start = np.zeros(len(limits))
            for i, limit in enumerate(limits):
                own = fit_linear_scalers(values[:, i], limit, parts, whole)
                ends = [0, 1] if whole else [TAIL, 1 - TAIL]
                low, high = (int(q) for q in np.quantile(values[:, i], ends, method="nearest"))
                grid = np.unique(np.linspace(low, high, GRID).astype(np.int64))
                slope, start[i] = _meaning(own, limit, grid, to_input(i, grid))
                scalers += own
                features += [i] * len(own)
                slopes += slope
            if len(features) > UNITS_MAX:
                return
            codes = codes_of(scalers, values[:, features], [limits[f] for f in features])
            middle = np.rint(codes.mean(axis=0)).astype(np.int64)
            spread = np.maximum(codes.std(axis=0), SPREAD_MIN)
            weights, biases = layers[0]
            stretched = weights[:, features] * np.array(slopes)
            first = stretched * spread, biases + weights @ start + stretched @ middle
            all_layers = [first, *layers[1:]]
            vector = np.concatenate([part.ravel() for layer in all_layers for part in layer])
            net = Net((len(features), *(len(w) for w, _ in all_layers)), vector, np.ones_like(vector))
            yield FloatNetwork(scalers, features, middle, spread, net), codes


def _meaning(scalers: list[Scaler], limit: int, grid: np.ndarray, inputs: np.ndarray) -> tuple[list[float], float]:
    """Return what a step of each scaler's code stands for in the estimator's input, and what all codes of 0 do.

    Args:
        grid, inputs: values of the feature, and what the estimator is given for them.
    """
    codes = np.column_stack([*(apply(s, grid, limit) for s in scalers), np.ones(len(grid))]).astype(np.float64)
    found = np.linalg.lstsq(codes, inputs, rcond=None)[0]
    return found[:-1].tolist(), float(found[-1])


def _rounded(network: FloatNetwork, codes: np.ndarray) -> Iterator[MlpTables]:
    """Yield roundings of a network, with scores from coarse to fine."""
    standard = network.inputs(codes)
    sizes = network.net.sizes
    wide = ["dense16" if inputs <= WIDE_INPUTS_MAX else "dense8" for inputs in sizes[:-1]]
    for unit in UNITS:
        try:
            net, grid = integer_net(network.net, standard, network.spread, wide, unit)
            yield to_tables(net, grid, network.scalers, network.middle, wide, unit)
        except InputError:  # scores so fine are too large
            break
