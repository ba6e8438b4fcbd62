"""What is wrong of decisions on clips, as people ask: which sounds are confused, misses against false alarms."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dibble_tools.model.decisions import Decisions
from dibble_tools.model.hearing import IDLE

OTHER = IDLE
MOST_PAIRS = 3


def confused(decided: np.ndarray, y: np.ndarray, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the pairs of classes that are taken for each other most."""
    found: list[dict[str, Any]] = []
    for a in range(len(classes)):
        for b in range(a + 1, len(classes)):
            errors = int(((y == a) & (decided == b)).sum() + ((y == b) & (decided == a)).sum())
            of = int(((y == a) | (y == b)).sum())
            if errors:
                found.append({"a": classes[a], "b": classes[b], "errors": errors, "share": round(errors / of, 4)})
    return sorted(found, key=lambda pair: pair["share"], reverse=True)[:MOST_PAIRS]


def alarms_of(decisions: Decisions, y: np.ndarray, classes: Sequence[str]) -> list[dict[str, float]] | None:
    """Return misses and false alarms by the margin from which on something is done; None without classes of others."""
    idle = np.array([name.startswith(OTHER) for name in classes])
    others = idle[y]
    if not others.any() or others.all():
        return None
    acts = ~np.append(idle, True)[np.minimum(decisions.class_index, len(classes))]
    rows = []
    levels = np.unique(np.quantile(decisions.margin[acts], np.linspace(0, 0.9, 10)).astype(int)) if acts.any() else [0]
    for level in levels:
        done = acts & (decisions.margin >= level)
        missed = 1 - float((done & (decisions.class_index == y))[~others].mean())
        alarms = float(done[others].mean())
        rows.append({"margin": int(level), "missed": round(missed, 4), "alarms": round(alarms, 4)})
    return rows


def hourly(count: int, hours: float) -> dict[str, Any]:
    """Return how many an hour, and the 95 % interval of a Poisson process that was seen to do it so often."""
    from scipy.stats import chi2

    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    high = float(chi2.ppf(0.975, 2 * count + 2)) / 2
    return {"an_hour": round(count / hours, 2), "interval": [round(low / hours, 2), round(high / hours, 2)]}
