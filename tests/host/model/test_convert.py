"""Bring your own: a fitted scikit-learn classifier becomes a model that decides as its trees vote."""

import numpy as np
import pandas as pd
import pytest
from dibble.inference.model import Model
from dibble_tools import convert
from dibble_tools.common.errors import InputError
from dibble_tools.families.forest.trees import hard_votes
from dibble_tools.model.host_model import HostModel
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

KINDS = (DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier)


def made_up(seed: int, columns: int, classes: int, *, rows: int = 400, decimals: int = 0, scale: float = 1000.0):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(scale / 3, scale, (rows, columns)), decimals)
    y = np.argsort(np.argsort(x[:, 0] + x[:, -1] * rng.random(rows))) * classes // rows
    return x, y


def check(estimator: object, fitted_on: object, x: object) -> HostModel:
    """Compare class and margin with the trees' votes on every row of x, values the model was made for."""
    model = convert(estimator, fitted_on)
    values = np.asarray(x, dtype=np.float64)
    votes = hard_votes(estimator, values)
    expected = votes.argmax(axis=1)
    assert model.predict(values).tolist() == [str(estimator.classes_[i]) for i in expected]
    assert Model(model.blob).self_test() == len(model.content.golden) > 0
    return model


@pytest.mark.parametrize("decimals", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_decimals_are_exact(kind: type, decimals: int) -> None:
    x, y = made_up(decimals, 4, 5, decimals=decimals, scale=100.0)
    model = check(kind(random_state=0).fit(x[:300], y[:300]), x, x)
    assert {c.exponent for c in model.channels} == {-decimals}


@pytest.mark.parametrize("kind", KINDS)
def test_ohms_are_exact(kind: type) -> None:
    rng = np.random.default_rng(1)
    x = np.round(np.exp(rng.uniform(np.log(100), np.log(12_900_000), (500, 3))))
    y = (x[:, 0] > 50_000).astype(int) + (x[:, 1] > 300_000) + rng.integers(0, 2, 500)
    check(kind(random_state=0).fit(x, y), x, x)


def test_values_at_and_beside_the_thresholds_are_exact() -> None:
    x, y = made_up(2, 1, 6, decimals=1, scale=50.0)
    tree = DecisionTreeClassifier(random_state=0).fit(x, y)
    at = np.floor(tree.tree_.threshold[tree.tree_.feature >= 0] * 10)
    beside = np.concatenate([at - 1, at, at + 1]).reshape(-1, 1) / 10
    check(tree, x, beside)


@pytest.mark.parametrize("classes", [2, 3, 22])
def test_classes_are_exact(classes: int) -> None:
    x, y = made_up(3, 5, classes)
    check(RandomForestClassifier(9, random_state=0).fit(x, y), x, x)


def test_columns_of_a_data_frame_become_channels() -> None:
    x, y = made_up(4, 3, 2, decimals=1)
    frame = pd.DataFrame(x, columns=["soil_permille", "temp (c)", "gas"])
    model = check(RandomForestClassifier(5, random_state=0).fit(frame, y), frame, frame)
    assert [(c.name, c.unit) for c in model.channels] == [("soil_permille", "permille"), ("temp (c)", "c"), ("gas", "")]


def test_columns_of_an_array_are_numbered() -> None:
    x, y = made_up(5, 3, 2)
    model = convert(DecisionTreeClassifier(random_state=0).fit(x, y), x)
    assert [c.name for c in model.channels] == ["x0", "x1", "x2"]


def test_lists_of_ints_are_taken() -> None:
    x = [[1, 5], [2, 6], [3, 7], [4, 8]]
    check(DecisionTreeClassifier().fit(x, [0, 0, 1, 1]), x, x)


def test_missing_readings_are_sensor_faults() -> None:
    x, y = made_up(6, 3, 2)
    estimator = RandomForestClassifier(5, random_state=0).fit(x, y)
    holed = x.copy()
    holed[7, 1] = np.nan
    holed[9] = np.nan
    model = convert(estimator, holed)
    whole = ~np.isnan(holed).any(axis=1)
    found = model.predict(holed)
    assert found[~whole].tolist() == ["", ""]
    votes = hard_votes(estimator, x[whole])
    assert found[whole].tolist() == [str(c) for c in votes.argmax(axis=1)]


def test_constant_columns_are_kept() -> None:
    x, y = made_up(7, 3, 2, decimals=1)
    x[:, 1] = 21.5
    model = check(RandomForestClassifier(5, random_state=0).fit(x, y), x, x)
    assert [c.name for c in model.channels] == ["x0", "x1", "x2"]


def test_column_without_any_reading_is_kept() -> None:
    x, y = made_up(8, 3, 2)
    estimator = DecisionTreeClassifier(random_state=0).fit(x, y)
    holed = x.copy()
    holed[:, 2] = np.nan
    model = convert(estimator, holed)
    assert len(model.channels) == 3
    assert set(model.predict(holed).tolist()) == {""}


def test_constant_answer_is_a_model() -> None:
    x, _ = made_up(9, 2, 2)
    model = check(RandomForestClassifier(3, random_state=0).fit(x, np.full(len(x), "ok")), x, x)
    assert model.classes == ("ok",)


def test_class_names_come_from_the_labels() -> None:
    x, y = made_up(10, 2, 3)
    names = np.array(["wet", "dry", "soaked"])[y]
    assert check(DecisionTreeClassifier(random_state=0).fit(x, names), x, x).classes == ("dry", "soaked", "wet")


def test_class_names_can_be_given() -> None:
    x, y = made_up(11, 2, 3)
    tree = DecisionTreeClassifier(random_state=0).fit(x, y)
    model = convert(tree, x, classes=["a", "b", "ü"], name="mine", unsure_below=2)
    assert model.classes == ("a", "b", "ü")
    assert (model.content.name, model.content.unsure_below) == ("mine", 2)


@pytest.mark.parametrize("classes", [["a", "b"], ["a", "b", "b"], ["a", "b", "c", "d"]])
def test_wrong_class_names_are_refused(classes: list[str]) -> None:
    x, y = made_up(12, 2, 3)
    with pytest.raises(InputError, match="expected 3 different class names, got"):
        convert(DecisionTreeClassifier(random_state=0).fit(x, y), x, classes=classes)


def test_channel_option_sets_unit_resolution_and_range() -> None:
    x, y = made_up(13, 2, 2, scale=300)
    x = np.abs(x)
    frame = pd.DataFrame(x, columns=["soil", "gas"])
    model = convert(DecisionTreeClassifier(random_state=0).fit(frame, y), frame, channels=["soil=permille:1:0:5000"])
    soil = model.channels[0]
    assert (soil.unit, soil.mantissa, soil.exponent, soil.low, soil.high) == ("permille", 1, 0, 0, 5000)


def test_channel_option_for_no_column_is_refused() -> None:
    x, y = made_up(14, 2, 2)
    with pytest.raises(InputError, match="expected a column of X, got 'soil'"):
        convert(DecisionTreeClassifier(random_state=0).fit(x, y), x, channels=["soil=permille:1"])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((4, 3)), "expected X with 2 columns, as fitted; got 3"),
        (np.zeros(4), r"expected X with rows and columns, got an array of shape \(4,\)"),
        (np.zeros((0, 2)), r"expected X with rows and columns, got an array of shape \(0, 2\)"),
        (np.zeros((2, 2, 2)), "expected X with rows and columns"),
        ([["a", "b"]], "expected X of numbers"),
        ([[1, 2], [3, np.inf]], "expected finite numbers in X, got inf in row 1, column 1"),
    ],
)
def test_wrong_x_is_refused(x: object, message: str) -> None:
    fitted_on, y = made_up(15, 2, 2)
    with pytest.raises(InputError, match=message):
        convert(DecisionTreeClassifier(random_state=0).fit(fitted_on, y), x)


def test_estimators_that_are_no_such_classifier_are_refused() -> None:
    x, y = made_up(16, 2, 2)
    with pytest.raises(InputError, match="call its fit"):
        convert(RandomForestClassifier(), x)
    with pytest.raises(InputError, match="got DecisionTreeRegressor"):
        convert(DecisionTreeRegressor().fit(x, y), x)


def test_more_than_a_hundred_classes_are_refused() -> None:
    x = np.arange(303.0).reshape(-1, 1)
    with pytest.raises(InputError, match="expected at most 100 classes, got 101"):
        convert(DecisionTreeClassifier().fit(x, x[:, 0] // 3), x)


def test_a_forest_is_pruned_to_the_bytes_asked_for() -> None:
    x, y = load_digits(return_X_y=True)
    forest = RandomForestClassifier(10, max_leaf_nodes=100, random_state=3).fit(x[:1200], y[:1200])
    whole, pruned = convert(forest, x[:1200]), convert(forest, x[:1200], max_bytes=4200)
    assert 4100 < len(pruned.blob) <= 4200 < len(whole.blob)
    right = [int((m.predict(x[1200:]) == y[1200:].astype(str)).sum()) for m in (whole, pruned)]
    assert right[1] >= right[0] - 6, "of 597: within a hundredth"
    assert Model(pruned.blob).self_test() == len(pruned.content.golden) > 0


def test_a_forest_that_fits_is_not_pruned() -> None:
    x, y = made_up(3, 4, 3)
    forest = RandomForestClassifier(5, max_leaf_nodes=8, random_state=0).fit(x, y)
    assert convert(forest, x, max_bytes=len(convert(forest, x).blob)).blob == convert(forest, x).blob


def test_fewer_bytes_than_a_model_without_splits_takes_are_refused() -> None:
    x, y = made_up(3, 4, 3)
    forest = RandomForestClassifier(5, max_leaf_nodes=8, random_state=0).fit(x, y)
    with pytest.raises(InputError, match=r"max_bytes of \d+ or more, for not even a split, got 40"):
        convert(forest, x, max_bytes=40)


def test_a_split_that_only_sets_missing_values_apart_sends_all_readings_its_way() -> None:
    x = np.array([[1.0, 2, np.nan, np.nan, 3, 4]]).T
    model = convert(DecisionTreeClassifier().fit(x, list("aabbaa")), x)
    assert model.predict([[1], [2], [3], [4]]).tolist() == ["a", "a", "a", "a"]
    assert model.notes[0].startswith("2 of 6 rows of X miss a reading: on the node that is a sensor fault")
    assert model.notes[1] == "decides 4 of 4 rows of X as DecisionTreeClassifier.predict does (100.00%)"


@pytest.mark.parametrize("max_bytes", [None, 1200])
@pytest.mark.parametrize("seed", range(10))
def test_forests_fitted_with_missing_values_are_exact_on_whole_rows(seed: int, max_bytes: int | None) -> None:
    rng = np.random.default_rng(seed)
    x, y = made_up(seed, 4, 3, decimals=seed % 3, rows=300)
    holed = np.where(rng.random(x.shape) < 0.2, np.nan, x)
    y = np.where(np.isnan(holed[:, 1]), y % 2, y)  # what is missing tells something, so that trees ask for it
    kind = (RandomForestClassifier, ExtraTreesClassifier)[seed % 2]
    forest = kind(7, max_depth=6, random_state=seed).fit(holed, y)
    apart = sum(int(np.isinf(tree.tree_.threshold).sum()) for tree in forest.estimators_)
    assert apart or kind is ExtraTreesClassifier, "no split sets missing values apart: these data test nothing"
    model = convert(forest, holed, max_bytes=max_bytes)
    if max_bytes is None:
        assert model.predict(x).tolist() == [str(c) for c in hard_votes(forest, x).argmax(axis=1)]
    else:
        assert len(model.blob) <= max_bytes
        assert Model(model.blob).self_test() > 0


@pytest.mark.parametrize("column", [np.arange(40) * 1e9 + 2**31 + 1, 10.0 ** np.linspace(-4, 8, 40)])
def test_a_column_that_is_rounded_is_told(column: np.ndarray) -> None:
    x = np.column_stack([column, np.arange(40)])
    y = np.arange(40) % 2
    with pytest.warns(UserWarning, match=r"column 'x0': \d+ of 40 values lie between the steps of .*rounded"):
        model = convert(DecisionTreeClassifier(random_state=0).fit(x[:, :1], y), x[:, :1])
    alike = int((model.predict(x[:, :1]) == y.astype(str)).sum())
    told = f"decides {alike} of 40 rows of X as DecisionTreeClassifier.predict does ({alike / 40:.2%})"
    assert model.notes[-1].startswith(told)
    assert ("take the logarithm" in model.notes[-1]) == (alike < 0.97 * 40)
    assert model.notes[-1] in repr(model)


def test_columns_of_a_data_frame_are_taken_by_name() -> None:
    x, y = made_up(20, 3, 2)
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    forest = RandomForestClassifier(5, random_state=0).fit(frame, y)
    mixed = frame.assign(d=1.0)[["c", "d", "a", "b"]]
    assert convert(forest, mixed).blob == convert(forest, frame).blob
    with pytest.raises(InputError, match="with the columns it was fitted on, got none named 'b'"):
        convert(forest, frame[["a", "c"]])
