"""A classifier in the form of scikit-learn's taken apart: the scalers of its pipeline, and what they feed."""

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from dibble_tools.common.errors import InputError

SCALERS = (StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler)


@dataclass(frozen=True)
class Original:
    """What a fitted classifier is made of.

    Attributes:
        classifier: the last step, or all there is.
        scalers: those before it, in their order; each moves and stretches a column on its own.
        features: columns it was fitted on.
    """

    classifier: Any
    scalers: tuple[Any, ...]
    features: int

    def inputs(self, values: np.ndarray) -> np.ndarray:
        """Return what the classifier is given for rows of values (rows, features), by the scalers' own code."""
        for scaler in self.scalers:
            values = scaler.transform(values)
        return values

    def column(self, feature: int, values: np.ndarray) -> np.ndarray:
        """Return what the classifier is given for values of one feature."""
        if not self.scalers:
            return values
        rows = np.zeros((len(values), self.features))
        rows[:, feature] = values
        return self.inputs(rows)[:, feature]


def taken_apart(estimator: Any) -> Original:
    """Return the parts of a fitted classifier, or of a Pipeline that ends with one.

    Raises:
        InputError: not fitted, or a step before the last is no scaler of one column at a time.
    """
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    scalers = tuple(_plain(step) for step in steps[:-1] if step is not None and step != "passthrough")
    classifier = steps[-1]
    inner = taken_apart(classifier) if isinstance(classifier, Pipeline) else None
    if inner is not None:
        return Original(inner.classifier, tuple(map(_nameless, scalers)) + inner.scalers, estimator.n_features_in_)
    try:
        for step in (*scalers, classifier):
            check_is_fitted(step)
    except NotFittedError:
        raise InputError(f"expected a fitted {type(estimator).__name__}: call its fit(X, y) first") from None
    except TypeError:
        library = type(classifier).__module__.partition(".")[0]
        way = {
            "xgboost": "own = XGBClassifier(); own.load_model(FILE)",
            "lightgbm": "fit it as an LGBMClassifier",
        }.get(library)
        raise InputError(
            f"expected a classifier of scikit-learn, got {type(classifier).__name__}" + (f": {way}" if way else "")
        ) from None
    return Original(_nameless(classifier), tuple(map(_nameless, scalers)), estimator.n_features_in_)


def _nameless(step: Any) -> Any:
    """Return the same step without names of columns, which would be asked for of arrays."""
    step = copy(step)
    vars(step).pop("feature_names_in_", None)
    return step


def _plain(step: Any) -> Any:
    if not isinstance(step, SCALERS):
        known = ", ".join(kind.__name__ for kind in SCALERS)
        raise InputError(
            f"expected steps of {known} before the classifier, got {type(step).__name__}: what it computes would be "
            "missing on the node: fit without it, or on columns that the node computes itself"
        )
    if getattr(step, "clip", False):
        raise InputError("expected a MinMaxScaler with clip=False: a node clamps at a channel's range instead")
    return step
