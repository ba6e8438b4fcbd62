"""A million rows on this computer: dibble's evaluator, and scikit-learn's predict of the same forest."""

import os
import time
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from host_tools.host_model import HostModel

ROWS = 1_000_000
DIBBLE, SCIKIT_LEARN = "dibble's evaluator", "scikit-learn's predict"
AGAIN = 3


def seconds(model: HostModel, forest: RandomForestClassifier, readings: np.ndarray, x: np.ndarray) -> dict[str, float]:
    """Return how long each takes, the quickest of some turns, on as many threads.

    Args:
        readings, x: the same rows, as integers and as floats; they are repeated to a million.
    """
    times = -(-ROWS // len(x))
    many = np.tile(readings, (times, 1))[:ROWS]
    floats = np.tile(x.astype(np.float32), (times, 1))[:ROWS]  # what scikit-learn makes of others, first of all
    forest.set_params(n_jobs=os.cpu_count())
    found = {DIBBLE: np.inf, SCIKIT_LEARN: np.inf}
    for _ in range(AGAIN):
        found[DIBBLE] = min(found[DIBBLE], _took(lambda: model.decide(many)))
        found[SCIKIT_LEARN] = min(found[SCIKIT_LEARN], _took(lambda: forest.predict(floats)))
    return {name: round(took, 3) for name, took in found.items()}


def _took(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
