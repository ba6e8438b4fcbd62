"""Which steps of a heater scan a class is told by, and the shortest profile that tells it as well."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.data.heater_scans.profiles import HEATER_MA, named_profile, shared_course
from dibble_tools.data.prepare import Prepared
from dibble_tools.training.ratio_pools import Pools, float_accuracy

POINT = 0.01  # of accuracy: a shorter profile may lose so much
ROWS = 1500  # that a choice of steps is judged on
PARTS = 3


def scan_steps(data: Prepared, y: np.ndarray, pools: Pools, profile: str, seed: int, budget_s: float) -> dict[str, Any]:
    """Return what one step, all, and their ratios reached, and the shortest profile that loses at most a point.

    A scan's time is that of its last step: first it is found up to which one loses at most a point, then the fewest of
    these, one by one, each time the one with which a float model tells most on rows of other groups.

    Args:
        profile: the heater's, by name or steps; "": it isn't known.
        budget_s: when it is over, what was found so far is told.
    Returns:
        JSON-ready: accuracy, chosen and of (of the pools), all_steps, up_to (the last step that is worth its time),
        steps; and profile, shortest and heater_ma, where the heater's profile is known.
    """
    end = time.monotonic() + budget_s
    names = [data.channels[i].name for i in pools.steps]
    found: dict[str, Any] = {
        "accuracy": {name: round(value, 4) for name, value in pools.accuracy.items()},
        "chosen": pools.chosen,
        "of": "the better of a forest and a line of floats, on other groups of the training rows, classes alike",
    }
    few = pools.parts[:PARTS]

    def reached(steps: Sequence[int]) -> float:
        return float_accuracy(_columns(data, pools, steps), y, few, seed, rows=ROWS)

    whole = reached(pools.steps)
    found["all_steps"] = round(whole, 4)
    early = next(
        (
            pools.steps[:count]
            for count in range(1, len(pools.steps))
            if time.monotonic() < end and reached(pools.steps[:count]) >= whole - POINT
        ),
        pools.steps,
    )
    found["up_to"] = data.channels[early[-1]].name
    chosen: list[int] = []
    found["steps"] = told = []
    while len(chosen) < len(early) and time.monotonic() < end:
        left = [step for step in early if step not in chosen]
        scores = {step: reached([*chosen, step]) for step in left}
        best = max(left, key=lambda step: scores[step])
        chosen.append(best)
        told.append({"step": names[pools.steps.index(best)], "accuracy": round(scores[best], 4)})
        if scores[best] >= whole - POINT:
            return {**found, **_profile(pools, chosen, profile)}
    return found


def _columns(data: Prepared, pools: Pools, steps: Sequence[int]) -> np.ndarray:
    """Return the feature values that these steps alone give, and what isn't of the scan."""
    others = [i for i in range(len(data.channels)) if i not in pools.steps]
    allowed = {*steps, *others}
    features = data.features or []
    kept = [k for k, feature in enumerate(features) if set(feature.channels) <= allowed]
    plain = pools.plain[:, sorted(allowed)]
    return np.column_stack([plain, data.values[:, [k for k in kept if features[k].ratio]]]) if kept else plain


def _profile(pools: Pools, chosen: Sequence[int], profile: str) -> dict[str, Any]:
    """Return the shortest profile of the same course, with its time and charge beside the whole one's."""
    if not profile:
        return {}
    try:
        whole = named_profile(profile)
    except InputError:
        return {}
    if len(whole.steps) != len(pools.steps):
        return {}
    short = shared_course(whole, [pools.steps.index(step) for step in chosen])
    return {
        "profile": {"text": whole.text, "seconds": round(whole.seconds, 2), "mah": round(whole.mah, 4)},
        "shortest": {"text": short.text, "seconds": round(short.seconds, 2), "mah": round(short.mah, 4)},
        "heater_ma": HEATER_MA,
    }
