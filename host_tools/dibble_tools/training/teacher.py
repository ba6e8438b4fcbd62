"""The teacher: the best float classifier without limits, and what it thinks of rows that it hadn't seen."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from dibble_tools.common import portable
from dibble_tools.training.teachers import CANDIDATES, SOFT

Folds = Sequence[tuple[np.ndarray, np.ndarray]]

BLEND = "blend"
BLEND_OF = 3  # candidates
SOFT_CANDIDATES = ("logistic", "extra trees")  # that students learn from
QUICK_CANDIDATES = ("logistic", "quick trees")  # that they learn from while recipes are searched
SOFT_ROWS = 6000  # a fit of theirs sees at most so many
SOFT_STEPS = 256  # of a soft label: what libm's exp says otherwise on another computer vanishes
WEIGHT_STEPS = 64  # of a row's weight: trees grow on sums that are exact
LN2 = 0.6931471805599453
POWERS = (-3.0, 3.0)  # of 2: the least and the largest distill_temperature
NARROWINGS = 20
FLOOR = 1e-4  # a forest's 0 means "in none of my trees", not "never"


@dataclass(frozen=True)
class Member:
    """A fitted candidate whose probabilities are calibrated by its distill_temperature."""

    name: str
    estimator: BaseEstimator
    classes: int
    distill_temperature: float

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities (rows, K) of feature values (rows, features)."""
        return calibrated(_probabilities(self.estimator, values, self.classes), self.distill_temperature)


@dataclass(frozen=True)
class Teacher:
    """The winner of the candidates, fitted on all rows it was given.

    Attributes:
        name: a key of `CANDIDATES`, or "blend".
        members: one, or those whose mean the blend is.
        distill_temperature: of the blend's mean; 1 for a single member.
        soft: (rows, K) calibrated probabilities of the rows given to `fit_teacher`, in whole 1/256, each by
            estimators that hadn't seen the row; of a row that no fold judges, by the final ones.
        scores: candidate -> {accuracy, std (of the folds' accuracies), log_loss (calibrated),
            log_loss_raw, distill_temperature}, over the rows that the folds judge. Log losses are
            weighted; rows of a class that wasn't there to learn from don't count.
        notes: what is worth telling.
    """

    name: str
    members: list[Member]
    distill_temperature: float
    soft: np.ndarray
    scores: dict[str, dict[str, float]]
    notes: list[str]

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities (rows, K) of feature values (rows, features)."""
        mean = np.mean([member.predict_proba(values) for member in self.members], axis=0)
        return mean if len(self.members) == 1 else calibrated(mean, self.distill_temperature)

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Return the index of each row's most probable class."""
        return self.predict_proba(values).argmax(axis=1)


def fit_teacher(
    values: np.ndarray,
    y: np.ndarray,
    classes: int,
    weights: np.ndarray,
    folds: Folds,
    *,
    seed: int,
    jobs: int,
    budget_s: float | None,
    progress: Callable[[str], None] = lambda step: None,
    max_rows: int = 20_000,
    now: Callable[[], float] = time.monotonic,
) -> Teacher:
    """Return the candidate, or the blend of the best, with the lowest calibrated log-loss out of fold.

    Args:
        values: feature values (rows, features).
        y: class indices; a class may be missing, here or in a fold.
        classes: number of classes, K.
        weights: (rows,), mean about 1.
        folds: (fit, held_out) positions into the rows, each row judged once at most.
        jobs: threads; or workers of the joblib backend that is active.
        budget_s: a candidate that can't start within it is left out; the first always starts; None: all do.
        progress: called with a few words as candidates come in. An interrupt after the first ends the search.
        max_rows: a single fit sees at most so many rows, of each class its share.
        now: the clock that the budget goes by.
    """
    fitting = _Fitting(values, y, _on_grid(weights), classes, seed, max_rows)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*have been cancelled", UserWarning)  # after an interrupt, as it should be
        warnings.filterwarnings("ignore", "Using the fractional value", UserWarning)  # of few rows, a forest takes half
        raw, notes = _cross_validate(fitting, tuple(CANDIDATES), folds, jobs, budget_s, progress, now)
        soft, scores, winner, names = _best(raw, y, weights, folds)
        progress(f"teacher: fitting {', '.join(names)} on all rows")
        everything = np.arange(len(y))
        estimators = Parallel(jobs, prefer="threads")(delayed(fitting.on)(name, everything) for name in names)
    members = [
        Member(name, estimator, classes, scores[name]["distill_temperature"])
        for name, estimator in zip(names, estimators, strict=True)
    ]
    distill_temperature = scores[winner]["distill_temperature"]
    teacher = Teacher(winner, members, distill_temperature, soft, scores, notes)
    rest = np.setdiff1d(everything, np.concatenate([held_out for _, held_out in folds]))
    if len(rest):
        teacher.soft[rest] = _in_steps(teacher.predict_proba(values[rest]))
    return teacher


def soft_labels(
    values: np.ndarray,
    y: np.ndarray,
    classes: int,
    weights: np.ndarray,
    folds: Folds,
    *,
    seed: int,
    quick: bool = False,
    max_rows: int = SOFT_ROWS,
) -> np.ndarray:
    """Return (rows, K) what quick teachers think of rows, each fitted without the rows that it tells of.

    They stay the same however little time there is: students learn from these, and are judged so.

    Args:
        values, y, classes, weights, folds, seed, max_rows: see `fit_teacher`; the folds judge all rows.
        quick: by fewer trees.
    Returns:
        calibrated probabilities in whole 1/256; a row of a class that its teacher never saw keeps its label.
    """
    fitting = _Fitting(values, y, _on_grid(weights), classes, seed, max_rows)
    with threadpool_limits(1):
        raw, _ = _cross_validate(
            fitting, QUICK_CANDIDATES if quick else SOFT_CANDIDATES, folds, 1, None, lambda step: None, time.monotonic
        )
    return _best(raw, y, weights, folds)[0]


def _on_grid(weights: np.ndarray) -> np.ndarray:
    return np.maximum(np.rint(weights * WEIGHT_STEPS), 1) / WEIGHT_STEPS


def _best(
    raw: dict[str, np.ndarray], y: np.ndarray, weights: np.ndarray, folds: Folds
) -> tuple[np.ndarray, dict[str, dict[str, float]], str, list[str]]:
    """Return (soft labels, scores, the best candidate or the blend, its members) of probabilities out of fold.

    Adds the blend to `raw`, fold after fold as the others are.
    """
    judged = np.concatenate([held_out for _, held_out in folds])
    known = np.concatenate([np.isin(y[held_out], y[fit]) for fit, held_out in folds])
    counted = weights[judged] * known if known.any() else weights[judged]
    fold = np.repeat(np.arange(len(folds)), [len(held_out) for _, held_out in folds])
    scores = {name: _score(p, y[judged], counted, fold) for name, p in raw.items()}
    best = sorted(scores, key=lambda name: scores[name]["log_loss"])[:BLEND_OF]
    if len(best) > 1:
        parts = [calibrated(raw[name], scores[name]["distill_temperature"]) for name in best]
        raw[BLEND] = np.mean(parts, axis=0)
        scores[BLEND] = _score(raw[BLEND], y[judged], counted, fold)
    winner = min(scores, key=lambda name: scores[name]["log_loss"])
    classes = raw[winner].shape[1]
    soft = np.zeros((len(y), classes))
    soft[judged] = _in_steps(calibrated(raw[winner], scores[winner]["distill_temperature"]))
    soft[judged[~known]] = np.eye(classes)[y[judged[~known]]]
    return soft, scores, winner, best if winner == BLEND else [winner]


def _cross_validate(
    fitting: "_Fitting",
    names: Sequence[str],
    folds: Folds,
    jobs: int,
    budget_s: float | None,
    progress: Callable[[str], None],
    now: Callable[[], float],
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return candidate -> probabilities of the judged rows, fold after fold, and notes."""
    raw: dict[str, np.ndarray] = {}
    skipped: list[str] = []
    notes = []
    end = np.inf if budget_s is None else now() + budget_s
    tasks = _tasks(fitting, names, folds, lambda: now() > end, skipped)
    results = Parallel(jobs, prefer="threads", pre_dispatch=jobs, batch_size=1, return_as="generator")(tasks)
    try:
        for name in names:
            parts = []
            for i, part in zip(range(len(folds)), results, strict=False):
                parts.append(part)
                progress(f"teacher: {name}, {i + 1} of {len(folds)}")
            if parts:
                raw[name] = np.concatenate(parts)
    except KeyboardInterrupt:
        if not raw:
            raise
        notes.append(f"teacher: interrupted, chosen among {', '.join(raw)}")
    if skipped and budget_s is not None:
        notes.append(f"teacher: {', '.join(skipped)} not tried: their {budget_s:.0f} s were over")
    return raw, notes


def calibrated(probabilities: np.ndarray, distill_temperature: float) -> np.ndarray:
    """Return probabilities (rows, K) flattened (> 1) or sharpened (< 1); rows sum to 1.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, eq. (9).
    """
    return portable.softmax(portable.log(np.maximum(probabilities, FLOOR)) / distill_temperature)


def log_loss(probabilities: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted mean of -log of the true class's probability, in nats."""
    true = np.maximum(probabilities[np.arange(len(y)), y], FLOOR)
    return -portable.dot(portable.log(true), weights) / float(weights.sum())


def fit_distill_temperature(probabilities: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Return the distill_temperature, 1/8 to 8, with the lowest log-loss."""
    logs = portable.log(np.maximum(probabilities, FLOOR))

    def loss(power: float) -> float:
        nats = portable.log_softmax(logs / _power_of_2(power))[np.arange(len(y)), y]
        return -portable.dot(nats, weights)

    low, high = POWERS
    for _ in range(NARROWINGS):  # the loss has one valley: by thirds
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return _power_of_2((low + high) / 2)


def _power_of_2(power: float) -> float:
    return float(portable.exp(np.array(power * LN2)))


def _in_steps(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities in whole steps; what rounding leaves over goes to the largest of a row."""
    steps = np.rint(probabilities * SOFT_STEPS)
    rows = np.arange(len(steps))
    steps[rows, steps.argmax(axis=1)] += SOFT_STEPS - steps.sum(axis=1)
    return steps / SOFT_STEPS


@dataclass(frozen=True)
class _Fitting:
    """What every fit has in common."""

    values: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    classes: int
    seed: int
    max_rows: int

    def on(self, name: str, rows: np.ndarray) -> BaseEstimator:
        """Return the candidate fitted on some rows, with weights where it takes them."""
        if len(rows) > self.max_rows:
            rows = _stratified(rows, self.y[rows], self.max_rows, self.seed)
        one_class = len(np.unique(self.y[rows])) == 1
        estimator = DummyClassifier() if one_class else (SOFT | CANDIDATES)[name](self.y[rows], self.seed)
        last, prefix = estimator, ""
        if isinstance(estimator, Pipeline):
            step, last = estimator.steps[-1]
            prefix = f"{step}__"
        more = {}
        # MLPClassifier takes weights since scikit-learn 1.7; boosting's bins take ten times as long with them.
        if has_fit_parameter(last, "sample_weight") and np.ptp(self.weights) > 0:
            more[f"{prefix}sample_weight"] = self.weights[rows]
        with threadpool_limits(1):  # the same sums in the same order, whatever the machine
            return estimator.fit(self.values[rows], self.y[rows], **more)

    def unseen(self, name: str, fit: np.ndarray, held_out: np.ndarray) -> np.ndarray:
        """Return the candidate's probabilities (rows, K) of `held_out`, fitted on `fit`."""
        return _probabilities(self.on(name, fit), self.values[held_out], self.classes)


def _tasks(
    fitting: _Fitting, names: Sequence[str], folds: Folds, is_late: Callable[[], bool], skipped: list[str]
) -> Iterator[object]:
    """Yield the fits of each candidate that starts in time; joblib asks for the next when a worker is free."""
    for i, name in enumerate(names):
        if i and is_late():
            skipped.append(name)
            continue
        for fit, held_out in folds:
            yield delayed(fitting.unseen)(name, fit, held_out)


def _probabilities(estimator: BaseEstimator, values: np.ndarray, classes: int) -> np.ndarray:
    """Return probabilities (rows, K), 0 for a class that the estimator never saw."""
    full = np.zeros((len(values), classes))
    with threadpool_limits(1):
        full[:, estimator.classes_] = estimator.predict_proba(values)
    return full


def _stratified(rows: np.ndarray, y: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Return `most` of the rows, of each class its share: spread evenly over the rows sorted by class."""
    shuffled = np.random.default_rng(seed).permutation(len(rows))
    by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
    return np.sort(rows[by_class[np.arange(most) * len(rows) // most]])


def _score(raw: np.ndarray, y: np.ndarray, weights: np.ndarray, fold: np.ndarray) -> dict[str, float]:
    """Return the figures of one candidate's probabilities out of fold; see `Teacher.scores`."""
    distill_temperature = fit_distill_temperature(raw, y, weights)
    right = raw.argmax(axis=1) == y
    return {
        "accuracy": float(right.mean()),
        "std": float(np.std([right[fold == i].mean() for i in np.unique(fold)])),
        "log_loss": log_loss(calibrated(raw, distill_temperature), y, weights),
        "log_loss_raw": log_loss(raw, y, weights),
        "distill_temperature": distill_temperature,
    }
