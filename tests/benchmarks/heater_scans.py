"""Heater scans, unseen groups: python tests/benchmarks/heater_scans.py FILE.csv[:GROUP] ... [--budget 60]

For each table of scans (gas_..._ohm columns and label; `dibble import bme` writes such) the accuracy on unseen groups:
of the best float model on all steps and their differences, of `dibble train --max-bytes 1024` on all steps, with ratios
where it takes them, and on the best single step. Without a GROUP the file's own columns say it.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.data.roles import roles_of
from dibble_tools.model.limits import Limits
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def float_accuracy(logs: np.ndarray, y: np.ndarray, fit: np.ndarray, test: np.ndarray) -> tuple[str, float]:
    """Return the best of three float models on logarithms and their differences, by the rows held out themselves."""
    pairs = [(a, b) for a in range(logs.shape[1]) for b in range(a)]
    x = np.column_stack([logs, *(logs[:, a] - logs[:, b] for a, b in pairs)]) if pairs else logs
    models = {
        "extra trees": ExtraTreesClassifier(200, random_state=0),
        "boosting": HistGradientBoostingClassifier(random_state=0),
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
    }
    found = {name: float(np.mean(m.fit(x[fit], y[fit]).predict(x[test]) == y[test])) for name, m in models.items()}
    best = max(found, key=lambda name: found[name])
    return best, found[best]


def one(path: Path, group: str | None, budget_s: float) -> tuple[float, float, float]:
    header = pd.read_csv(path, nrows=0).columns.tolist()
    others = [name for name in header if "ohm" not in name and name not in ("label", group)]
    roles = roles_of([path], "label", None, group, others if group else ())
    options = DataOptions(label=roles.label, group=roles.group, ignore=roles.ignore, profile=roles.profile)
    data = prepare(path, options)
    labels = data.ds.labels
    assert labels is not None
    y = np.unique(labels, return_inverse=True)[1]
    fit, test = np.flatnonzero(data.split.train & data.whole), np.flatnonzero(data.split.test & data.whole)
    logs = np.log2(data.readings.astype(np.float64))
    name, reference = float_accuracy(logs, y, fit, test)

    def trained(source: Path) -> tuple[float, int, str]:
        card = train(source, TrainOptions(options, limits=Limits(max_bytes=1024), budget_s=budget_s)).card
        taken = (card["scan"] or {}).get("chosen", "one step")
        return card["held_out"]["integer_model"]["accuracy"], card["model"]["bytes"], taken

    ten, size, taken = trained(path)
    alone = max(range(logs.shape[1]), key=lambda i: float_accuracy(logs[:, [i]], y, fit, test)[1])
    table = pd.read_csv(path)
    steps = [c.name for c in data.channels]
    with tempfile.TemporaryDirectory() as folder:
        single = Path(folder) / path.name.removesuffix(".gz")
        table.drop(columns=[step for step in steps if step != steps[alone]]).to_csv(single, index=False)
        step, step_size, _ = trained(single)
    print(
        f"{path.name}: {data.split.how}; float {reference:.1%} ({name}); ten steps {ten:.1%} ({size} bytes, {taken}); "
        f"{steps[alone]} alone {step:.1%} ({step_size} bytes)",
        flush=True,
    )
    return reference, ten, step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--budget", type=float, default=60.0)
    arguments = parser.parse_args()
    found = []
    for text in arguments.files:
        name, _, group = text.partition(":")
        found.append(one(Path(name), group or None, arguments.budget))
    reference, ten, step = np.mean(found, axis=0)
    print(f"mean: float {reference:.1%}, ten steps {ten:.1%}, one step {step:.1%}")


if __name__ == "__main__":
    main()
