"""What a baseline of a node's own is worth: quick models of floats, with and without, on groups that they hadn't seen.

    python tests/benchmarks/baselines.py FOLDER [--sets bme680_scents,thermal_presence] [--nodes 2]

FOLDER is as accuracy.py's. The sets have no times: rows of a group are taken as one each five minutes, in their order.
Each figure is the mean accuracy, classes counted alike, of a forest and of a linear model: cross-validated inside the
training part, by which `dibble train` chooses, and on the groups held out. `--nodes` draws so many sets of each kind
of ten nodes in soil, whose probes differ by nothing, a level, a gain or both, and holds forms of a baseline against
each other: above the EMA (which there is), ratio to a rolling median, z by the node's own first so many readings.
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
NODES, DAYS, DAY = 10, 6, 96  # of a drawn set; readings a day
KINDS = {"same": (0.0, 0.0), "level": (120.0, 0.0), "gain": (0.0, 0.35), "both": (120.0, 0.35)}
FORMS = ("above its EMA", "ratio to its median", "z by its first")


def main() -> None:
    """Print a row for each set and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default="bme680_scents,thermal_presence")
    parser.add_argument("--nodes", type=int, default=0, help="drawn sets of each kind, and forms of a baseline")
    arguments = parser.parse_args()
    if arguments.nodes:
        compare_forms(arguments.folder, arguments.sets.split(","), arguments.nodes)
        return
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


def nodes(seed: int, level: float, gain: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values (rows, 4), classes by how wet the soil is, and nodes, which differ by a level and a gain."""
    rng = np.random.default_rng(seed)
    parts = []
    for node in range(NODES):
        wet, is_wet = np.empty(DAY * DAYS), float(rng.uniform(0.3, 1))
        for t in range(len(wet)):
            is_wet *= 1 - rng.uniform(0, 0.006)
            if rng.random() < (0.024 if is_wet < 0.25 else 0.004):  # rain, or somebody waters
                is_wet = min(1.0, is_wet + rng.uniform(0.3, 0.7))
            wet[t] = is_wet
        day = np.sin(np.arange(len(wet)) * 2 * np.pi / DAY + rng.uniform(0, 0.5))
        air = 20 + 8 * day + np.repeat(rng.normal(0, 2, DAYS), DAY)
        humidity = 500 - 12 * air + rng.normal(0, 10, len(wet))
        true = np.column_stack([400 * wet + 100, 200 * wet + 150 - 20 * day, 10 * air + 200, humidity])
        own = true + rng.normal(0, 8, true.shape)
        own = np.maximum(own * np.exp(rng.normal(0, gain, 4)) + rng.normal(0, level, 4), 1)
        parts.append((own, np.digitize(wet, [0.3, 0.6]), np.full(len(wet), node)))
    return np.concatenate([p[0] for p in parts]), *(np.concatenate([p[i] for p in parts]) for i in (1, 2))


def baselines_of(values: np.ndarray, groups: np.ndarray, size: int) -> list[np.ndarray]:
    """Return each of FORMS of every channel, of readings until then; rows of a group are in order."""
    made = [np.zeros(values.shape) for _ in FORMS]
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        own = pd.DataFrame(values[rows].astype(np.float64))
        first = own.iloc[:size]
        made[0][rows] = own - own.ewm(alpha=1 / size, adjust=False).mean()
        made[1][rows] = np.log(own.clip(lower=1) / own.rolling(size, min_periods=1).median().clip(lower=1))
        made[2][rows] = (own - first.mean()) / (first.std(ddof=0) + 1e-3 * first.mean().abs() + 1e-9)
    return made


def compare_forms(folder: Path, sets: list[str], count: int) -> None:
    """Print for each set the accuracy without a baseline and with each form, of the better model and size."""
    drawn = {f"{kind} {seed}": nodes(seed, *KINDS[kind]) for kind in KINDS for seed in range(count)}
    for name in sets:
        frame = pd.read_csv(folder / f"{name}.csv.gz").dropna()
        values = frame.drop(columns=["label", "group"]).to_numpy(dtype=np.float64)
        drawn[name] = values, pd.factorize(frame["label"], sort=True)[0], frame["group"].astype(str).to_numpy()
    rows = {}
    for name, (values, y, groups) in drawn.items():
        shuffled = np.random.default_rng(0).permutation(np.unique(groups))
        held = [np.isin(groups, some) for some in np.array_split(shuffled, MOST_PARTS)]
        parts = [(np.flatnonzero(~one), np.flatnonzero(one)) for one in held]
        every = [[values], *([np.column_stack([values, form]) for form in
                              baselines_of(values, groups, size)] for size in (24, DAY))]  # fmt: skip
        found = [[max(pool_accuracies(one, y, parts, 0)) for one in some] for some in every]
        rows[name] = dict(zip(("without", *FORMS), [found[0][0], *np.max(found[1:], axis=0)], strict=True))
    table = 100 * pd.DataFrame(rows).T
    table.loc["mean"] = table.mean()
    print(table.round(1).to_string())


if __name__ == "__main__":
    main()
