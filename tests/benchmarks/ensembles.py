"""Small ensembles in floats, per byte, on groups held out: is a family missing?

    python tests/benchmarks/ensembles.py FOLDER [--sets hast_frost,sydney_rain] [--drawn 20-21]

FOLDER holds NAME.csv.gz files as for accuracy.py; drawn sets are int8.py's. Of each set the six features that tell most
by themselves, a quarter of the groups held out, 2,000 rows to learn from. Each form gets the bytes that an additive
model of 16 bins takes (a cell, leaf or weight a byte for each class but one; a condition two bytes, or five bytes a
split as in the forests' tables): additive of 16 and of 8 bins; boosted trees of three leaves; oblivious trees (one
condition a level) of two and three levels, each leaf a score for every class; additive of 8 bins with oblivious trees
on what it leaves; a network; a line.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import int8
import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler
from sklearn.tree import DecisionTreeRegressor

FEATURES, TEACH, JUDGE = 6, 2000, 4000
THRESHOLDS, RATE, CURVATURE = 10, 0.5, 0.25
MOST_ROUNDS, MOST_UNITS = 40, 32
Scores = tuple[np.ndarray, np.ndarray]  # of the rows to learn from, and of those held out


def oblivious(x: np.ndarray, slope: np.ndarray, depth: int) -> tuple[list[tuple[int, float]], np.ndarray]:
    """Return conditions, one a level, and scores of the leaves (2**depth, classes), level by level the best."""
    part, conditions = np.zeros(len(x), dtype=np.int64), []
    quantiles = np.linspace(0.08, 0.92, THRESHOLDS)
    for level in range(depth):
        gains = {}
        for f in range(x.shape[1]):
            for threshold in np.unique(np.quantile(x[:, f], quantiles)):
                side = 2 * part + (x[:, f] > threshold)
                rows = np.bincount(side, minlength=2 ** (level + 1)) + 1.0
                sums = (np.bincount(side, column, 2 ** (level + 1)) for column in slope.T)
                gains[f, float(threshold)] = sum(float((one * one / rows).sum()) for one in sums)
        conditions.append(max(gains, key=lambda condition: gains[condition]))
        part = 2 * part + (x[:, conditions[-1][0]] > conditions[-1][1])
    rows = np.bincount(part, minlength=2**depth) + 1.0
    return conditions, np.column_stack([np.bincount(part, column, 2**depth) / rows for column in slope.T])


def boosted(x: np.ndarray, truth: np.ndarray, unseen: np.ndarray, rounds: int, depth: int, start: Scores) -> Scores:
    """Return scores after rounds of oblivious trees; of trees of three leaves where depth is 0."""
    scores, other = (one.copy() for one in start)
    for _ in range(min(rounds, MOST_ROUNDS)):
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        slope = (truth - chances / chances.sum(axis=1, keepdims=True)) / CURVATURE
        if depth:
            conditions, leaves = oblivious(x, slope, depth)
            for rows, sums in ((x, scores), (unseen, other)):
                part = np.zeros(len(rows), dtype=np.int64)
                for f, threshold in conditions:
                    part = 2 * part + (rows[:, f] > threshold)
                sums += RATE * leaves[part]
        else:
            tree = DecisionTreeRegressor(max_leaf_nodes=3, min_samples_leaf=5).fit(x, slope)
            scores += RATE * tree.predict(x).reshape(scores.shape)
            other += RATE * tree.predict(unseen).reshape(other.shape)
    return scores, other


def additive(x: np.ndarray, y: np.ndarray, unseen: np.ndarray, bins: int) -> Scores:
    """Return scores of a logistic regression on which bin each feature is in."""
    cells = KBinsDiscretizer(bins, encode="onehot-dense", strategy="quantile")
    model = make_pipeline(cells, LogisticRegression(max_iter=300)).fit(x, y)
    both = (model.decision_function(rows) for rows in (x, unseen))
    first, second = (np.column_stack([-d / 2, d / 2]) if d.ndim == 1 else d for d in both)
    return first, second


def accuracies(path: Path) -> dict[str, float]:
    """Return each form's accuracy in % on the groups held out."""
    table = pd.read_csv(path).dropna()
    groups, y = table["group"].astype(str).to_numpy(), pd.factorize(table["label"], sort=True)[0]
    values = table.drop(columns=["label", "group"]).select_dtypes("number").to_numpy(dtype=np.float64)
    rng = np.random.default_rng(0)
    names = rng.permutation(np.unique(groups))
    held = np.isin(groups, names[: max(len(names) // 4, 1)])
    rows, test = rng.permutation(np.flatnonzero(~held))[:TEACH], np.flatnonzero(held)[:JUDGE]
    best = np.argsort(-mutual_info_classif(values[rows], y[rows], random_state=0))[:FEATURES]
    x, unseen, own = values[rows][:, best], values[test][:, best], y[rows]
    classes = y.max() + 1
    truth, k = np.eye(classes)[own], classes - 1
    room = len(best) * 16 * k
    none = np.zeros((len(x), classes)), np.zeros((len(unseen), classes))
    eight = additive(x, own, unseen, 8)
    scores = {"additive 16": additive(x, own, unseen, 16), "additive 8": eight}
    scores["boosted x3"] = boosted(x, truth, unseen, room // (10 * k), 0, none)
    for depth in (2, 3):
        tree = 2 * depth + 2**depth * k
        scores[f"oblivious {depth}"] = boosted(x, truth, unseen, room // tree, depth, none)
        scores[f"additive 8 + {depth}"] = boosted(x, truth, unseen, room // 2 // tree, depth, eight)
    units = min((room - 24) // (len(best) + k + 3), MOST_UNITS)
    network = MLPClassifier((units,), alpha=0.01, max_iter=400, random_state=0)
    found = {name: float(np.mean(each[1].argmax(axis=1) == y[test])) for name, each in scores.items()}
    for name, model in (("network", network), ("line", LogisticRegression(max_iter=300))):
        found[name] = make_pipeline(StandardScaler(), model).fit(x, own).score(unseen, y[test])
    return {name: 100 * right for name, right in found.items()}


def main() -> None:
    """Print a row for each set, then means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default="hast_frost,sydney_rain")
    parser.add_argument("--drawn", default="20-21", help="seeds of sets that are drawn, A-B")
    arguments = parser.parse_args()
    first, last = (int(seed) for seed in arguments.drawn.split("-"))
    warnings.simplefilter("ignore", ConvergenceWarning)
    with tempfile.TemporaryDirectory() as folder:
        paths = [int8.drawn(Path(folder), seed) for seed in range(first, last + 1)]
        paths += [arguments.folder / f"{name}.csv.gz" for name in arguments.sets.split(",")]
        results = {path.name.split(".")[0]: accuracies(path) for path in paths}
    table = pd.DataFrame(results).T
    table.loc["mean"] = table.mean()
    print(table.round(1).to_string())


if __name__ == "__main__":
    main()
