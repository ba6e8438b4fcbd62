"""What a model leans on: importance of each channel, a check for shortcuts, and whether more rows would help."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from dibble_tools.model.content import Content
from dibble_tools.model.oracle import class_scores
from dibble_tools.training.naming import About
from dibble_tools.training.stages import HeldOut
from dibble_tools.training.training_set import TrainingSet

SHUFFLES = 3
MOST_CHANNELS = 16  # a check for shortcuts retrains for each channel: of the most important ones
CHECK_ROWS = 3000
CARRIES = 0.9  # of the gain over always saying the commonest class: one channel that reaches it alone is suspect
CHECK_TREES, QUICK_TREES = 20, 5
SHARES = (0.125, 0.25, 0.5)


def importance(
    model: Content, columns: Sequence[int], about: About, held_out: HeldOut, seed: int
) -> list[dict[str, Any]]:
    """Return the accuracy lost when a channel's features are shuffled over the held-out rows, largest first.

    Args:
        columns: the data set's features that it uses, in order.
    """
    rng = np.random.default_rng(seed)
    values = held_out.values[:, list(columns)]
    whole = np.mean(class_scores(model, values).argmax(axis=1) == held_out.y_true)
    drops = []
    for channel in about.kept(columns):
        mine = [k for k, i in enumerate(columns) if channel in (about.features[i].channels if about.features else (i,))]
        lost = []
        for _ in range(SHUFFLES):
            shuffled = values.copy()
            shuffled[:, mine] = values[rng.permutation(len(values))][:, mine]
            lost.append(whole - np.mean(class_scores(model, shuffled).argmax(axis=1) == held_out.y_true))
        drops.append({"channel": about.channels[channel].name, "drop": round(float(np.mean(lost)), 4)})
    return sorted(drops, key=lambda row: -row["drop"])


def shortcut_check(
    data: TrainingSet, about: About, held_out: HeldOut, channels: Sequence[str], seed: int, *, thorough: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], str | None]:
    """Return accuracies without each channel and of each alone, and a warning where one carries the result.

    Each is a small forest fitted anew on the training rows, judged on the held-out ones.

    Args:
        channels: names, the most important first.
        thorough: with more trees, and without each channel, too, which takes longer than with each alone.
    """
    trees = CHECK_TREES if thorough else QUICK_TREES
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(data.y_true))[:CHECK_ROWS]
    names = [channel.name for channel in about.channels]
    of = [f.channels for f in about.features] or [(i,) for i in range(len(names))]

    common = float(np.mean(held_out.y_true == np.bincount(data.y_true).argmax()))

    def accuracy(features: np.ndarray) -> float:
        if not features.any():
            return common
        forest = ExtraTreesClassifier(trees, min_samples_leaf=3, max_features=None, random_state=seed)
        forest.fit(data.values[rows][:, features], data.y_true[rows], data.weights[rows])
        return float(np.mean(forest.predict(held_out.values[:, features]) == held_out.y_true))

    if len(names) < 2 or not len(held_out.y_true):
        return [], [], None
    whole = accuracy(np.ones(len(of), dtype=bool))
    others: list[dict[str, Any]] = []
    alone: list[dict[str, Any]] = []
    for name in channels[:MOST_CHANNELS]:
        mine = np.array([names.index(name) in channels for channels in of])
        if thorough:
            others.append({"channel": name, "accuracy": round(accuracy(~mine), 4)})
        alone.append({"channel": name, "accuracy": round(accuracy(mine), 4)})
    best = max(alone, key=lambda row: row["accuracy"])
    warning = None
    if whole - common > 0.02 and best["accuracy"] - common >= CARRIES * (whole - common):
        warning = (
            f"{best['channel']} alone reaches {100 * best['accuracy']:.1f} % where all channels together reach "
            f"{100 * whole:.1f} %: make sure that it will mean the same in the field, and isn't a shortcut of how "
            "the data were collected"
        )
    return others, alone, warning


def learning_curve(
    fit: Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]],
    data: TrainingSet,
    held_out: HeldOut,
    whole: tuple[float, float],
    seed: int,
) -> list[dict[str, Any]]:
    """Return the accuracy of students taught with a part of the rows.

    Args:
        fit: row positions -> values -> decided class indices.
        whole: accuracy on held-out and on training rows of the student taught with all.
    """
    order = np.random.default_rng(seed).permutation(len(data.y_true))
    curve = []
    for share in SHARES:
        rows = order[: round(share * len(order))]
        if len(rows) < 50 or len(np.unique(data.y_true[rows])) < data.classes:
            continue
        decide = fit(rows)
        curve.append(
            {
                "rows": len(rows),
                "accuracy": round(float(np.mean(decide(held_out.values) == held_out.y_true)), 4),
                "train_accuracy": round(float(np.mean(decide(data.values[rows]) == data.y_true[rows])), 4),
            }
        )
    return [*curve, {"rows": len(order), "accuracy": round(whole[0], 4), "train_accuracy": round(whole[1], 4)}]
