"""A million rows on this computer: dibble's evaluator, and scikit-learn's predict of the same forest."""

import os
import time
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from dibble_tools.model.host_model import HostModel

ROWS = 1_000_000
DIBBLE, SCIKIT_LEARN = "dibble's evaluator", "scikit-learn"
SPARED = "scikit-learn of float32"  # what it makes of other numbers, first of all
AGAIN = 3


def seconds(model: HostModel, forest: RandomForestClassifier, readings: np.ndarray, x: np.ndarray) -> dict[str, float]:
    """Return how long each takes, the quickest of some turns, on as many threads.

    Args:
        readings, x: the same rows, as integers and as float64; they are repeated to a million.
    """
    times = -(-ROWS // len(x))
    many = np.tile(readings, (times, 1))[:ROWS]
    floats = np.tile(x, (times, 1))[:ROWS]
    spared = floats.astype(np.float32)
    forest.set_params(n_jobs=os.cpu_count())
    runs: dict[str, Callable[[], object]] = {
        DIBBLE: lambda: model.decide(many),
        SCIKIT_LEARN: lambda: forest.predict(floats),
        SPARED: lambda: forest.predict(spared),
    }
    found = dict.fromkeys(runs, np.inf)
    for _ in range(AGAIN):
        for name, run in runs.items():
            found[name] = min(found[name], _took(run))
    return {name: round(took, 3) for name, took in found.items()}


def _took(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
