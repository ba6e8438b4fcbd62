"""The model card: what a model was made from, how, and how good it is; card.json beside model.dib."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from dibble import __version__
from dibble.inference.decision import NOVEL, OUT_OF_RANGE
from dibble.inference.features import feature_zero
from dibble.inference.fixed_point import MISSING
from dibble.inference.ratios import STEPS

from dibble_tools.families.additive.tables import AdditiveTables
from dibble_tools.model.content import Content
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.host_model import MODEL_FILE
from dibble_tools.model.metrics import evaluation
from dibble_tools.model.metrics import score as share_right
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.report.verdict import verdict_of
from dibble_tools.training.cross_validation import Candidate
from dibble_tools.training.dropouts import dropped
from dibble_tools.training.each_group import each_group
from dibble_tools.training.insight import importance, learning_curve, shortcut_check
from dibble_tools.training.intervals import interval
from dibble_tools.training.result import Clock, Training
from dibble_tools.training.scan_steps import scan_steps
from dibble_tools.training.stages import stage_table
from dibble_tools.training.students import fit_student
from dibble_tools.training.tuner import front

CHECKS_SHARE = 0.9  # nothing is trained without a channel, and no learning curve begun, when so much is used
FRONT_SHOWN = 200
SCAN_S, SCAN_SHARE = 30.0, 0.2  # what a choice of a scan's steps may take
FOREIGN_SHARE = 0.1  # of rows out of range, from which on the rows held out are unlike those of training
REFIT = "the same recipe fitted on the training rows alone: nothing can judge a model on rows that it learned from"


def make_card(t: Training, clock: Clock, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Return the card of a freshly trained model as JSON-ready values.

    Accuracies are over the held-out rows without a missing reading, the same rows for each, and the
    integer evaluator's wherever the stage is of integers. They are of the model of the training rows;
    where the shipped one learned from all rows, "refit" says so.
    """
    labels = t.data.ds.labels
    assert labels is not None
    progress("judging on the rows held out", clock.used())
    readings = t.data.readings[:, t.about.kept(t.judged.student.columns)]
    model, shipped = t.judged.model, t.shipped.model
    decisions = model.decide(readings, t.data.elapsed_ms)
    test = t.data.split.test
    scored = test & t.data.whole  # the rows of every table here: a row with a missing reading isn't decided
    subset = Decisions(*decisions.columns()[scored].T)
    names, counts = np.unique(labels, return_counts=True)
    progress("measuring every stage, with instruction counts on the 32-bit VM", clock.used())
    teacher_name = f"the best of {', '.join(t.teacher.scores)}: {t.teacher.name}, floats, unlimited"
    stages = stage_table(t.judged.student, model, (teacher_name, t.teacher.predict), t.about, t.held_out)
    t.data.notes.extend([*_never_decided(t, subset), *_foreign(t, subset, readings[scored])])
    card = {
        "made_by": f"dibble {__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        "name": shipped.content.name,
        "model": {
            "file": MODEL_FILE,
            "family": t.chosen.recipe.family,
            "recipe": str(t.chosen.recipe),
            "bytes": len(shipped.blob),
            "sha256": hashlib.sha256(shipped.blob).hexdigest(),
            "golden_vectors": len(shipped.content.golden),
        },
        "data": {
            "file": t.path.name,
            "sha256": t.data.ds.sha256,
            "rows": len(labels),
            "rows_with_a_missing_reading": int((~t.data.whole).sum()),
            "label": t.options.data.label,
            "when": t.options.data.when or None,
            "ahead_s": t.options.data.ahead_ms / 1000 or None,
            "time": t.options.data.time,
            "group": t.options.data.group,
            "rows_of_each_class": {str(n): int(c) for n, c in zip(names, counts, strict=True)},
        },
        "split": {
            "how": t.data.split.how,
            "train_rows": int(t.data.split.train.sum()),
            "test_rows": int(test.sum()),
            "scored_rows": int(scored.sum()),
            "same_recording": list(t.data.split.same_recording),
        },
        "refit": None if t.shipped is t.judged else {"rows": t.shipped.rows, "accuracy_of": REFIT},
        "options": {
            "balance": t.balance,
            "optimize": t.task.objective,
            "seed": t.options.data.seed,
            "budget_s": t.options.budget_s,
        },
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
            "below_margin": shipped.content.unsure_below,
            "margin_unit": t.shipped.student.margin_unit,
            "sure": t.options.sure,
            "chosen_on": "cross-validation inside the training part",
        },
        "coverage": t.margins,
        "novelty": _novelty(t, subset),
        "cross_validated": _cross_validated(t),
        "held_out": {
            "float_reference": {"what": teacher_name, **_figures(stages[0])},
            "integer_model": {
                "what": "what the node computes",
                **evaluation(labels[scored], subset, model.classes),
                "interval": _held_out_interval(t),
            },
        },
        "persistence": _persistence(t, scored),
        "each_group": _each_group(t, np.flatnonzero(scored), subset),
        "without_reading": _without_reading(t, subset, t.data.readings[scored]),
        **_insight(t, clock, progress),
        "shapes": _shapes(t),
        "scan": _scan(t, clock, progress),
        "notes": t.data.notes,
    }
    said = verdict_of(card)
    return {**card, "verdict": said.to_json() if said else None}


def _scan(t: Training, clock: Clock, progress: Callable[[str, float], None]) -> dict[str, Any] | None:
    """Return which steps of a heater scan matter; None where there is none."""
    if not t.pools:
        return None
    progress("which steps of the scan matter", clock.used())
    labels = t.data.ds.labels
    assert labels is not None
    y = np.unique(labels, return_inverse=True)[1]
    budget_s = min(SCAN_S, SCAN_SHARE * t.options.budget_s)
    return scan_steps(t.data, y, t.pools, t.options.data.profile, t.options.data.seed, budget_s)


def _persistence(t: Training, scored: np.ndarray) -> dict[str, Any] | None:
    """Return how good it is to say that it stays as it is, where labels are of the time ahead."""
    ds = t.data.ds
    if ds.now is None or ds.labels is None or not scored.any():
        return None
    return dict(share_right(ds.labels[scored], ds.now[scored]).to_json())


def _each_group(t: Training, rows: np.ndarray, held_out: Decisions) -> dict[str, Any] | None:
    crossed = t.chosen.predictions
    correct = held_out.class_index == t.held_out.y_true
    return each_group(t.data, t.options.data.group, (crossed.rows, crossed.correct), (rows, correct))


def _without_reading(t: Training, held_out: Decisions, readings: np.ndarray) -> dict[str, Any] | None:
    """Return what the model decides when a channel is missing; None where nothing stands in for one.

    Args:
        held_out: decisions on the rows held out, as they come; readings: of these rows, of all channels.
    """
    if not t.absences:
        return None
    content, columns = t.judged.model.content, t.judged.student.columns
    kept = t.about.kept(columns)
    missing = (readings[:, kept] == MISSING).any(axis=1)
    rows = []
    for one in (t.absences[i] for i in kept):
        row = {"channel": t.about.channels[one.channel].name, "tolerated": one.tolerated}
        row |= {"cross_validated": round(one.accuracy, 4), "macro_f1": round(one.macro_f1, 4), "held_out": None}
        if one.tolerated and len(t.held_out.y_true):
            decided = _decide(content, columns, dropped(t.held_out.values, t.data, [one.channel]))
            row["held_out"] = round(float(np.mean(decided == t.held_out.y_true)), 4)
        rows.append(row)
    correct = held_out.class_index == t.held_out.y_true
    return {
        "what": "accuracy when a reading of the channel is missing, and what stands in for it is decided on",
        "channels": rows,
        "rows_held_out_with_one": int(missing.sum()),
        "right_on_these": round(float(correct[missing].mean()), 4) if missing.any() else None,
    }


def _cross_validated(t: Training) -> dict[str, Any]:
    """Return how good the chosen recipe was on rows of the training part that it, and its teacher, hadn't seen.

    The interval is that of as many further groups (blocks of time, rows) as are held out; of one where none is.
    """
    c, units = t.chosen, t.chosen.predictions.units
    further = max(len(np.unique(t.held_out.units)), 1)
    return {
        "accuracy": round(c.accuracy, 4),
        "interval": _rounded(c.interval(further)),
        "further": further,
        "macro_f1": round(c.macro_f1, 4),
        "expected_cost": round(c.cost, 4),
        "rows": len(units),
        "units": len(np.unique(units)),
    }


def _held_out_interval(t: Training) -> list[float] | None:
    if not len(t.held_out.y_true):
        return None
    decided = _decide(t.judged.model.content, t.judged.student.columns, t.held_out.values)
    return _rounded(interval(decided == t.held_out.y_true, t.held_out.units))


def _rounded(ends: tuple[float, float] | None) -> list[float] | None:
    return None if ends is None else [round(end, 4) for end in ends]


def _never_decided(t: Training, held_out: Decisions) -> list[str]:
    """Return a note on each class that the model says of no row held out, though there are some."""
    decided = set(held_out.class_index.tolist())
    there = set(t.held_out.y_true.tolist())
    return [
        f"class {name!r} is never decided on the rows held out: --optimize macro-f1, --balance 1, or more rows of it"
        for k, name in enumerate(t.held_out.classes)
        if k in there and k not in decided
    ]


def _foreign(t: Training, held_out: Decisions, readings: np.ndarray) -> list[str]:
    """Return a note where many rows held out have readings outside those of training: whose they are."""
    share = float(np.mean(held_out.flags & OUT_OF_RANGE > 0)) if len(readings) else 0.0
    if share <= FOREIGN_SHARE:
        return []
    outside = {
        c.name: float(np.mean((readings[:, i] < c.low) | (readings[:, i] > c.high)))
        for i, c in enumerate(t.judged.model.channels)
    }
    worst = max(outside, key=lambda name: outside[name])
    return [
        f"{share:.0%} of the rows held out are out of range, most by {worst} ({outside[worst]:.0%}): what they were "
        "recorded with differs from what was trained on; record more groups, or --ignore that channel"
    ]


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
    best = {id(c) for c in front(t.candidates)}

    def row(c: Candidate) -> dict[str, Any]:
        return {
            "family": c.recipe.family,
            "recipe": str(c.recipe),
            "features": c.recipe.features,
            "bytes": c.bytes,
            "accuracy": round(c.accuracy, 4),
            "cost": round(c.cost, 4),
            "macro_f1": round(c.macro_f1, 4),
            "cross_entropy": round(c.cross_entropy, 4),
            "instructions": c.estimate.instructions,
            "heap": c.estimate.heap,
            "fits": c.fits,
            "on_front": id(c) in best,
            "chosen": c is t.chosen,
        }

    return [row(c) for c in t.candidates[:FRONT_SHOWN]]


def _novelty(t: Training, held_out: Decisions) -> dict[str, Any] | None:
    if t.judged.novelty is None:
        return None
    return {
        "rate": t.judged.novelty.rate,
        "flagged_held_out": round(float(np.mean(held_out.flags & NOVEL > 0)), 4),
        "bytes": t.judged.model.content.novelty_bytes,
    }


def _shapes(t: Training) -> list[dict[str, Any]] | None:
    """Return what each feature of an additive model adds to each class's score, in nats."""
    if not isinstance(t.judged.student.tables, AdditiveTables):
        return None
    shapes = []
    few = t.training_set.columns(t.judged.student.columns)
    for feature, values, curves in t.judged.student.tables.shapes(few.limits):
        i = t.judged.student.columns[feature]
        own = t.about.features[i] if t.about.features else None
        channel = t.about.channels[own.channel if own else i]
        step = channel.mantissa * 10.0**channel.exponent
        name, unit, low = channel.name, channel.unit, few.lows[feature]
        if own and own.ratio:
            name, unit = own.ratio.title([one.name for one in t.about.channels]), "octaves"
            step, low = 1 / STEPS, own.ratio.low
        zero = feature_zero(own.kind, own.span(t.about.channels)) if own else 0  # of a change, which may be a fall
        shapes.append(
            {
                "channel": name,
                "feature": str(own) if own else "last",
                "unit": unit,
                "values": [round((low + int(v) - zero) * step, 9) for v in values],
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
    if not len(t.held_out.y_true):
        return {}
    progress("shuffling each channel", clock.used())
    drops = importance(t.judged.model.content, t.judged.student.columns, t.about, t.held_out, seed)
    result: dict[str, Any] = {"importance": drops}
    progress("checking for shortcuts", clock.used())
    names = [row["channel"] for row in drops]
    in_time = clock.allows("accuracy without each channel, a learning curve", CHECKS_SHARE)
    without, alone, warning = shortcut_check(t.training_set, t.about, t.held_out, names, seed, thorough=in_time)
    result |= {"without_channel": without, "only_channel": alone, "shortcut": warning}
    if in_time:
        progress("drawing the learning curve", clock.used())
        model = t.judged.model.content
        accuracy = [
            float(np.mean(_decide(model, t.judged.student.columns, part.values) == part.y_true))
            for part in (t.held_out, t.training_set)
        ]
        result["learning_curve"] = learning_curve(
            lambda rows: _taught(t, rows), t.training_set, t.held_out, (accuracy[0], accuracy[1]), seed
        )
    return result


def _taught(t: Training, rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return how a student of the chosen recipe decides that was taught with some rows only."""
    student = fit_student(t.chosen.recipe, t.training_set.rows(rows), t.order, t.options.data.seed)
    model = content_of(t.about.smallest_blob(student))
    return lambda values: _decide(model, student.columns, values)


def _decide(model: Content, columns: tuple[int, ...], values: np.ndarray) -> np.ndarray:
    return class_scores(model, values[:, list(columns)]).argmax(axis=1)
