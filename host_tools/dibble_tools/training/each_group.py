"""How good a model is in each node, on each day or in each recording, judged where it hadn't learned from it."""

from typing import Any

import numpy as np
import pandas as pd

from dibble_tools.data.prepare import Prepared
from dibble_tools.data.recordings import names_of
from dibble_tools.training.intervals import interval

PERIODS = (("day", "%Y-%m-%d"), ("month", "%Y-%m"), ("year", "%Y"))
MOST_PERIODS = 40
MOST_SHOWN = 200
HOW = "by models that hadn't seen it"


def each_group(
    data: Prepared, group: str | None, crossed: tuple[np.ndarray, np.ndarray], held_out: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any] | None:
    """Return rows and accuracy of each group, the weakest first, and of all, with its interval; None of but one.

    Args:
        group: name of the column of groups.
        crossed: rows of the data set that a cross-validation scored, and whether each was decided right.
        held_out: the same of the rows held out.
    """
    found = _groups(data, group)
    if found is None:
        return None
    what, names = found
    new = [_unseen(data, part) for part in (crossed, held_out)]
    rows = np.concatenate([part[0][known] for part, known in zip((crossed, held_out), new, strict=True)])
    correct = np.concatenate([part[1][known] for part, known in zip((crossed, held_out), new, strict=True)])
    if len(set(names[rows])) < 2:
        return None
    scored = pd.DataFrame({"name": names[rows], "row": rows, "right": correct})
    once = scored.groupby("row", as_index=False).agg(name=("name", "first"), right=("right", "mean"))
    table = once.groupby("name", sort=False)
    held = set(names[held_out[0]])
    each: list[dict[str, Any]] = [
        {
            "name": str(name),
            "rows": len(part),
            "accuracy": round(float(part["right"].mean()), 4),
            "held_out": name in held,
        }
        for name, part in table
    ]
    ends = interval(once["right"].to_numpy(), once["name"].to_numpy(str))
    return {
        "what": what,
        "how": HOW,
        "units": len(each),
        "accuracy": round(float(once["right"].mean()), 4),
        "interval": None if ends is None else [round(end, 4) for end in ends],
        "groups": sorted(each, key=lambda row: row["accuracy"])[:MOST_SHOWN],
    }


def _unseen(data: Prepared, scored: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Tell which rows were scored by a model that had seen nothing of their recording: not those of a class's only one.

    Its end is held out, and its pieces are cross-validated, from each other.
    """
    units, labels = data.split.units, data.ds.labels
    if units is None or labels is None:
        return np.ones(len(scored[0]), bool)
    train = data.split.train
    lone = [mine[0] for name in np.unique(labels) if len(mine := np.unique(units[train & (labels == name)])) == 1]
    torn = np.intersect1d(units[train], units[~train])
    return ~np.isin(units[scored[0]], lone if train[scored[0]].all() else torn)


def _groups(data: Prepared, group: str | None) -> tuple[str, np.ndarray] | None:
    """Return what kind of groups there are, and the name of each row's."""
    ds = data.ds
    if ds.groups is not None and len(set(ds.groups)) > 1:
        return group or "file", ds.groups
    if data.split.units is not None:
        names = names_of(ds, data.split.units)
        return "recording", np.array([names[number] for number in data.split.units.tolist()])
    if ds.times_ms is None:
        return None
    stamps = pd.Series(pd.to_datetime(ds.times_ms, unit="ms"))
    named = [(what, stamps.dt.strftime(form).to_numpy(str)) for what, form in PERIODS]
    return next((each for each in named if len(set(each[1])) <= MOST_PERIODS), named[-1])
