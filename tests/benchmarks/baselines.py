"""What a baseline of a node's own is worth: quick models of floats, with and without, on groups that they hadn't seen.

    python tests/benchmarks/baselines.py FOLDER [--sets bme680_scents,thermal_presence]

FOLDER is as accuracy.py's. The sets have no times: rows of a group are taken as one each five minutes, in their order.
Each figure is the mean accuracy, classes counted alike, of a forest and of a linear model: cross-validated inside the
training part, by which `dibble train` chooses, and on the groups held out.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from dibble.inference.features import ABOVE
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.data.prepare import DataOptions, prepare, with_features
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.folds import Learner
from dibble_tools.training.ratio_pools import MOST_PARTS, pool_accuracies

SIZES = (None, 24, 72, 255)
STEP_S = 300


def main() -> None:
    """Print a row for each set and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default="bme680_scents,thermal_presence")
    arguments = parser.parse_args()
    print(f"{'':18} {'':>9} {'cross-validated':>17} {'held out':>17}")
    for name in arguments.sets.split(","):
        with tempfile.TemporaryDirectory() as folder:
            table(arguments.folder / f"{name}.csv.gz", Path(folder) / f"{name}.csv", name)


def table(source: Path, path: Path, name: str) -> None:
    """Print the rows of a set."""
    frame = pd.read_csv(source)
    seconds = frame.groupby("group").cumcount() * STEP_S
    frame["when"] = (np.datetime64("2024-01-01T00:00:00") + seconds.to_numpy().astype("timedelta64[s]")).astype(str)
    frame.to_csv(path, index=False)
    data = prepare(path, DataOptions(label="label", group="group", time="when"))
    classes, y = np.unique(data.ds.labels, return_inverse=True)
    rows, test = np.flatnonzero(data.split.train & data.whole), np.flatnonzero(data.split.test & data.whole)
    learner = Learner(data, y, len(classes), parse_costs((), [str(name) for name in classes]), 0.0, 0, 1)
    parts = [(rows[fit], rows[score]) for fit, score in learner.parts(rows, 0)][:MOST_PARTS]
    for size in SIZES:
        more = [FeatureSpec(i, ABOVE, size) for i in range(len(data.channels))] if size else []
        values = (with_features(data, more) if more else data).values
        cells = [pool_accuracies(values, y, some, 0) for some in (parts, [(rows, test)])]
        told = " ".join(f"{100 * forest:7.1f} % {100 * line:5.1f} %" for forest, line in cells)
        print(f"{name:18} {f'above:{size}' if size else 'without':>9} {told}", flush=True)


if __name__ == "__main__":
    main()
