"""Heater scans, unseen groups: python tests/benchmarks/heater_scans.py FILE.csv[:GROUP[=VALUE,VALUE]] ... [--budget 60]

For each table of scans (gas_..._ohm columns and label; `dibble import bme` writes such) accuracies on groups that no
model has seen: of the best of several float models on all steps and their differences, of `dibble train --max-bytes
1024` on all steps, with ratios where it takes them, and on the best single step. GROUP is the column whose values stay
together, else what the file's own columns say; its VALUEs are held out, else about a quarter of them, drawn anew for
each of --seeds. A file that is named several times has a split by each; its figures are the means over its splits.

The budget is CPU time of this process: what else the machine does takes nothing away. References are told kindly: the
best float model, of each file or one for all, and the best single step are chosen by the rows held out.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import DataOptions, Prepared, prepare
from dibble_tools.data.roles import roles_of
from dibble_tools.model.limits import Limits
from dibble_tools.model.oracle import class_scores
from dibble_tools.training.result import Clock, TrainOptions
from dibble_tools.training.train import learn
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MAX_BYTES = 1024
TEN, ONE = "ten steps", "one step"
BELOW_FLOAT, ABOVE_ONE_STEP = 0.01, 0.15  # what is aimed at


def float_models() -> dict[str, BaseEstimator]:
    return {
        "extra trees": ExtraTreesClassifier(200, random_state=0),
        "forest": RandomForestClassifier(200, random_state=0),
        "boosting": HistGradientBoostingClassifier(random_state=0, max_iter=60),
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        "network": make_pipeline(StandardScaler(), MLPClassifier((32,), early_stopping=True, random_state=0)),
    }


@dataclass(frozen=True)
class Scans:
    """A table, split."""

    data: Prepared
    logs: np.ndarray
    y: np.ndarray
    fit: np.ndarray
    test: np.ndarray

    def score(self, model: BaseEstimator, x: np.ndarray) -> float:
        return float(np.mean(model.fit(x[self.fit], self.y[self.fit]).predict(x[self.test]) == self.y[self.test]))

    def floats(self) -> dict[str, float]:
        """Return the accuracy of each float model on logarithms and their differences."""
        logs = self.logs
        x = np.column_stack([logs, *(logs[:, a] - logs[:, b] for a in range(logs.shape[1]) for b in range(a))])
        return {name: self.score(model, x) for name, model in float_models().items()}

    def best_step(self) -> int:
        """Return the step that tells most by itself, by the rows held out themselves."""
        steps = range(self.logs.shape[1])
        return max(steps, key=lambda i: self.score(ExtraTreesClassifier(50, random_state=0), self.logs[:, [i]]))


def read(path: Path, options: DataOptions) -> Scans:
    data = prepare(path, options)
    labels = data.ds.labels
    assert labels is not None
    y = np.unique(labels, return_inverse=True)[1]
    fit, test = np.flatnonzero(data.split.train & data.whole), np.flatnonzero(data.split.test & data.whole)
    return Scans(data, np.log2(data.readings.astype(np.float64)), y, fit, test)


def trained(path: Path, options: DataOptions, budget_s: float) -> tuple[float, int, str]:
    """Return (accuracy on the rows held out, bytes, what of the scan was taken, and by which recipe)."""
    how = TrainOptions(options, limits=Limits(max_bytes=MAX_BYTES), budget_s=budget_s, refit=False, jobs=1)
    done = learn(path, how, Clock(budget_s, time.process_time))
    model, student = done.shipped.model, done.shipped.student
    decided = class_scores(model.content, done.held_out.values[:, list(student.columns)]).argmax(axis=1)
    taken = done.pools.chosen if done.pools else "one step"
    return float(np.mean(decided == done.held_out.y_true)), len(model.blob), f"{taken}, {done.chosen.recipe}"


def one(path: Path, group: str | None, held: tuple[str, ...], seed: int, budget_s: float) -> dict[str, float]:
    """Return the accuracies of each float model, of `dibble train` on ten steps and on the best one."""
    header = pd.read_csv(path, nrows=0).columns.tolist()
    others = [name for name in header if "ohm" not in name and name not in ("label", group)]
    roles = roles_of([path], "label", None, group, others if group else ())
    options = DataOptions(
        label=roles.label, group=roles.group, test_groups=held, ignore=roles.ignore, profile=roles.profile, seed=seed
    )
    scans = read(path, options)
    floats = scans.floats()
    name = best_of(floats)
    ten, size, taken = trained(path, options, budget_s)
    steps = [channel.name for channel in scans.data.channels]
    alone = steps[scans.best_step()]
    with tempfile.TemporaryDirectory() as folder:
        single = Path(folder) / path.name.removesuffix(".gz")
        pd.read_csv(path).drop(columns=[step for step in steps if step != alone]).to_csv(single, index=False)
        step, step_size, _ = trained(single, replace(options, profile=""), budget_s)
    print(
        f"{path.name}, {scans.data.split.how}: float {floats[name]:.1%} ({name}); ten steps {ten:.1%} ({size} bytes, "
        f"{taken}); {alone} alone {step:.1%} ({step_size} bytes)",
        flush=True,
    )
    return {**floats, TEN: ten, ONE: step}


def best_of(accuracies: dict[str, float]) -> str:
    return max(float_models(), key=lambda name: accuracies[name])


def mean_of(several: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([each[name] for each in several])) for name in several[0]}


def parts_of(text: str) -> tuple[Path, str | None, tuple[str, ...]]:
    name, _, group = text.partition(":")
    group, equals, values = group.partition("=")
    if not Path(name).is_file() or (equals and not values):
        raise InputError(f"expected FILE.csv, FILE.csv:GROUP or FILE.csv:GROUP=VALUE,VALUE, got {text}")
    return Path(name), group or None, tuple(values.split(",")) if equals else ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=parts_of)
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=1, help="splits of each file, where groups are drawn")
    arguments = parser.parse_args()
    splits: dict[Path, list[dict[str, float]]] = {}
    for path, group, held in arguments.files:
        seeds = range(1 if held else arguments.seeds)
        splits.setdefault(path, []).extend(one(path, group, held, seed, arguments.budget) for seed in seeds)
    means = {path: mean_of(several) for path, several in splits.items()}
    every = mean_of(list(means.values()))
    same, ten, step = best_of(every), every[TEN], every[ONE]
    for path, mean in means.items():
        own = best_of(mean)
        print(
            f"{path.name}, mean of {len(splits[path])} splits: float {mean[own]:.1%} ({own}), {same} {mean[same]:.1%}; "
            f"ten steps {mean[TEN]:.1%}, one step {mean[ONE]:.1%}"
        )
    best = float(np.mean([mean[best_of(mean)] for mean in means.values()]))
    print(
        f"mean of {len(means)} files: float {best:.1%}, each file's best, {every[same]:.1%}, the same for all "
        f"({same}); ten steps {ten:.1%}, one step {step:.1%}"
    )
    for words, reached in (
        (f"within {BELOW_FLOAT:.0%} of each file's best float model", ten >= best - BELOW_FLOAT),
        (f"within {BELOW_FLOAT:.0%} of the best float model, the same for all files", ten >= every[same] - BELOW_FLOAT),
        (f"{ABOVE_ONE_STEP:.0%} above one step", ten >= step + ABOVE_ONE_STEP),
    ):
        print(f"{words}: {'reached' if reached else 'NOT reached'}")


if __name__ == "__main__":
    main()
