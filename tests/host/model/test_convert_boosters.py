"""XGBoost's and LightGBM's classifiers, and naive Bayes of features of a few values, held against their own predict."""

import lightgbm
import numpy as np
import pandas as pd
import pytest
from dibble.inference.model import Model
from dibble_tools import convert
from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import to_readings
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from xgboost import XGBClassifier, XGBRFClassifier

XGB = XGBClassifier(n_estimators=8, max_depth=3, n_jobs=1)
LGBM = LGBMClassifier(n_estimators=8, num_leaves=8, verbose=-1, n_jobs=1)
BAGGED = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}
KINDS = {
    "xgboost": XGB,
    "xgboost by loss": clone(XGB).set_params(grow_policy="lossguide", max_leaves=9, max_depth=0, gamma=0.5),
    "xgboost dart": clone(XGB).set_params(booster="dart", rate_drop=0.3, one_drop=True),
    "xgboost forest": XGBRFClassifier(n_estimators=7, max_depth=4, n_jobs=1),
    "xgboost scaled": make_pipeline(StandardScaler(), XGB),
    "lightgbm": LGBM,
    "lightgbm dart": clone(LGBM).set_params(boosting_type="dart"),
    "lightgbm forest": clone(LGBM).set_params(**BAGGED),
    "lightgbm scaled": make_pipeline(RobustScaler(), LGBM),
}
pytestmark = [
    pytest.mark.filterwarnings("ignore:X does not have valid feature names"),
    pytest.mark.filterwarnings("ignore:The argument 'eval_set' is deprecated"),
]


def field(seed: int, classes: int, rows: int = 900) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    soil = np.abs(np.round(200 + 180 * y + 80 * rng.normal(size=rows)))
    warmth = np.round(12 + 3 * (y % 2) + 2.5 * rng.normal(size=rows), 1)
    gas = np.round(np.exp(11 + 0.4 * y + 0.3 * rng.normal(size=rows)))
    return np.column_stack([soil, warmth, gas]), y


def agreement(model: object, estimator: object, x: np.ndarray) -> float:
    return float((model.predict(x) == np.asarray(estimator.predict(x)).astype(str)).mean())


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", KINDS)
def test_decisions_are_the_originals_on_rows_not_seen(name: str, classes: int) -> None:
    x, y = field(classes, classes)
    estimator = clone(KINDS[name]).fit(x[:300], y[:300])
    model = convert(estimator, x[:300])
    assert Model(model.blob).self_test() == len(model.content.golden) > 0
    assert agreement(model, estimator, x[:300]) >= 0.995
    assert agreement(model, estimator, x[300:]) >= 0.995
    assert f"of 300 rows of X as {type(estimator).__name__}.predict does" in model.notes[-1]
    model.cross_check(to_readings(x[300:], model.channels))


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("kind", [XGBClassifier, LGBMClassifier])
def test_splits_are_exact_at_and_beside_the_thresholds(kind: type, scaled: bool) -> None:
    """One tree has few leaves, which a byte says one by one: what is left are the splits."""
    x, y = field(9, 2)
    size = {"max_depth": 5} if kind is XGBClassifier else {"num_leaves": 24, "min_child_samples": 3, "verbose": -1}
    own = kind(n_estimators=1, learning_rate=1.0, n_jobs=1, **size)
    estimator = (make_pipeline(StandardScaler(), own) if scaled else own).fit(x, y)
    model = convert(estimator, x)
    rng = np.random.default_rng(0)
    near = x[rng.integers(0, len(x), 3000)]
    for i in range(3):
        near[:, i] = rng.permutation(near[:, i]) + rng.integers(-1, 2, len(near)) * 10.0 ** model.channels[i].exponent
    near = near.clip(x.min(axis=0), x.max(axis=0))
    sure = np.abs(np.asarray(estimator.predict_proba(near))[:, 1] - 0.5) > 0.02
    assert sure.mean() > 0.9
    assert agreement(model, estimator, near[sure]) == 1


@pytest.mark.parametrize("kind", [XGB, LGBM])
def test_what_was_fitted_with_missing_values_is_the_original_on_whole_rows(kind: object) -> None:
    """Splits that only set missing ones apart, and either direction of them."""
    x, y = field(4, 3)
    rng = np.random.default_rng(1)
    holed = np.where(rng.random(x.shape) < 0.2, np.nan, x)
    y = np.where(np.isnan(holed[:, 2]), 0, y)
    estimator = clone(kind).fit(holed, y)
    model = convert(estimator, holed)
    assert agreement(model, estimator, x) >= 0.99
    assert set(model.predict(holed)[np.isnan(holed).any(axis=1)].tolist()) == {""}
    assert "rows of X miss a reading" in model.notes[-2]


def test_early_stopping_leaves_the_rounds_that_predict_uses() -> None:
    x, y = field(1, 3, 1500)
    rest = {"eval_set": [(x[500:800], y[500:800])]}
    xgb = XGBClassifier(n_estimators=80, early_stopping_rounds=2, n_jobs=1).fit(x[:500], y[:500], verbose=False, **rest)
    assert xgb.best_iteration + 1 < xgb.get_booster().num_boosted_rounds()
    assert agreement(convert(xgb, x[:500]), xgb, x[800:]) >= 0.995
    stop = [lightgbm.early_stopping(2, verbose=False)]
    lgbm = LGBMClassifier(n_estimators=80, verbose=-1, n_jobs=1).fit(x[:500], y[:500], callbacks=stop, **rest)
    assert lgbm.best_iteration_ < 80
    assert agreement(convert(lgbm, x[:500]), lgbm, x[800:]) >= 0.995


@pytest.mark.parametrize("kind", [XGB, LGBM])
def test_a_data_frames_columns_are_matched_by_name(kind: object) -> None:
    x, y = field(6, 3)
    frame = pd.DataFrame(x, columns=["soil_permille", "air_c", "gas_ohm"])
    fitted = clone(kind).fit(frame, y)
    model = convert(fitted, frame[frame.columns[::-1]], classes=["dry", "moist", "wet"])
    assert [channel.name for channel in model.channels] == list(frame.columns)
    assert model.classes == ("dry", "moist", "wet")
    assert float(model.notes[-1].rpartition("(")[2].rstrip("%)")) >= 99.5
    assert [c.name for c in convert(clone(kind).fit(x, y), frame).channels] == list(frame.columns)


@pytest.mark.parametrize("classes", [2, 3])
def test_naive_bayes_of_a_few_values_is_as_near_as_a_byte_of_evidence(classes: int) -> None:
    rng = np.random.default_rng(classes)
    y = rng.integers(0, classes, 800)
    on = (rng.random((800, 5)) < rng.random((classes, 5))[y]).astype(float)
    kinds = np.column_stack([rng.integers(0, 3, 800) + 2 * (y > 0), on[:, 0]])
    wide, _ = field(classes, classes, 800)
    for estimator, x in (
        (BernoulliNB(), on),
        (BernoulliNB(binarize=None), on),
        (BernoulliNB(binarize=300.0), wide),
        (CategoricalNB(min_categories=7), kinds),
        (ComplementNB(), on),
    ):
        fitted = estimator.fit(x[:500], y[:500])
        assert agreement(convert(fitted, x[:500]), fitted, x) >= 0.99


X, Y = field(8, 3, 150)
COARSE = np.tile(np.column_stack([X[:, 0], np.arange(len(X)) % 5, X[:, 2]]), (4, 1))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (XGBClassifier(missing=-999), "XGBClassifier with missing=nan, got -999"),
        (XGBClassifier(booster="gblinear"), "an XGBClassifier of trees, got booster='gblinear'"),
        (XGBClassifier(multi_strategy="multi_output_tree"), "got multi_strategy='multi_output_tree'"),
        (LGBMClassifier(zero_as_missing=True), "zero_as_missing=False, got True"),
        (LGBMClassifier(linear_tree=True), "got linear_tree=True"),
    ],
)
def test_what_no_node_could_compute_is_refused(estimator: object, message: str) -> None:
    fitted = estimator.set_params(n_estimators=2, **({"verbose": -1} if isinstance(estimator, LGBMClassifier) else {}))
    with pytest.raises(InputError, match=message):
        convert(fitted.fit(X, Y), X)


def test_categories_several_labels_and_boosters_are_refused() -> None:
    frame = pd.DataFrame(COARSE, columns=["soil", "kind", "gas"]).astype({"kind": int}).astype({"kind": "category"})
    for one in (XGBClassifier(n_estimators=4, enable_categorical=True), clone(LGBM)):
        with pytest.raises(InputError, match="a categorical one, column 1: fit without it"):
            convert(one.fit(frame, (COARSE[:, 1] > 2).astype(int)), COARSE)
    with pytest.raises(InputError, match="expected one label a row"):
        convert(clone(XGB).fit(X, np.column_stack([Y > 0, Y > 1]).astype(int)), X)
    with pytest.raises(InputError, match=r"binary:logistic.*got 'binary:hinge'"):
        convert(clone(XGB).set_params(objective="binary:hinge").fit(X, (Y > 0).astype(int)), X)
    with pytest.raises(InputError, match="got Booster: own = XGBClassifier"):
        convert(clone(XGB).fit(X, Y).get_booster(), X)
    with pytest.raises(InputError, match="got Booster: fit it as an LGBMClassifier"):
        convert(clone(LGBM).fit(X, Y).booster_, X)
    for one in (XGBClassifier(), LGBMClassifier()):
        with pytest.raises(InputError, match="call its fit"):
            convert(one, X)
