"""A scikit-learn estimator: what it fits is a model file, and what it predicts is what a node decides."""

import html
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from dibble_tools.common.errors import InputError
from dibble_tools.common.portable import softmax
from dibble_tools.data.channels import to_readings
from dibble_tools.data.column_channels import column_channels, parse_channel_option
from dibble_tools.data.splits import MAX_CLASSES
from dibble_tools.model.evaluator import feature_values
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.oracle import scorer
from dibble_tools.training.naming import About
from dibble_tools.training.ranking import rank_features
from dibble_tools.training.recipes import parse_recipe
from dibble_tools.training.result import DEFAULT_BYTES
from dibble_tools.training.students import fit_student
from dibble_tools.training.training_set import TrainingSet

MOST_FEATURES = 255
SEED_BITS = 31


class DibbleClassifier(ClassifierMixin, BaseEstimator):
    """A classifier in integer tables, for Pipeline, cross_val_score and GridSearchCV.

    It fits one recipe, straight from the labels: a search over recipes is GridSearchCV's, or `dibble_tools.train`'s,
    which also distills from a teacher. It needs no scaler in front: the model's channels would be what that one gives,
    and the node would have to compute it. Columns of a DataFrame become channels of their names.

    Args:
        recipe: such as "boosted:12x3", "voting:7x16", "additive:16+3" or "mlp:12"; "@8" behind it takes the 8 most
            telling columns, else all are.
        max_bytes: of the model file; None: any size.
        channels: `--channel` options for the columns, by name: "soil=permille:1"; arrays have x0, x1, ...
        name: the model's.
        random_state: int, RandomState or None.
    Attributes:
        export_: HostModel, the model file: `export_.save("model.dib")`.
        classes_, n_features_in_, feature_names_in_: as in scikit-learn.
        columns_: of X that the model has as its channels, in order.
        notes_: what is worth telling of the fit.
    """

    def __init__(
        self,
        recipe: str = "boosted:12x3",
        *,
        max_bytes: int | None = DEFAULT_BYTES,
        channels: tuple[str, ...] = (),
        name: str = "model",
        random_state: Any = None,
    ) -> None:
        self.recipe = recipe
        self.max_bytes = max_bytes
        self.channels = channels
        self.name = name
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> "DibbleClassifier":
        """Fit the model file to rows of readings, none missing, and their labels.

        Raises:
            ValueError: something in X, y or the parameters has to change; the message says what.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, y_true = np.unique(y, return_inverse=True)
        try:
            self._fit(X, y_true)
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    def _fit(self, X: np.ndarray, y_true: np.ndarray) -> None:
        labels = [str(label) for label in self.classes_]
        if not 2 <= len(labels) <= MAX_CLASSES:
            raise InputError(f"expected labels of 2 to {MAX_CLASSES} classes, got {len(labels)} class")
        names = getattr(self, "feature_names_in_", None)
        columns = [f"x{i}" for i in range(X.shape[1])] if names is None else [str(name) for name in names]
        options = [parse_channel_option(text) for text in self.channels]
        channels, self.notes_ = column_channels(columns, X, options)
        readings = to_readings(X, channels)
        lows = [channel.low for channel in channels]
        learned = TrainingSet(
            readings - np.array(lows),
            [channel.high - channel.low for channel in channels],
            lows,
            np.eye(len(labels))[y_true],
            y_true,
            np.ones(len(X)),
        )
        every = min(X.shape[1], MOST_FEATURES)
        recipe = parse_recipe(self.recipe if "@" in self.recipe else f"{self.recipe}@{every}")
        order = list(range(X.shape[1]))
        if recipe.features < len(order):
            order = rank_features(
                learned.values, learned.limits, lows, learned.targets, learned.weights, most=recipe.features
            )
        seed = int(check_random_state(self.random_state).randint(2**SEED_BITS - 1))
        student = fit_student(recipe, learned, order, seed)
        about = About(self.name, channels, [], labels, 0, readings, None)
        blob = about.blob(about.spec(student.tables, student.columns), student.columns)
        if self.max_bytes is not None and len(blob) > self.max_bytes:
            raise InputError(
                f"expected a model within max_bytes={self.max_bytes:,}, got {len(blob):,} bytes of recipe "
                f"{recipe}: take a smaller recipe, or allow more"
            )
        self.notes_ += student.notes
        self.columns_ = about.kept(student.columns)
        self.export_ = HostModel(blob, self.notes_)
        self._margin_unit = student.margin_unit

    def predict(self, X: Any) -> np.ndarray:
        """Return the class that a node decides for each row."""
        readings = self._readings(X)
        return self.classes_[self.export_.decide(readings).class_index]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return each class's chance (rows, classes): the softmax of its scores."""
        readings = self._readings(X)
        content = self.export_.content
        lows, highs = (np.array([getattr(c, end) for c in content.channels]) for end in ("low", "high"))
        scores = scorer(content)(feature_values(content, np.clip(readings, lows, highs) - lows))
        return softmax(np.asarray(scores).T / self._margin_unit)

    def _readings(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return to_readings(X[:, self.columns_], self.export_.channels)

    def _html_repr(self) -> str:
        """Return the estimator as scikit-learn shows it, below what its model file is."""
        shown = super()._html_repr()
        if not hasattr(self, "export_"):
            return shown
        lines = "<br>".join(html.escape(line) for line in repr(self.export_).strip("<>").splitlines())
        return f"<p>{lines}</p>{shown}"
