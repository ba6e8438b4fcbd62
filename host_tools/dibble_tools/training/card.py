"""The model card: what a model was made from, how, and how good it is; card.json beside model.dib."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from dibble import __version__
from dibble.inference.decision import NOVEL

from dibble_tools.families.additive.tables import AdditiveTables
from dibble_tools.model.content import Content
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.host_model import MODEL_FILE
from dibble_tools.model.metrics import evaluation
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.training.cross_validation import Tried
from dibble_tools.training.insight import importance, learning_curve, shortcut_check
from dibble_tools.training.result import Clock, Training
from dibble_tools.training.stages import stage_table
from dibble_tools.training.students import fit_student
from dibble_tools.training.tuner import front

CHECKS_SHARE = 0.9  # no check for shortcuts and no learning curve is begun when so much of the budget is used
FRONT_SHOWN = 200


def make_card(t: Training, clock: Clock, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Return the card of a freshly trained model as JSON-ready values.

    Accuracies are over the held-out rows without a missing reading, the same rows for each, and the
    integer evaluator's wherever the stage is of integers.
    """
    labels = t.data.ds.labels
    assert labels is not None
    progress("judging on the rows held out", clock.used())
    readings = t.data.readings[:, t.about.kept(t.student.columns)]
    decisions = t.model.decide(readings, t.data.elapsed_ms)
    test = t.data.split.test
    subset = Decisions(*decisions.columns()[test].T)
    names, counts = np.unique(labels, return_counts=True)
    progress("measuring every stage, with instruction counts on the 32-bit VM", clock.used())
    teacher_name = f"the best of {', '.join(t.teacher.scores)}: {t.teacher.name}, floats, unlimited"
    stages = stage_table(t.student, t.model, (teacher_name, t.teacher.predict), t.about, t.held_out)
    return {
        "made_by": f"dibble {__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        "name": t.model.content.name,
        "model": {
            "file": MODEL_FILE,
            "family": t.chosen.recipe.family,
            "recipe": str(t.chosen.recipe),
            "bytes": len(t.model.blob),
            "sha256": hashlib.sha256(t.model.blob).hexdigest(),
            "golden_vectors": len(t.model.content.golden),
        },
        "data": {
            "file": t.path.name,
            "sha256": t.data.ds.sha256,
            "rows": len(labels),
            "rows_with_a_missing_reading": int((~t.data.whole).sum()),
            "label": t.options.data.label,
            "time": t.options.data.time,
            "group": t.options.data.group,
            "rows_of_each_class": {str(n): int(c) for n, c in zip(names, counts, strict=True)},
        },
        "split": {"how": t.data.split.how, "train_rows": int((~test).sum()), "test_rows": int(test.sum())},
        "options": {"balance": t.options.balance, "seed": t.options.data.seed, "budget_s": t.options.budget_s},
        "costs": _costs(t),
        "limits": {
            "max_bytes": t.options.limits.max_bytes,
            "max_heap": t.options.limits.max_heap,
            "max_us": t.options.limits.max_us,
            "board": t.options.limits.board or None,
        },
        "teacher": {"chosen": t.teacher.name, "candidates": t.teacher.scores},
        "front": _front(t),
        "stages": stages,
        "unsure": {
            "below_margin": t.model.content.unsure_below,
            "margin_unit": t.student.margin_unit,
            "sure": t.options.sure,
            "chosen_on": "cross-validation inside the training part",
        },
        "coverage": t.margins,
        "novelty": _novelty(t, subset),
        "held_out": {
            "float_reference": {"what": teacher_name, **_figures(stages[0])},
            "integer_model": {"what": "what the node computes", **evaluation(labels[test], subset, t.model.classes)},
        },
        **_insight(t, clock, progress),
        "shapes": _shapes(t),
        "notes": t.data.notes,
    }


def _figures(stage: dict[str, Any]) -> dict[str, Any]:
    return {name: stage[name] for name in ("accuracy", "macro_f1", "expected_cost")}


def _costs(t: Training) -> dict[str, float] | None:
    if not t.options.costs:
        return None
    names = t.held_out.classes
    matrix = t.held_out.costs.matrix
    return {f"{names[i]}:{names[j]}": float(matrix[i, j]) for i, j in np.argwhere(matrix != 1 - np.eye(len(names)))}


def _front(t: Training) -> list[dict[str, Any]]:
    """Return every recipe tried, the chosen one's neighbours in rank first, as rows for a table or picture."""
    best = {id(tried) for tried in front(t.tried)}

    def row(tried: Tried) -> dict[str, Any]:
        return {
            "family": tried.recipe.family,
            "recipe": str(tried.recipe),
            "features": tried.recipe.features,
            "bytes": tried.bytes,
            "accuracy": round(tried.accuracy, 4),
            "cost": round(tried.cost, 4),
            "surprise": round(tried.surprise, 4),
            "instructions": tried.estimate.instructions,
            "heap": tried.estimate.heap,
            "fits": tried.fits,
            "on_front": id(tried) in best,
            "chosen": tried is t.chosen,
        }

    return [row(tried) for tried in t.tried[:FRONT_SHOWN]]


def _novelty(t: Training, held_out: Decisions) -> dict[str, Any] | None:
    if t.novelty is None:
        return None
    return {
        "rate": t.novelty.rate,
        "flagged_held_out": round(float(np.mean(held_out.flags & NOVEL > 0)), 4),
        "bytes": t.model.content.novelty_bytes,
    }


def _shapes(t: Training) -> list[dict[str, Any]] | None:
    """Return what each feature of an additive model adds to each class's score, in nats."""
    if not isinstance(t.student.tables, AdditiveTables):
        return None
    shapes = []
    few = t.lesson.columns(t.student.columns)
    for feature, values, curves in t.student.tables.shapes(few.limits):
        i = t.student.columns[feature]
        channel = t.about.channels[t.about.features[i].channel if t.about.features else i]
        step = channel.mantissa * 10.0**channel.exponent
        shapes.append(
            {
                "channel": channel.name,
                "feature": str(t.about.features[i]) if t.about.features else "last",
                "unit": channel.unit,
                "values": [round((few.lows[feature] + int(v)) * step, 9) for v in values],
                "scores": {
                    name: [round(float(s), 3) for s in curve]
                    for name, curve in zip(t.held_out.classes, curves, strict=True)
                },
            }
        )
    return shapes


def _insight(t: Training, clock: Clock, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Return what the model leans on; what there was no time for is None."""
    seed = t.options.data.seed
    if not len(t.held_out.truth):
        return {}
    progress("shuffling each channel", clock.used())
    drops = importance(t.model.content, t.student.columns, t.about, t.held_out, seed)
    result: dict[str, Any] = {"importance": drops}
    if clock.used() < CHECKS_SHARE:
        progress("checking for shortcuts", clock.used())
        without, alone, warning = shortcut_check(t.lesson, t.about, t.held_out, [row["channel"] for row in drops], seed)
        result |= {"without_channel": without, "only_channel": alone, "shortcut": warning}
    if clock.used() < CHECKS_SHARE:
        progress("drawing the learning curve", clock.used())
        model = t.model.content
        accuracy = [
            float(np.mean(_decide(model, t.student.columns, part.values) == part.truth))
            for part in (t.held_out, t.lesson)
        ]
        result["learning_curve"] = learning_curve(
            lambda rows: _taught(t, rows), t.lesson, t.held_out, (accuracy[0], accuracy[1]), seed
        )
    return result


def _taught(t: Training, rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return how a student of the chosen recipe decides that was taught with some rows only."""
    student = fit_student(t.chosen.recipe, t.lesson.rows(rows), t.task.order, t.options.data.seed)
    model = content_of(t.about.smallest_blob(student))
    return lambda values: _decide(model, student.columns, values)


def _decide(model: Content, columns: tuple[int, ...], values: np.ndarray) -> np.ndarray:
    return class_scores(model, values[:, list(columns)]).argmax(axis=1)
