"""A million rows on this computer: dibble's decisions, and scikit-learn's predict of the same forest.

    python tests/benchmarks/million_rows.py [--trees 10,30,100] [--rows 1000000] [--again 5]

Forests of 100 leaves a tree on scikit-learn's digits (64 channels), converted. All in seconds of processor time of one
thread, the least of some turns: `forest.predict(x)` of float32, which spares it a copy; of the same array
`model.predict(x)`, to class names, and `decide`; `decide` of the same rows as int64. "tenths" are digits with a tenth
added at random, so that no value is a whole step and each is rounded; "1 in 1,000 missing": such rows have a NaN.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
from dibble_tools.model.convert import convert
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

LEAVES = 100


def seconds(runs: dict[str, Callable[[], object]], again: int) -> dict[str, float]:
    """Return the least processor time of each, taken in turn."""
    found = dict.fromkeys(runs, np.inf)
    for _ in range(again):
        for name, run in runs.items():
            start = time.process_time()
            run()
            found[name] = min(found[name], time.process_time() - start)
    return found


def main() -> None:
    """Print a line for each forest and kind of values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", default="10,30,100")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--again", type=int, default=5)
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    digits, y = load_digits(return_X_y=True)
    tenths = digits + np.random.default_rng(0).integers(1, 10, digits.shape) / 10
    for trees in (int(count) for count in given.trees.split(",")):
        for name, x in (("digits", digits), ("tenths", tenths)):
            forest = RandomForestClassifier(trees, max_leaf_nodes=LEAVES, random_state=0).fit(x, y)
            model = convert(forest, x)
            floats = np.tile(x, (-(-given.rows // len(x)), 1))[: given.rows].astype(np.float32)
            runs: dict[str, Callable[[], object]] = {
                "predict": lambda model=model, floats=floats: model.predict(floats),
                "scikit-learn": lambda forest=forest, floats=floats: forest.predict(floats),
            }
            if name == "digits":
                whole, gaps = floats.astype(np.int64), floats.copy()
                gaps[::1000, 5] = np.nan
                runs["decide, floats"] = lambda model=model, floats=floats: model.decide(floats)
                runs["decide, ints"] = lambda model=model, whole=whole: model.decide(whole)
                runs["predict, 1 in 1,000 missing"] = lambda model=model, gaps=gaps: model.predict(gaps)
            took = seconds(runs, given.again)
            own = took.pop("scikit-learn")
            told = "; ".join(f"{what} {s:.3f} s ({s / own:.2f})" for what, s in took.items())
            print(f"{trees:3} trees, {name}: scikit-learn {own:.3f} s; {told}", flush=True)


if __name__ == "__main__":
    main()
