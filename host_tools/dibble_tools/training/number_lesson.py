"""Numbers to learn as soft labels: the scale between the two, what students are taught, and what they say of rows."""

from dataclasses import dataclass

import numpy as np

from dibble_tools.data.channels import Channel, to_values
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.training.folds import SEARCH_ROWS, Learner, order_of
from dibble_tools.training.recipes import Recipe
from dibble_tools.training.students import Student
from dibble_tools.training.training_set import TrainingSet

STEEP = 2.5  # of z at the end of the scale: steps of the score are fine enough, and noise bends it little


@dataclass(frozen=True)
class Scale:
    """From numbers to shares: `middle` is a half, `reach` further is sigmoid(STEEP)."""

    middle: float
    reach: float

    def targets(self, numbers: np.ndarray) -> np.ndarray:
        """Return soft labels (rows, 2) of numbers."""
        z = STEEP * np.clip((numbers - self.middle) / self.reach, -1.5, 1.5)
        share = 1 / (1 + np.exp(-z))
        return np.column_stack([1 - share, share])


@dataclass(frozen=True)
class Round:
    """One round of cross-validation: rows to learn from, rows to score, and what is learned from the former."""

    fit: np.ndarray
    score: np.ndarray
    training_set: TrainingSet
    order: list[int]


@dataclass(frozen=True)
class Tried:
    """A recipe, cross-validated.

    Attributes:
        rows: of the data set that were scored; said: what models said of them that hadn't learned from them.
        error: root mean square, in the target's unit.
        bytes: of the largest round's model file.
    """

    recipe: Recipe
    rows: np.ndarray
    said: np.ndarray
    error: float
    bytes: int
    fits: bool


@dataclass(frozen=True)
class Lesson:
    """All that rows, a scale and a target make of a data set."""

    learner: Learner
    numbers: np.ndarray
    scale: Scale
    channel: Channel

    @property
    def step(self) -> float:
        """What a step of the target is, in its unit."""
        return float(to_values(np.array(1), self.channel))

    def training_set(self, rows: np.ndarray) -> TrainingSet:
        """Return what students learn from of some rows."""
        data = self.learner.data
        targets = self.scale.targets(self.numbers[rows])
        weights = np.ones(len(rows), np.float64)
        return TrainingSet(data.values[rows], data.limits, data.lows, targets, self.learner.y[rows], weights)

    def round(self, fit: np.ndarray, score: np.ndarray) -> Round:
        """Return a round of cross-validation."""
        training_set = self.training_set(fit)
        return Round(fit, score, training_set, order_of(training_set))

    def some(self, each: Round) -> Round:
        """Return the same round learning from some of its rows, enough to tell recipes apart."""
        if len(each.fit) <= SEARCH_ROWS:
            return each
        few = np.sort(np.random.default_rng(0).permutation(each.fit)[:SEARCH_ROWS])
        return self.round(few, each.score)

    def straight(self, student: Student, blob: bytes, rows: np.ndarray) -> tuple[float, float]:
        """Return the number of a lead of 0 and what a lead of 1 adds: the line of least squares over some rows."""
        lead, y = self.lead(student, blob, rows), self.numbers[rows]
        if np.ptp(lead) == 0:
            return float(np.mean(y)), 1e-6 * self.step
        slope = float(np.cov(lead, y, bias=True)[0, 1] / np.var(lead))
        return float(np.mean(y) - slope * np.mean(lead)), max(slope, 1e-6 * self.step)

    def lead(self, student: Student, blob: bytes, rows: np.ndarray) -> np.ndarray:
        """Return by how much the second class leads, for some rows, as the model file's tables have it."""
        scores = class_scores(content_of(blob), self.learner.data.values[rows][:, list(student.columns)])
        return (scores[:, 1] - scores[:, 0]).astype(np.float64)
