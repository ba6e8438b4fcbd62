"""Classifiers that add up what trees give, of three libraries -> their trees in one form.

scikit-learn's own, XGBoost's and LightGBM's. Naive Bayes over features of a few values is such a sum, too.
Neither XGBoost nor LightGBM is imported here: who has a classifier of theirs has them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.naive_bayes import BernoulliNB, CategoricalNB

from dibble_tools.common.errors import InputError

OWN = (GradientBoostingClassifier, HistGradientBoostingClassifier, BernoulliNB, CategoricalNB)
XGBOOST, LIGHTGBM = "xgboost.sklearn.XGBClassifier", "lightgbm.sklearn.LGBMClassifier"
BOOSTED_NAMES = (*(kind.__name__ for kind in OWN), "XGBClassifier", "LGBMClassifier")
XGBOOST_OBJECTIVES = ("binary:logistic", "multi:softprob", "multi:softmax")
LIGHTGBM_OBJECTIVES = ("binary", "multiclass", "multiclassova", "cross_entropy")


@dataclass(frozen=True)
class AddingTree:
    """A tree that adds to one class's score; fields but the first as scikit-learn's `estimator.tree_` has them.

    An input goes left when it is <= threshold; children < 0 are none: the node is a leaf, and gives its value.
    """

    column: int
    feature: np.ndarray
    threshold: np.ndarray
    children_left: np.ndarray
    children_right: np.ndarray
    value: np.ndarray


@dataclass(frozen=True)
class Boosted:
    """What a classifier adds up.

    Attributes:
        width: what an input is rounded to before it is compared.
        raw: rows (rows, features) -> scores, (rows, classes); of two classes the second's lead, (rows,).
            They are what the trees give, and for each class a constant.
    """

    trees: list[AddingTree]
    width: type
    raw: Callable[[np.ndarray], np.ndarray]


def is_boosted(estimator: Any) -> bool:
    """Return whether `boosted_of` knows the kind."""
    return isinstance(estimator, OWN) or bool({XGBOOST, LIGHTGBM} & _kinds(estimator))


def boosted_of(estimator: Any) -> Boosted:
    """Return the trees of a fitted classifier.

    Raises:
        InputError: it asks what no split of a node does, or adds to something else than a constant.
    """
    kinds = _kinds(estimator)
    if XGBOOST in kinds:
        return _xgboost(estimator)
    if LIGHTGBM in kinds:
        return _lightgbm(estimator)
    if isinstance(estimator, GradientBoostingClassifier):
        return Boosted(_gradient(estimator), np.float32, estimator.decision_function)
    if isinstance(estimator, HistGradientBoostingClassifier):
        return Boosted(_histogram(estimator), np.float64, estimator.decision_function)
    return Boosted(_naive_bayes(estimator), np.float64, _log_odds(estimator))


def _kinds(estimator: Any) -> set[str]:
    return {f"{kind.__module__}.{kind.__name__}" for kind in type(estimator).__mro__}


def _first_column(classes: int) -> int:
    """Return the class that the first tree of a round adds to: of two classes, the first's score stays."""
    return 1 if classes == 2 else 0


def _gradient(estimator: Any) -> list[AddingTree]:
    if not isinstance(estimator.init_, DummyClassifier) and estimator.init != "zero":
        raise InputError(f"expected gradient boosting from a constant, got init={estimator.init!r}")
    first = _first_column(len(estimator.classes_))
    rate = estimator.learning_rate
    return [
        AddingTree(first + i, t.feature, t.threshold, t.children_left, t.children_right, t.value[:, 0, 0] * rate)
        for row in estimator.estimators_
        for i, t in enumerate(regressor.tree_ for regressor in row)
    ]


def _histogram(estimator: Any) -> list[AddingTree]:
    if estimator.is_categorical_ is not None and estimator.is_categorical_.any():
        raise _categorical(int(np.flatnonzero(estimator.is_categorical_)[0]))
    first = _first_column(len(estimator.classes_))
    found = []
    for row in estimator._predictors:
        for i, predictor in enumerate(row):
            n = predictor.nodes
            leaf = n["is_leaf"] == 1
            left, right = (np.where(leaf, -1, n[side].astype(np.int64)) for side in ("left", "right"))
            feature = np.where(leaf, -2, n["feature_idx"])
            found.append(AddingTree(first + i, feature, n["num_threshold"].copy(), left, right, n["value"].copy()))
    return found


def _categorical(column: int) -> InputError:
    return InputError(f"expected features that are numbers, got a categorical one, column {column}: fit without it")


def _xgboost(estimator: Any) -> Boosted:
    """Return the trees of an XGBClassifier, those that its predict uses.

    An input, rounded to float32, goes left when it is < its split's condition. Which way a missing one goes is left
    out: it is a sensor fault on a node.
    Source: XGBoost's JSON model schema, https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html.
    """
    if not np.isnan(estimator.missing):
        raise InputError(
            f"expected an XGBClassifier with missing=nan, got {estimator.missing!r}: on a node that is a reading as "
            "any other; put NaN in its place and fit again"
        )
    booster = estimator.get_booster()
    if getattr(estimator, "early_stopping_rounds", None) is not None:
        booster = booster[: estimator.best_iteration + 1]
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    objective, kind = learner["objective"]["name"], learner["gradient_booster"]["name"]
    if objective not in XGBOOST_OBJECTIVES:
        raise InputError(f"expected an objective of {', '.join(XGBOOST_OBJECTIVES)}, got {objective!r}")
    if kind not in ("gbtree", "dart"):
        raise InputError(f"expected an XGBClassifier of trees, got booster={kind!r}: fit a LogisticRegression instead")
    if int(learner["learner_model_param"].get("num_target", 1)) > 1:
        raise InputError(f"expected one label a row, got {learner['learner_model_param']['num_target']}")
    part = learner["gradient_booster"]
    model = part["gbtree"]["model"] if kind == "dart" else part["model"]
    weights = part["weight_drop"] if kind == "dart" else [1.0] * len(model["trees"])
    first = _first_column(int(estimator.n_classes_))
    trees = []
    for column, weight, tree in zip(model["tree_info"], weights, model["trees"], strict=True):
        if int(tree["tree_param"]["size_leaf_vector"]) > 1:
            raise InputError("expected trees of one class each, got multi_strategy='multi_output_tree': fit without it")
        nodes = [np.array(tree[name]) for name in ("split_indices", "left_children", "right_children")]
        if any(tree["split_type"]):
            raise _categorical(int(nodes[0][np.flatnonzero(tree["split_type"])[0]]))
        condition = np.array(tree["split_conditions"], dtype=np.float32)
        below = np.nextafter(condition, np.float32(-np.inf)).astype(np.float64)
        feature = np.where(nodes[1] < 0, -2, nodes[0])
        value = condition.astype(np.float64) * weight
        trees.append(AddingTree(first + column, feature, below, nodes[1], nodes[2], value))

    def raw(values: np.ndarray) -> np.ndarray:
        return np.asarray(booster.inplace_predict(values, predict_type="margin", validate_features=False))

    return Boosted([_children_behind(tree) for tree in trees], np.float32, raw)


def _lightgbm(estimator: Any) -> Boosted:
    """Return the trees of an LGBMClassifier, those that its predict uses.

    Source: LightGBM's Tree::NumericalDecision, https://github.com/microsoft/LightGBM/blob/master/include/LightGBM/tree.h:
    an input, a double, goes left when it is <= the threshold, but for one that is missing.
    """
    dump = estimator.booster_.dump_model()
    objective = dump.get("objective", "custom").split()[0]
    if objective not in LIGHTGBM_OBJECTIVES:
        raise InputError(f"expected an objective of {', '.join(LIGHTGBM_OBJECTIVES)}, got {objective!r}")
    each = int(dump["num_tree_per_iteration"])
    rounds = len(dump["tree_info"]) // each if dump["average_output"] else 1  # raw scores are sums even then
    first = _first_column(int(estimator.n_classes_))
    trees = [_tree_of(first + i % each, tree["tree_structure"], 1 / rounds) for i, tree in enumerate(dump["tree_info"])]

    def raw(values: np.ndarray) -> np.ndarray:
        return np.asarray(estimator.booster_.predict(values, raw_score=True)) / rounds

    return Boosted(trees, np.float64, raw)


def _tree_of(column: int, root: dict[str, Any], weight: float) -> AddingTree:
    """Return a tree that LightGBM tells as nodes in nodes."""
    nodes, rows = [root], []
    for node in nodes:  # which grows
        if "split_feature" not in node:
            if node.get("leaf_coeff"):
                raise InputError("expected leaves that are constants, got linear_tree=True: fit without it")
            rows.append((-2, 0.0, -1, -1, node["leaf_value"] * weight))
            continue
        feature = int(node["split_feature"])
        if node["decision_type"] != "<=":
            raise _categorical(feature)
        if node["missing_type"] == "Zero":
            raise InputError(
                "expected an LGBMClassifier with zero_as_missing=False, got True: on a node 0 is a reading as any "
                "other; put NaN in its place and fit again"
            )
        rows.append((feature, float(node["threshold"]), len(nodes), len(nodes) + 1, 0.0))
        nodes += [node["left_child"], node["right_child"]]
    feature_, threshold, left, right, value = (np.array(each) for each in zip(*rows, strict=True))
    return AddingTree(column, feature_, threshold, left, right, value)


def _children_behind(tree: AddingTree) -> AddingTree:
    """Return the tree numbered so that each child comes after its parent."""
    order = [0]
    for node in order:  # which grows
        if tree.children_left[node] >= 0:
            order += [int(tree.children_left[node]), int(tree.children_right[node])]
    new = np.full(len(tree.feature), -1)
    new[order] = np.arange(len(order))
    left, right = (
        np.where(side[order] < 0, -1, new[side[order]]) for side in (tree.children_left, tree.children_right)
    )
    return AddingTree(tree.column, tree.feature[order], tree.threshold[order], left, right, tree.value[order])


def _naive_bayes(estimator: Any) -> list[AddingTree]:
    """Return a tree for each class and feature of a BernoulliNB or CategoricalNB: a feature is one of a few values."""
    found = []
    for feature in range(estimator.n_features_in_):
        if isinstance(estimator, BernoulliNB):
            each = estimator.feature_log_prob_[:, feature]
            likely = np.column_stack([np.log1p(-np.exp(each)), each])
            ends = [0.5 if estimator.binarize is None else float(estimator.binarize)]
        else:
            likely = estimator.feature_log_prob_[feature]
            ends = [float(np.nextafter(k, 0)) for k in range(1, likely.shape[1])]
        if len(likely) == 2:
            likely = np.array([likely[0] - likely[0], likely[1] - likely[0]])
        for column in range(_first_column(len(likely)), len(likely)):
            found.append(_staircase(column, feature, ends, likely[column]))
    return found


def _staircase(column: int, feature: int, ends: Sequence[float], values: np.ndarray) -> AddingTree:
    """Return the tree that gives values[k] where k of the ends, ascending, lie below the input."""
    spans, rows = [(0, len(ends))], []
    for low, high in spans:  # which grows
        if low == high:
            rows.append((-2, 0.0, -1, -1, values[low]))
            continue
        middle = (low + high) // 2
        rows.append((feature, ends[middle], len(spans), len(spans) + 1, 0.0))
        spans += [(low, middle), (middle + 1, high)]
    features, thresholds, left, right, value = (np.array(each) for each in zip(*rows, strict=True))
    return AddingTree(column, features, thresholds, left, right, value)


def _log_odds(estimator: Any) -> Callable[[np.ndarray], np.ndarray]:
    def raw(values: np.ndarray) -> np.ndarray:
        likely = np.asarray(estimator.predict_joint_log_proba(values))
        return likely[:, 1] - likely[:, 0] if likely.shape[1] == 2 else likely

    return raw
