"""Gradient boosting, linear classifiers, networks, naive Bayes and pipelines, held against scikit-learn's own."""

import numpy as np
import pandas as pd
import pytest
from dibble.inference.model import Model
from dibble_tools import convert
from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import to_readings
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

SMALL_MLP = MLPClassifier((8,), max_iter=200, random_state=0)
KINDS = {
    "gradient boosting": (GradientBoostingClassifier(n_estimators=12, random_state=0), "forest"),
    "histogram boosting": (HistGradientBoostingClassifier(max_iter=6, max_leaf_nodes=8), "forest"),
    "scaled trees": (make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)), "forest"),
    "scaled boosting": (
        make_pipeline(RobustScaler(), HistGradientBoostingClassifier(max_iter=6, max_leaf_nodes=8)),
        "forest",
    ),
    "logistic": (make_pipeline(StandardScaler(), LogisticRegression()), "mlp"),
    "logistic, twice scaled": (make_pipeline(MinMaxScaler(), make_pipeline(StandardScaler(), LinearSVC())), "mlp"),
    "ridge": (RidgeClassifier(), "mlp"),
    "stochastic": (make_pipeline(MaxAbsScaler(), SGDClassifier(random_state=0)), "mlp"),
    "multinomial bayes": (make_pipeline(MinMaxScaler(), MultinomialNB()), "mlp"),
    "network": (make_pipeline(StandardScaler(), SMALL_MLP), "mlp"),
    "deeper network": (make_pipeline(RobustScaler(), clone(SMALL_MLP).set_params(hidden_layer_sizes=(8, 6))), "mlp"),
    "gaussian bayes": (GaussianNB(), "additive"),
    "scaled bayes": (make_pipeline(StandardScaler(), "passthrough", GaussianNB()), "additive"),
}


def field(seed: int, classes: int, rows: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Return readings of four sensors of very different ranges, and labels that overlap a little."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    soil = np.round(200 + 180 * y + 60 * rng.normal(size=rows))
    warmth = np.round(12 + 3 * (y % 2) + 2.5 * rng.normal(size=rows), 1)
    gas = np.round(np.exp(11 + 0.4 * y + 0.3 * rng.normal(size=rows)))
    noise = np.round(101_325 + 900 * rng.normal(size=rows))
    return np.column_stack([np.abs(soil), warmth + 40, gas, noise]), y


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("name", KINDS)
def test_decisions_are_the_originals_and_how_far_off_is_told(name: str, classes: int) -> None:
    estimator, family = KINDS[name]
    x, y = field(classes, classes)
    names = np.array([f"state {k}" for k in range(classes)])[y]
    estimator = clone(estimator).fit(x[:350], names[:350])
    model = convert(estimator, x[:350])
    assert model.content.family_name == family
    assert Model(model.blob).self_test() == len(model.content.golden) > 0
    seen, unseen = (model.predict(part) == estimator.predict(part) for part in (x[:350], x[350:]))
    kind = type(estimator).__name__
    told = f"decides {int(seen.sum()):,} of 350 rows of X as {kind}.predict does ({seen.mean():.2%})"
    assert model.notes[-1] == told
    assert seen.mean() >= 0.99
    assert unseen.mean() >= 0.97
    model.cross_check(to_readings(x[350:], model.channels))


@pytest.mark.parametrize("kind", [GradientBoostingClassifier, HistGradientBoostingClassifier])
@pytest.mark.parametrize("scaled", [False, True])
def test_splits_of_boosted_trees_are_exact(kind: type, scaled: bool) -> None:
    """One tree has few leaves, which a byte says one by one: what is left are the splits."""
    x, y = field(9, 2, 800)
    size = {"n_estimators": 1} if kind is GradientBoostingClassifier else {"max_iter": 1, "min_samples_leaf": 3}
    own = kind(max_depth=5, learning_rate=1.0, random_state=0, **size)
    estimator = (make_pipeline(StandardScaler(), own) if scaled else own).fit(x, y)
    rng = np.random.default_rng(0)
    model = convert(estimator, x)
    near = x[rng.integers(0, len(x), 3000)]
    for i in range(4):  # between one row's values and another's, to each side of each threshold
        near[:, i] = rng.permutation(near[:, i]) + rng.integers(-1, 2, len(near)) * 10.0 ** model.channels[i].exponent
    near = near.clip(x.min(axis=0), x.max(axis=0))
    raw = estimator.decision_function(near)
    sure = np.abs(raw) > 0.05  # nearer, a rounded leaf may fall on the other side of 0
    assert sure.mean() > 0.9
    assert model.predict(near)[sure].tolist() == [str(int(r > 0)) for r in raw[sure]]


def test_boosting_fitted_with_missing_values_is_the_originals_on_whole_rows() -> None:
    x, y = field(4, 3)
    rng = np.random.default_rng(1)
    holed = np.where(rng.random(x.shape) < 0.15, np.nan, x)
    y = np.where(np.isnan(holed[:, 3]), 0, y)
    estimator = HistGradientBoostingClassifier(max_iter=10).fit(holed, y)
    assert any(np.isinf(p.nodes["num_threshold"]).any() for row in estimator._predictors for p in row)
    model = convert(estimator, holed)
    assert (model.predict(x) == estimator.predict(x).astype(str)).mean() >= 0.99
    assert "rows of X miss a reading" in model.notes[-2]


def test_a_data_frame_and_a_pipeline_go_together() -> None:
    x, y = field(6, 3)
    frame = pd.DataFrame(x, columns=["soil_permille", "air_c", "gas_ohm", "pressure_pa"])
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, y)
    model = convert(estimator, frame[frame.columns[::-1]], classes=["dry", "moist", "wet"], unsure_below=3)
    assert [channel.name for channel in model.channels] == list(frame.columns)
    assert model.classes == ("dry", "moist", "wet")
    assert model.content.unsure_below == 3


def test_a_constant_column_does_no_harm() -> None:
    x, y = field(7, 2)
    x[:, 3] = 5.0
    for estimator in (make_pipeline(StandardScaler(), LogisticRegression()), GaussianNB()):
        fitted = estimator.fit(x, y)
        assert (convert(fitted, x).predict(x) == fitted.predict(x).astype(str)).mean() >= 0.99


X, Y = field(8, 3, 120)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            KNeighborsClassifier(),
            "one of DecisionTreeClassifier, .* LGBMClassifier, in a Pipeline or not, got KNeighborsClassifier",
        ),
        (GridSearchCV(GaussianNB(), {}), "got GridSearchCV: take its best_estimator_"),
        (MLPClassifier((3,), activation="tanh", max_iter=5), "an MLPClassifier with activation='relu', got 'tanh'"),
        (make_pipeline(PCA(2), LogisticRegression()), "before the classifier, got PCA: what it computes"),
        (make_pipeline(MinMaxScaler(clip=True), LogisticRegression()), "a MinMaxScaler with clip=False"),
        (HistGradientBoostingClassifier(max_iter=2, categorical_features=[1]), "a categorical one, column 1"),
        (
            GradientBoostingClassifier(n_estimators=2, init=RandomForestClassifier(2)),
            "gradient boosting from a constant, got init=RandomForest",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_no_node_could_compute_is_refused(estimator: object, message: str) -> None:
    x = X.copy()
    x[:, 1] = np.arange(len(x)) % 7  # a categorical feature has few values
    with pytest.raises(InputError, match=message):
        convert(estimator.fit(x, Y), x)


def test_unfitted_pipelines_several_labels_and_no_whole_row_are_refused() -> None:
    with pytest.raises(InputError, match="call its fit"):
        convert(make_pipeline(StandardScaler(), LogisticRegression()), X)
    two = np.column_stack([Y > 0, Y > 1]).astype(int)
    for several in (RidgeClassifier(), DecisionTreeClassifier(), MLPClassifier((3,), max_iter=300)):
        with pytest.raises(InputError, match="expected one label a row"):
            convert(several.fit(X, two), X)
    holed = X.copy()
    holed[np.arange(len(X)), np.arange(len(X)) % 4] = np.nan
    with pytest.raises(InputError, match="a row of X that misses no reading"):
        convert(LogisticRegression(max_iter=10_000).fit(X[:, :] / 1e5, Y), holed)


def test_a_network_beyond_max_bytes_is_refused_with_a_way_on() -> None:
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    size = len(convert(estimator, X).blob)
    assert len(convert(estimator, X, max_bytes=size).blob) == size
    with pytest.raises(InputError, match=f"max_bytes of {size} or more for a LogisticRegression .*fewer columns"):
        convert(estimator, X, max_bytes=size - 1)


@pytest.mark.filterwarnings("ignore:column .* lie between")
def test_a_model_far_from_its_original_is_warned_of() -> None:
    """Columns over twelve decades are rounded to even steps, in which the small ones are all alike."""
    x = np.exp(np.random.default_rng(0).uniform(np.log(1e-4), np.log(1e8), (400, 2)))
    y = (x[:, 0] > x[:, 1]).astype(int)
    estimator = DecisionTreeClassifier(random_state=0).fit(x, y)
    with pytest.warns(
        UserWarning, match=r"decides \d+ of 400 rows of X as DecisionTreeClassifier.predict does .*decades"
    ):
        model = convert(estimator, x)
    alike = int((model.predict(x) == estimator.predict(x).astype(str)).sum())
    assert alike < 388
    assert model.notes[-1].startswith(f"decides {alike} of 400 rows")


def test_a_stray_far_off_is_warned_of_and_a_range_mends_it() -> None:
    x, y = field(3, 3)
    estimator = make_pipeline(RobustScaler(), LogisticRegression()).fit(x, y)
    x[0, 1] = 9e7
    with pytest.warns(UserWarning, match="give a column with strays a range"):
        convert(estimator, x)
    model = convert(estimator, x, channels=["x1=c:0.1:30:80"])
    assert (model.predict(x) == estimator.predict(x).astype(str)).sum() >= 495
