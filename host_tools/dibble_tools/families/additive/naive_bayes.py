"""Gaussian naive Bayes of scikit-learn -> additive tables: a class's log-likelihood is a sum over features."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.families.additive.tables import ENTRY_MAX, SCORE_MAX, AdditiveTables, Term, middle_values, quantize
from dibble_tools.families.scaling import Scaler, apply, fit_linear_scalers, fit_scaler

TOPS = (127, 63, 31)  # codes a feature, less one
EVIDENCE_MAX = (np.inf, 64.0, 32.0, 16.0, 8.0)  # nats that a class may be behind the likeliest by one feature
ENOUGH = 0.001  # of the rows: so many fewer alike are worth half the bytes
UNIT_MAX = 64.0


def naive_bayes_tables(
    estimator: Any, to_input: Callable[[int, np.ndarray], np.ndarray], values: np.ndarray, limits: Sequence[int]
) -> AdditiveTables:
    """Return the tables of a fitted GaussianNB, those that decide about as many rows alike as any, and are smallest.

    Args:
        to_input: (feature, values 0..limit) -> what the estimator is given for them.
        values: int64 (rows, features), 0..limits, none missing.
    """
    likely = np.column_stack([to_input(i, values[:, i]) for i in range(len(limits))])
    wanted = sum(_evidence(estimator, i, likely[:, i]) for i in range(len(limits))) + _prior(estimator)
    decided = np.column_stack([np.zeros(len(values)), wanted]).argmax(axis=1)
    found: list[tuple[float, int, AdditiveTables]] = []
    for top in TOPS:
        for log in (False, True):
            for most in EVIDENCE_MAX:
                try:
                    tables = _tables(estimator, to_input, values, limits, top, log, most)
                except InputError:  # scores beyond 16 bits
                    continue
                alike = float((tables.scores(values, limits).argmax(axis=1) == decided).mean())
                found.append((alike, -sum(term.table.size for term in tables.terms), tables))
    if not found:
        raise InputError(f"expected scores within 0..{SCORE_MAX:,}, got more for {len(limits)} features: fit on fewer")
    enough = max(alike for alike, _, _ in found) - ENOUGH
    return max((each for each in found if each[0] >= enough), key=lambda each: (each[1], each[0]))[2]


def _prior(estimator: Any) -> np.ndarray:
    prior = np.log(np.maximum(estimator.class_prior_, 1e-12))
    return prior[1:] - prior[0]


def _evidence(estimator: Any, feature: int, x: np.ndarray, most: float = np.inf) -> np.ndarray:
    """Return the log-likelihood (values, classes - 1) of each class but the first, less the first's.

    Args:
        most: nats that a class may be behind the likeliest by one feature.
    """
    mean, variance = estimator.theta_[:, feature], estimator.var_[:, feature]
    each = -0.5 * (np.log(variance) + (x[:, None] - mean) ** 2 / variance)
    each = np.maximum(each, each.max(axis=1, keepdims=True) - most)
    return each[:, 1:] - each[:, :1]


def _tables(
    estimator: Any,
    to_input: Callable[[int, np.ndarray], np.ndarray],
    values: np.ndarray,
    limits: Sequence[int],
    top: int,
    log: bool,
    most: float,
) -> AdditiveTables:
    scalers: list[Scaler | None] = []
    terms = []
    base = np.concatenate([[0.0], _prior(estimator)])
    for i, limit in enumerate(limits):
        scaler = (
            fit_scaler(values[:, i], limit, top) if log else fit_linear_scalers(values[:, i], limit, 1, True, top)[0]
        )
        codes, middles = middle_values(scaler, limit)
        evidence = _evidence(estimator, i, to_input(i, middles), most)
        # A code that no value has, takes the entry of the one below it.
        table = evidence[np.maximum(np.searchsorted(codes, np.arange(scaler.top + 1), "right") - 1, 0)].T
        centre = table[:, apply(scaler, values[:, i], limit)].mean(axis=1)
        scalers.append(scaler)
        terms.append(Term((i,), (0,), table, centre))
    widest = max(float(np.ptp(term.table, axis=1).max()) for term in terms)
    return quantize(scalers, terms, base, min(UNIT_MAX, ENTRY_MAX / max(widest, 1e-9)))
