"""A model of what is usual alone: no classes, no labels; a combination of readings that hardly ever came is flagged.

Its file has one class, a tree of one leaf, and the tables of novelty, which all nodes read.
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from dibble import __version__
from dibble.inference.decision import NOVEL, OUT_OF_RANGE, SENSOR_FAULT

from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import Prepared, prepare
from dibble_tools.families.forest import integer_trees, pages
from dibble_tools.families.novelty import Novelty, fit_novelty
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.model.limits import estimate
from dibble_tools.report.verdict import verdict_of
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.folds import Learner
from dibble_tools.training.intervals import interval
from dibble_tools.training.naming import About
from dibble_tools.training.result import Clock, Progress, Trained, TrainOptions

USUAL = "usual"
RATE = 0.01  # of usual readings that may be flagged, where nobody says
ROOM = 64  # bytes less for the tables at each try, until the file keeps its limit
BINS = 8  # codes a feature
ANOTHER = 0.382  # of the rows held out, what another moment is away: no whole number of days
GOLDEN = ((8, True), (4, True), (2, True), (1, True), (1, False))


def train_usual(path: Path, options: TrainOptions, progress: Progress = lambda step, share: None) -> Trained:
    """Return a model of what is usual in a file of readings, with its card; see `train`."""
    clock = Clock(options.budget_s)
    if options.costs or options.recipe:
        raise InputError(f"--usual: expected no {'--cost' if options.costs else '--recipe'} beside it")
    progress("reading the data", 0.0)
    data = prepare(path, options.data)
    rows = np.flatnonzero(data.split.train & data.whole)
    held = np.flatnonzero(data.split.test & data.whole)
    progress("learning what is usual", clock.used())
    model = _fitted(data, rows, options)
    shipped = model
    if options.refit and len(held):
        shipped = _fitted(data, np.flatnonzero(data.whole), options)
        data.notes.append("the model learned from all rows; its false alarms were counted without those held out")
    progress("counting false alarms on the rows held out", clock.used())
    card = _card(path, options, data, model, shipped, held)
    said = verdict_of(card)
    return Trained(shipped, {**card, "verdict": said.to_json() if said else None}, data.notes)


def _fitted(data: Prepared, rows: np.ndarray, options: TrainOptions) -> HostModel:
    """Return the model of some rows that keeps the limits, with as large tables as they allow.

    Raises:
        InputError: there is none.
    """
    learner = Learner(data, np.zeros(len(data.values), int), 1, parse_costs([], [USUAL]), 0.0, 0, options.jobs)
    parts = learner.parts(rows, 0)
    rate = RATE if options.novelty is None else options.novelty
    about = About(
        options.name or data.ds.name,
        data.channels,
        data.features,
        [USUAL],
        data.interval_ms,
        data.readings[rows],
        None if data.elapsed_ms is None else data.elapsed_ms[rows],
    )
    most = options.limits.max_bytes
    while True:
        novelty = fit_novelty(data.values[rows], data.limits, data.lows, rate, bins=BINS, max_bytes=most, parts=parts)
        model = _smallest_golden(about, novelty, options)
        if model is not None:
            model.cross_check(about.readings[:, _kept(about, novelty)], about.elapsed_ms)
            return model
        assert most is not None
        most -= ROOM
        if most < ROOM:
            raise InputError(f"expected a model within {options.limits}: allow more, or fewer channels (--ignore)")


def _kept(about: About, novelty: Novelty) -> list[int]:
    return about.kept([i for i, scaler in enumerate(novelty.tables.scalers) if scaler is not None])


def _smallest_golden(about: About, novelty: Novelty, options: TrainOptions) -> HostModel | None:
    """Return the model with as many golden vectors as the limits allow; None where they allow none."""
    columns = [i for i, scaler in enumerate(novelty.tables.scalers) if scaler is not None]
    place = {column: i for i, column in enumerate(columns)}
    terms = [replace(t, features=tuple(place[f] for f in t.features)) for t in novelty.tables.terms]
    tables = replace(novelty.tables, scalers=[novelty.tables.scalers[i] for i in columns], terms=terms)
    leaf = pages.pack(integer_trees.IntegerTrees([], [-1], 1), len(columns))
    hysteresis = options.hysteresis or 1
    spec = about.spec(leaf, columns, novelty=replace(novelty, tables=tables), hysteresis=hysteresis)
    for golden, odd in GOLDEN:
        model = HostModel(about.blob(spec, columns, golden, odd=odd))
        if options.limits.hold(len(model.blob), estimate(model.content, len(model.blob))):
            return model
    return None


def _card(
    path: Path, options: TrainOptions, data: Prepared, model: HostModel, shipped: HostModel, held: np.ndarray
) -> dict[str, Any]:
    """Return the card of a model of what is usual, JSON-ready."""
    names = [channel.name for channel in data.channels]
    readings = data.readings[:, [names.index(channel.name) for channel in model.channels]]
    flags = model.decide(readings, data.elapsed_ms).flags
    alarms = (flags & (NOVEL | OUT_OF_RANGE) > 0)[held]
    learner = Learner(data, np.zeros(len(data.values), int), 1, parse_costs([], [USUAL]), 0.0, 0, 1)
    ends = interval(alarms, learner.units()[held]) if len(held) else None
    return {
        "made_by": f"dibble {__version__}, numpy {np.__version__}",
        "name": shipped.content.name,
        "model": {
            "file": MODEL_FILE,
            "family": "what is usual",
            "bytes": len(shipped.blob),
            "sha256": hashlib.sha256(shipped.blob).hexdigest(),
            "golden_vectors": len(shipped.content.golden),
        },
        "data": {
            "file": path.name,
            "sha256": data.ds.sha256,
            "rows": len(data.values),
            "rows_with_a_missing_reading": int((~data.whole).sum()),
            "time": options.data.time,
            "group": options.data.group,
        },
        "split": {
            "how": data.split.how,
            "train_rows": int(data.split.train.sum()),
            "test_rows": int(data.split.test.sum()),
            "scored_rows": len(held),
        },
        "usual": {
            "rate": RATE if options.novelty is None else options.novelty,
            "rows": len(held),
            "flagged": round(float(np.mean(alarms)), 4) if len(held) else None,
            "interval": None if ends is None else [round(end, 4) for end in ends],
            "novel": round(float(np.mean(flags[held] & NOVEL > 0)), 4) if len(held) else None,
            "out_of_range": round(float(np.mean(flags[held] & OUT_OF_RANGE > 0)), 4) if len(held) else None,
            "found": _found(model, readings, data, held),
        },
        "notes": data.notes,
    }


def _found(model: HostModel, readings: np.ndarray, data: Prepared, held: np.ndarray) -> list[dict[str, Any]]:
    """Return how often it is flagged that a sensor tells what it told at another moment, for each channel.

    From a moment on, for as long as the longest window looks back and longer: a sensor that is wrong stays so.
    """
    if not len(held):
        return []
    found = []
    for i, channel in enumerate(model.channels):
        changed = readings.copy()
        changed[held, i] = np.roll(readings[held, i], round(len(held) * ANOTHER))
        flags = model.decide(changed, data.elapsed_ms).flags[held]
        usable = flags & SENSOR_FAULT == 0
        share = float(np.mean(flags[usable] & (NOVEL | OUT_OF_RANGE) > 0)) if usable.any() else 0.0
        found.append({"channel": channel.name, "flagged": round(share, 4)})
    return sorted(found, key=lambda one: -float(str(one["flagged"])))
