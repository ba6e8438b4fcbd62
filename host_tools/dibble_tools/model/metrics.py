"""How good decisions are: accuracy, macro-F1, confusion, and what "unsure" is worth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

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


def score(truth: np.ndarray, answer: np.ndarray) -> Scores:
    """Return the figures of answers against the truth, both arrays of class names."""
    if not len(truth):
        return Scores(0, float("nan"), float("nan"))
    present = np.unique(truth)
    macro = f1_score(truth, answer, labels=present, average="macro", zero_division=0)
    return Scores(len(truth), float(np.mean(truth == answer)), float(macro))


def evaluation(truth: np.ndarray, decisions: Decisions, classes: Sequence[str]) -> dict[str, object]:
    """Return everything `dibble evaluate` tells, as JSON-ready values.

    The confusion matrix has a row a true class and a column a decided class, in the order of `labels`.
    """
    answer = names_of(decisions, classes)
    decided = answer != ""
    trusted = decisions.flags == 0
    labels = [*classes, *sorted(set(truth) - set(classes))]
    result: dict[str, object] = dict(score(truth[decided], answer[decided]).to_json())
    result["trusted"] = {"share": _share(trusted), **score(truth[trusted], answer[trusted]).to_json()}
    result["flags"] = {name: int((decisions.flags >> i & 1).sum()) for i, name in enumerate(FLAG_NAMES)}
    result["labels"] = labels
    matrix = confusion_matrix(truth[decided], answer[decided], labels=labels) if decided.any() else []
    result["confusion"] = np.asarray(matrix).tolist()
    result["classes"] = {
        name: {
            "rows": int((truth == name).sum()),
            "recall": _share(answer[decided & (truth == name)] == name),
            "precision": _share(truth[decided & (answer == name)] == name),
        }
        for name in labels
    }
    return result


def _share(mask: np.ndarray) -> float | None:
    return round(float(np.mean(mask)), 4) if len(mask) else None


def unsure_below(margins: np.ndarray, right: np.ndarray, sure: float) -> tuple[float, list[dict[str, float]]]:
    """Choose the margin under which a decision is flagged unsure.

    Args:
        margins: of decisions on validation rows.
        right: whether each was right.
        sure: the chance of being right from which on a decision counts as sure.
    Returns:
        (threshold, table): the smallest margin whose chance of being right, made monotonic, is at
        least `sure` (at most the highest margin seen; 0 where that is the lowest one); and for up to
        MARGIN_LEVELS margins the share of rows with at least it (coverage) and the accuracy on them.
    """
    levels = np.unique(margins)
    chance = IsotonicRegression(increasing=True).fit(margins, right.astype(float)).predict(levels)
    good = levels[chance >= sure]
    threshold = float(good[0]) if len(good) else float(levels[-1])
    shown = (
        levels if len(levels) <= MARGIN_LEVELS else np.unique(np.quantile(margins, np.linspace(0, 1, MARGIN_LEVELS)))
    )
    table = []
    for level in shown:
        kept = margins >= level
        figures = {"margin": level, "coverage": kept.mean(), "accuracy": right[kept].mean()}
        table.append({name: round(float(value), 4) for name, value in figures.items()})
    return (0.0 if threshold == levels[0] else threshold), table
