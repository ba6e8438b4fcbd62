"""What pruning a forest of scikit-learn's to a given size costs: bytes and accuracy, of several splits of the digits.

    python tests/benchmarks/pruned_forest.py [MAX_BYTES]

10 trees of 100 leaves, fitted to 1,200 of the 1,797 rows, judged on the others: converted whole, then with max_bytes.
"""

import sys

import numpy as np
from dibble_tools import convert
from dibble_tools.model.packing import pack
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

SEEDS, FITTED, MAX_BYTES = 8, 1200, 4200


def main() -> None:
    """Print a line for each split, and the mean."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else MAX_BYTES
    x, y = load_digits(return_X_y=True)
    found = []
    print("split   bytes  packed  right, %    bytes  packed  right, %")
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(x))
        fit, judged = order[:FITTED], order[FITTED:]
        forest = RandomForestClassifier(10, max_leaf_nodes=100, random_state=seed).fit(x[fit], y[fit])
        line = []
        for model in (convert(forest, x[fit]), convert(forest, x[fit], max_bytes=most)):
            right = (model.predict(x[judged]) == y[judged].astype(str)).mean()
            line += [len(model.blob), len(pack(model.blob)), 100 * right]
        found.append(line)
        print(f"{seed:5}" + "{:8,}{:8,}{:10.2f}  {:8,}{:8,}{:10.2f}".format(*line), flush=True)
    print(" mean" + "{:8,.0f}{:8,.0f}{:10.2f}  {:8,.0f}{:8,.0f}{:10.2f}".format(*np.mean(found, axis=0)))


if __name__ == "__main__":
    main()
