"""How good decisions are: accuracy, macro-F1, confusion, and what "unsure" is worth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import confusion_matrix, f1_score

from dibble_tools.model.decisions import FLAG_NAMES, Decisions, names_of

MARGIN_LEVELS = 24


@dataclass(frozen=True)
class Scores:
    """Figures over the rows on which a class was decided."""

    rows: int
    accuracy: float
    macro_f1: float

    def to_json(self) -> dict[str, float | int]:
        """Return the figures, rounded to what they mean."""
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}


def score(y_true: np.ndarray, y_pred: np.ndarray) -> Scores:
    """Return the figures of answers against the true ones, both arrays of class names."""
    if not len(y_true):
        return Scores(0, float("nan"), float("nan"))
    present = np.unique(y_true)
    macro = f1_score(y_true, y_pred, labels=present, average="macro", zero_division=0)
    return Scores(len(y_true), float(np.mean(y_true == y_pred)), float(macro))


def evaluation(y_true: np.ndarray, decisions: Decisions, classes: Sequence[str]) -> dict[str, object]:
    """Return everything `dibble evaluate` tells, as JSON-ready values.

    Rows without a decision, as of a sensor's fault, count among the flags only.
    The confusion matrix has a row a true class and a column a decided class, in the order of `labels`.
    """
    y_pred = names_of(decisions, classes)
    decided = y_pred != ""
    trusted = decisions.flags == 0
    labels = [*classes, *sorted(set(y_true) - set(classes))]
    result: dict[str, object] = dict(score(y_true[decided], y_pred[decided]).to_json())
    result["trusted"] = {"share": _share(trusted), **score(y_true[trusted], y_pred[trusted]).to_json()}
    result["flags"] = {name: int((decisions.flags >> i & 1).sum()) for i, name in enumerate(FLAG_NAMES)}
    result["labels"] = labels
    matrix = confusion_matrix(y_true[decided], y_pred[decided], labels=labels) if decided.any() else []
    result["confusion"] = np.asarray(matrix).tolist()
    result["classes"] = {
        name: {
            "rows": int((decided & (y_true == name)).sum()),
            "recall": _share(y_pred[decided & (y_true == name)] == name),
            "precision": _share(y_true[decided & (y_pred == name)] == name),
        }
        for name in labels
    }
    return result


def _share(mask: np.ndarray) -> float | None:
    return round(float(np.mean(mask)), 4) if len(mask) else None


def unsure_below(margins: np.ndarray, correct: np.ndarray, sure: float) -> tuple[float, list[dict[str, float]]]:
    """Choose the margin under which a decision is flagged unsure.

    Args:
        margins: of decisions on validation rows.
        correct: whether each was right.
        sure: the chance of being right from which on a decision counts as sure.
    Returns:
        (threshold, table): the smallest margin whose chance of being right, made monotonic, is at
        least `sure` (at most the highest margin seen; 0 where that is the lowest one); and for up to
        MARGIN_LEVELS margins the share of rows with at least it (coverage) and the accuracy on them.
    """
    levels = np.unique(margins)
    chance = IsotonicRegression(increasing=True).fit(margins, correct.astype(float)).predict(levels)
    good = levels[chance >= sure]
    threshold = float(good[0]) if len(good) else float(levels[-1])
    shown = (
        levels if len(levels) <= MARGIN_LEVELS else np.unique(np.quantile(margins, np.linspace(0, 1, MARGIN_LEVELS)))
    )
    table = []
    for level in shown:
        kept = margins >= level
        figures = {"margin": level, "coverage": kept.mean(), "accuracy": correct[kept].mean()}
        table.append({name: round(float(value), 4) for name, value in figures.items()})
    return (0.0 if threshold == levels[0] else threshold), table


def number_figures(y: np.ndarray, said: np.ndarray, spread: float) -> dict[str, Any]:
    """Return mean absolute error, root mean square error, R2 and the share of numbers within the spread."""
    if not len(y):
        return {"rows": 0}
    off = np.abs(y - said)
    variance = float(np.mean((y - np.mean(y)) ** 2))
    return {
        "rows": len(y),
        "mae": round(float(np.mean(off)), 6),
        "rmse": round(float(np.sqrt(np.mean(off**2))), 6),
        "r2": round(1 - float(np.mean(off**2)) / variance, 4) if variance else None,
        "within": round(float(np.mean(off <= spread)), 4),
    }
