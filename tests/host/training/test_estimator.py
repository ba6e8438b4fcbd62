"""DibbleClassifier is an estimator as scikit-learn's own tools expect one, and predicts as its model file decides."""

import pickle

import numpy as np
import pandas as pd
import pytest
from dibble.inference.model import Model
from dibble_tools import DibbleClassifier, HostModel
from dibble_tools.data.channels import to_readings
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator

RECIPES = ["boosted:6x3", "voting:5x8", "additive:8+1", "mlp:4"]
X, Y = load_wine(return_X_y=True, as_frame=True)
NAMES = np.array(["red", "rosé", "white"])[Y]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_own_checks_pass() -> None:
    """All of them: none is expected to fail. What it skips, it skips by itself, for want of a package or a method."""
    found = check_estimator(DibbleClassifier("boosted:3x3", max_bytes=None, random_state=0), on_fail=None)
    assert [each["check_name"] for each in found if each["status"] not in ("passed", "skipped")] == []
    assert sum(each["status"] == "passed" for each in found) > 40


@pytest.mark.parametrize("recipe", RECIPES)
def test_it_predicts_what_the_firmware_decides(recipe: str) -> None:
    fitted = DibbleClassifier(recipe, max_bytes=None, random_state=0).fit(X[::2], NAMES[::2])
    others = X[1::2]
    node = Model(fitted.export_.blob)
    assert node.self_test() > 0
    kept = others.to_numpy()[:, fitted.columns_]
    decided = [node.predict(row).class_index for row in to_readings(kept, fitted.export_.channels).tolist()]
    predicted = fitted.predict(others)
    assert predicted.tolist() == [fitted.classes_[i] for i in decided]
    assert (predicted == NAMES[1::2]).mean() > 0.85
    chances = fitted.predict_proba(others)
    assert np.allclose(chances.sum(axis=1), 1)
    assert fitted.classes_[chances.argmax(axis=1)].tolist() == predicted.tolist()
    assert [channel.name for channel in fitted.export_.channels] == [X.columns[i] for i in fitted.columns_]


def test_it_works_in_pipelines_cross_validation_and_grid_search() -> None:
    scores = cross_val_score(make_pipeline(MinMaxScaler(), DibbleClassifier("voting:5x8", random_state=0)), X, Y, cv=3)
    assert scores.mean() > 0.85
    grid = {"recipe": ["boosted:1x2@1", "boosted:6x3@4"]}
    search = GridSearchCV(DibbleClassifier(random_state=0), grid, cv=3).fit(X, Y)
    assert search.best_params_ == {"recipe": "boosted:6x3@4"}
    assert isinstance(search.best_estimator_.export_, HostModel)
    assert len(search.best_estimator_.columns_) <= 4


def test_columns_of_a_frame_are_held_to_their_names() -> None:
    fitted = DibbleClassifier("voting:3x6", random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="same order"):
        fitted.predict(X[X.columns[::-1]])


def test_channels_and_name_go_into_the_file_which_pickles() -> None:
    frame = pd.DataFrame({"soil": np.arange(60), "air": np.arange(60) % 7})
    fitted = DibbleClassifier("voting:5x4", channels=("soil=permille:1:0:1000",), name="plot", random_state=0).fit(
        frame, frame["soil"] > 30
    )
    soil = fitted.export_.channels[0]
    assert (fitted.export_.content.name, soil.unit, soil.low, soil.high) == ("plot", "permille", 0, 1000)
    again = pickle.loads(pickle.dumps(fitted))
    assert again.export_.blob == fitted.export_.blob
    assert again.predict(frame).tolist() == fitted.predict(frame).tolist()
    assert (again.predict(frame) == (frame["soil"] > 30)).mean() > 0.9


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_bytes": 300}, r"a model within max_bytes=300, got \d+ bytes of recipe boosted:12x3@13"),
        ({"recipe": "oak"}, "expected mlp:16@8"),
        ({"channels": ("moon=c:1",)}, "expected a column of X, got 'moon'"),
    ],
)
def test_wrong_parameters_are_told(parameters: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DibbleClassifier(**parameters).fit(X, Y)


def test_a_notebook_shows_the_model_file() -> None:
    fitted = DibbleClassifier("voting:3x6", name="<wine>", random_state=0).fit(X, Y)
    shown = fitted._repr_mimebundle_()["text/html"]
    assert shown.startswith("<p>HostModel &#x27;&lt;wine&gt;&#x27;: forest,")
    assert f"{len(fitted.export_.blob):,} bytes" in shown
    assert "sk-" in DibbleClassifier()._repr_mimebundle_()["text/html"]
