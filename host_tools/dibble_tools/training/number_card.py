"""The card of a model that tells a number: how far off it is on rows held out, and what one would say without it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from dibble import __version__
from sklearn.ensemble import ExtraTreesRegressor

from dibble_tools.data.channels import to_values
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.model.metrics import number_figures
from dibble_tools.training.intervals import paired_error
from dibble_tools.training.number_lesson import Lesson, Tried
from dibble_tools.training.result import Clock, TrainOptions

MOST_PAIRS = 400
TREES = 60
COVERAGE = 90  # percent of true numbers that the interval is to hold


def number_card(
    path: Path,
    options: TrainOptions,
    lesson: Lesson,
    tried: Sequence[Tried],
    best: Tried,
    model: HostModel,
    shipped: HostModel,
    rows: np.ndarray,
    held: np.ndarray,
    clock: Clock,
) -> dict[str, Any]:
    """Return the card of a model that tells a number, JSON-ready."""
    data, y, channel = lesson.learner.data, lesson.numbers, lesson.channel
    content = shipped.content
    told = model.content.number
    assert told is not None
    readings = data.readings[:, [[c.name for c in data.channels].index(c.name) for c in model.channels]]
    steps = told.steps(model.decide(readings, data.elapsed_ms))
    said = to_values(steps, channel)
    constant, how = _constant(lesson, rows)
    floats = _floats(lesson, rows, held, clock)
    off = np.abs(y - said)
    return {
        "made_by": f"dibble {__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        "name": content.name,
        "model": {
            "file": MODEL_FILE,
            "family": best.recipe.family,
            "recipe": str(best.recipe),
            "bytes": len(shipped.blob),
            "sha256": hashlib.sha256(shipped.blob).hexdigest(),
            "golden_vectors": len(content.golden),
        },
        "data": {
            "file": path.name,
            "sha256": data.ds.sha256,
            "rows": len(y),
            "rows_with_a_missing_reading": int((~data.whole).sum()),
            "target": options.data.target,
            "until": options.data.until or None,
            "ahead_s": options.data.ahead_ms / 1000 or None,
            "time": options.data.time,
            "group": options.data.group,
        },
        "split": {
            "how": data.split.how,
            "train_rows": int(data.split.train.sum()),
            "test_rows": int(data.split.test.sum()),
            "scored_rows": len(held),
        },
        "refit": None
        if shipped is model
        else {"rows": int(data.whole.sum()), "accuracy_of": "the training rows alone"},
        "number": {
            "name": channel.name,
            "unit": channel.unit,
            "ahead_s": told.ahead_s,
            "spread": round(told.spread * lesson.step, 9),
            "coverage": COVERAGE,
            "held_out": number_figures(y[held], said[held], told.spread * lesson.step),
            "cross_validated": number_figures(y[best.rows], best.said, told.spread * lesson.step),
            "instead": {"what": how, **number_figures(y[held], constant[held], told.spread * lesson.step)},
            "gain": _gain(lesson, best, held, said, constant),
            "floats": floats,
            "pairs": _some_pairs(y[held], said[held]),
            "groups": _each_group(lesson, best, held, off),
        },
        "limits": {"max_bytes": options.limits.max_bytes, "board": options.limits.board or None},
        "tried": [
            {"recipe": str(t.recipe), "bytes": t.bytes, "error": round(t.error, 6), "fits": t.fits} for t in tried
        ],
        "notes": data.notes,
    }


def _some_pairs(y: np.ndarray, said: np.ndarray) -> list[list[float]]:
    """Return true and told numbers of some of the rows held out, for a picture."""
    some: Any = np.unique(np.linspace(0, len(y) - 1, min(MOST_PAIRS, len(y))).astype(int)) if len(y) else []
    return [[round(float(y[i]), 6), round(float(said[i]), 6)] for i in some]


def _constant(lesson: Lesson, rows: np.ndarray) -> tuple[np.ndarray, str]:
    """Return what one would say without a model: as it is now, where that is known, else the middle of all."""
    data = lesson.learner.data
    if lesson.channel.name in data.ds.columns:
        now = data.ds.values[:, data.ds.columns.index(lesson.channel.name)]
        return now, "saying that it stays as it is"
    return np.full(len(lesson.numbers), float(np.median(lesson.numbers[rows]))), "always saying the middle"


def _floats(lesson: Lesson, rows: np.ndarray, held: np.ndarray, clock: Clock) -> dict[str, Any] | None:
    """Return how far off a forest without limits is, in floats on a PC; None without time."""
    if not len(held) or clock.used() >= 1:
        return None
    values, y = lesson.learner.data.values, lesson.numbers
    forest = ExtraTreesRegressor(TREES, min_samples_leaf=3, random_state=0).fit(values[rows], y[rows])
    off = np.abs(forest.predict(values[held]) - y[held])
    return {"what": f"{TREES} extra trees", "mae": round(float(np.mean(off)), 6)}


def _gain(lesson: Lesson, best: Tried, held: np.ndarray, said: np.ndarray, constant: np.ndarray) -> dict[str, float]:
    """Return by how much the mean error is smaller than without a model, over all rows not learned from, and its error.

    Whole groups, or stretches of time, are drawn.
    """
    rows = np.concatenate([best.rows, held])
    told = np.concatenate([best.said, said[held]])
    better = np.abs(lesson.numbers[rows] - constant[rows]) - np.abs(lesson.numbers[rows] - told)
    known = ~np.isnan(better)
    error = paired_error(better[known], lesson.learner.units()[rows][known])
    return {"mean": round(float(np.mean(better[known])), 6), "error": round(error, 6)}


def _each_group(lesson: Lesson, best: Tried, held: np.ndarray, off: np.ndarray) -> list[dict[str, Any]]:
    """Return the mean absolute error in each group by models that hadn't seen it, the worst first."""
    ds = lesson.learner.data.ds
    if ds.groups is None or len(set(ds.groups)) < 2:
        return []
    rows = np.concatenate([best.rows, held])
    errors = np.concatenate([np.abs(lesson.numbers[best.rows] - best.said), off[held]])
    names = ds.groups[rows]
    each = [
        {"name": str(n), "rows": int((names == n).sum()), "mae": round(float(errors[names == n].mean()), 6)}
        for n in sorted(set(names.tolist()))
    ]
    return sorted(each, key=lambda one: -float(str(one["mae"])))
