"""What may become the teacher: classifiers set so that they hold up on rows unlike those they saw.

The linear one and the network are made here of portable arithmetic, as scikit-learn's sum by BLAS; its trees
don't, and grow alike on every computer from weights of few bits.
"""

from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline

from dibble_tools.common import portable
from dibble_tools.families.lbfgs import minimize
from dibble_tools.families.mlp import network

TREES = 200
QUICK_TREES = 40
MIN_ROWS_OF_A_LEAF = 3  # full trees are surer of other groups than they may be
LOG_GAIN = 3  # a logarithm is taken of a feature that is so much less skewed then
TAIL = 0.002  # of a feature's values on either side are clipped
RIDGE = 1.0  # of the linear model's weights, as scikit-learn's C = 1
LINEAR_STEPS, LINEAR_TOLERANCE = 200, 1e-6
BINS = 64  # of a feature: with weights scikit-learn takes long for each
UNITS = (16,)
NETWORK_SHARE, NETWORK_RATE = 1.0, 0.01  # as long as a student's training


class Evener(TransformerMixin, BaseEstimator):
    """Take logarithms of features that are far less skewed then, clip the tails, standardize.

    On features of gas sensors that halves the log-loss of standardizing alone; unlike quantiles it
    keeps distances.
    """

    def fit(self, values: np.ndarray, y: np.ndarray | None = None) -> "Evener":
        """Learn from values >= 0 (rows, features)."""
        self.bias_ = np.maximum(np.median(values, axis=0) / 4, 1)
        self.log_ = _skewness(portable.log(values + self.bias_)) * LOG_GAIN < _skewness(values)
        u = self._u(values)
        self.low_, self.high_ = np.quantile(u, [TAIL, 1 - TAIL], axis=0)
        u = u.clip(self.low_, self.high_)
        self.mean_, self.scale_ = u.mean(axis=0), u.std(axis=0)
        self.scale_[self.scale_ < 1e-9] = 1  # a constant stays one
        return self

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return float64 (rows, features) of mean 0 and deviation 1 on the rows learned from."""
        return (self._u(values).clip(self.low_, self.high_) - self.mean_) / self.scale_

    def _u(self, values: np.ndarray) -> np.ndarray:
        return np.where(self.log_, portable.log(values + self.bias_), values)


def _skewness(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)
    spread = np.maximum(centred.std(axis=0), 1e-9)
    return np.abs((centred * centred * centred).mean(axis=0)) / (spread * spread * spread)


class Linear(ClassifierMixin, BaseEstimator):
    """Multinomial logistic regression."""

    def fit(self, values: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "Linear":
        """Learn from values (rows, features), about standardized."""
        self.classes_, index = np.unique(y, return_inverse=True)
        targets = np.eye(len(self.classes_))[index]
        weights = np.ones(len(y)) if sample_weight is None else sample_weight
        shape = values.shape[1] + 1, len(self.classes_)
        bits = portable.shared_bits(max(*values.shape))
        x = portable.Rounded(portable.rounded(np.column_stack([values, np.ones(len(values))]), bits), bits)
        held = RIDGE * (np.arange(shape[0]) < shape[0] - 1)[:, None]

        def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
            table = point.reshape(shape)
            chances = portable.softmax(portable.matmul(x, table))
            nats = -portable.log(np.maximum((chances * targets).sum(axis=1), 1e-300))
            slope = portable.matmul(x.T, (chances - targets) * weights[:, None]) + held * table
            return portable.dot(weights, nats) + float((held * table * table).sum()) / 2, slope.ravel()

        start = np.zeros(shape[0] * shape[1])
        self.table_ = minimize(objective, start, steps=LINEAR_STEPS, tolerance=LINEAR_TOLERANCE).reshape(shape)
        return self

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities (rows, classes)."""
        return portable.softmax(portable.matmul(np.column_stack([values, np.ones(len(values))]), self.table_))


class Network(ClassifierMixin, BaseEstimator):
    """A network of one hidden layer, trained as students are, in floats."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, values: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "Network":
        """Learn from values (rows, features), about standardized."""
        self.classes_, index = np.unique(y, return_inverse=True)
        targets = np.eye(len(self.classes_))[index]
        weights = np.ones(len(y)) if sample_weight is None else sample_weight
        rng = np.random.default_rng(self.seed)
        net = network.new_net((values.shape[1], *UNITS, len(self.classes_) - 1), rng)
        self.net_ = network.train(net, values, targets, weights, rng, share=NETWORK_SHARE, rate=NETWORK_RATE)
        return self

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities (rows, classes)."""
        return network.probabilities(network.forward(self.net_, values)[-1])


def _logistic(y: np.ndarray, seed: int) -> BaseEstimator:
    return make_pipeline(Evener(), Linear())


def _network(y: np.ndarray, seed: int) -> BaseEstimator:
    return make_pipeline(Evener(), Network(seed))


def _boosting(y: np.ndarray, seed: int) -> BaseEstimator:
    return HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.08, max_leaf_nodes=8, l2_regularization=1.0, max_bins=BINS, early_stopping=False
    )


def _extra_trees(y: np.ndarray, seed: int) -> BaseEstimator:
    return ExtraTreesClassifier(TREES, min_samples_leaf=MIN_ROWS_OF_A_LEAF, random_state=seed, n_jobs=1)


def _quick_trees(y: np.ndarray, seed: int) -> BaseEstimator:
    trees = min(QUICK_TREES, TREES)
    return ExtraTreesClassifier(trees, min_samples_leaf=MIN_ROWS_OF_A_LEAF, random_state=seed, n_jobs=1)


def _forest(y: np.ndarray, seed: int) -> BaseEstimator:
    return RandomForestClassifier(  # half the rows a tree: as good, less sure of itself, a third faster
        TREES, min_samples_leaf=MIN_ROWS_OF_A_LEAF, max_samples=0.5, random_state=seed, n_jobs=1
    )


CANDIDATES: dict[str, Callable[[np.ndarray, int], BaseEstimator]] = {  # (class indices, seed) -> unfitted; cheap first
    "logistic": _logistic,
    "network": _network,
    "boosting": _boosting,
    "extra trees": _extra_trees,
    "forest": _forest,
}

SOFT: dict[str, Callable[[np.ndarray, int], BaseEstimator]] = {  # quick ones, that students learn from
    "logistic": _logistic,
    "extra trees": _extra_trees,
    "quick trees": _quick_trees,
}
