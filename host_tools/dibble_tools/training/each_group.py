"""How good a model is in each node, on each day or in each recording, judged where it hadn't learned from it."""

from typing import Any

import numpy as np
import pandas as pd

from dibble_tools.data.prepare import Prepared
from dibble_tools.data.recordings import names_of

PERIODS = (("day", "%Y-%m-%d"), ("month", "%Y-%m"), ("year", "%Y"))
MOST_PERIODS = 40
MOST_SHOWN = 200
HOW = "each scored by a model that hadn't seen it: cross-validated, or held out"


def each_group(
    data: Prepared, group: str | None, crossed: tuple[np.ndarray, np.ndarray], held_out: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any] | None:
    """Return rows and accuracy of each group, the weakest first; None where there is but one.

    Args:
        group: name of the column of groups.
        crossed: rows of the data set that a cross-validation scored, and whether each was decided right.
        held_out: the same of the rows held out.
    """
    found = _groups(data, group)
    if found is None:
        return None
    what, names = found
    rows = np.concatenate([crossed[0], held_out[0]])
    correct = np.concatenate([crossed[1], held_out[1]])
    if len(set(names[rows])) < 2:
        return None
    table = pd.DataFrame({"name": names[rows], "row": rows, "right": correct}).groupby("name", sort=False)
    held = set(names[held_out[0]])
    each: list[dict[str, Any]] = [
        {
            "name": str(name),
            "rows": int(part["row"].nunique()),
            "accuracy": round(float(part["right"].mean()), 4),
            "held_out": name in held,
        }
        for name, part in table
    ]
    return {"what": what, "how": HOW, "groups": sorted(each, key=lambda row: row["accuracy"])[:MOST_SHOWN]}


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
