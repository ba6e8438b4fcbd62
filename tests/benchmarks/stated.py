"""What a card states against groups held out: chosen too luckily, or groups that scatter?

    python tests/benchmarks/stated.py FOLDER [--sets gas_ethylene,hast_frost] [--seeds 3] [--drawn 4] [--noise 20]

FOLDER holds NAME.csv.gz files as for accuracy.py. For each set and seed other groups are held out. Inside the rest,
recipes are cross-validated as `dibble train` does it and one is chosen by its rule, the smallest within a standard
error of the best. Then each recipe is fitted on the rest, and meets the groups held out. Three gaps, stated minus held
out in points: of the recipe that was chosen; of all recipes on average, where nothing was chosen, so that what is left
is how groups scatter; and of the chosen one less the correction of Tibshirani and Tibshirani, A Bias Correction for the
Minimum Error Rate in Cross-Validation, 2009. Sets that are drawn have 40 groups to hold out, so that these don't
scatter: what is left there is bias. In those of noise nothing can be known of another group.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.model.limits import Limits
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.training.basis import about_of
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.cross_validation import Candidate, Task, cross_validate
from dibble_tools.training.folds import SEARCH_ROWS, Learner
from dibble_tools.training.recipes import parse_recipe
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.students import fit_student
from dibble_tools.training.tuner import equal_and_smallest, ranked

RECIPES = (
    "mlp:0@3", "mlp:0@8", "mlp:3@4", "mlp:6@8", "mlp:12@8/half", "additive:8+0@3", "additive:16+0@8", "additive:12+0@5",
    "boosted:4x3@8", "boosted:12x3@8", "voting:3x10@8", "voting:5x10@5",
)  # fmt: skip
GROUPS, FURTHER, ROWS = 7, 40, 120
NOISE_GROUPS = 4
MAX_BYTES = 512


def drawn(folder: Path, seed: int, groups: int = GROUPS) -> Path:
    """Write a set of groups whose channels are shifted and scaled, each by its own draw; three classes."""
    rng = np.random.default_rng(1000 + seed)
    mixing = rng.normal(0, 1, (5, 3))
    lines = [",".join([*(f"x{i}" for i in range(5)), "label", "group"])]
    for group in range(groups + FURTHER):
        latent = rng.normal(0, 1, (ROWS, 5))
        label = (np.tanh(latent) @ mixing + rng.normal(0, 0.4, (ROWS, 3))).argmax(axis=1)
        rows = latent * np.exp(rng.normal(0, 0.2, 5)) + rng.normal(0, 0.5, 5)
        lines += [",".join(f"{v:.3f}" for v in row) + f",c{k},g{group}" for row, k in zip(rows, label, strict=True)]
    path = folder / f"drawn_{seed}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def noise(folder: Path, seed: int) -> Path:
    """Write a set in which each class of each group has a place of its own, so that nothing holds on another group."""
    rng = np.random.default_rng(seed)
    lines = ["a,b,c,d,label,group"]
    for group in range(NOISE_GROUPS + FURTHER):
        for label in "xyz":
            rows = rng.normal(rng.normal(0, 20, 4), 6, (ROWS // 4, 4)) + 100
            lines += [",".join(f"{v:.1f}" for v in row) + f",{label},g{group}" for row in rows]
    path = folder / f"noise_{seed}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def correction(candidates: Sequence[Candidate], chosen: Candidate) -> float:
    """Return by how much the chosen one's accuracy is stated too high: mean over groups of best there minus chosen."""
    units = chosen.predictions.units
    at = [np.array([c.predictions.correct[units == u].mean() for u in np.unique(units)]) for c in candidates]
    mine = np.array([chosen.predictions.correct[units == u].mean() for u in np.unique(units)])
    return float(np.mean(np.max(at, axis=0) - mine))


def gaps(path: Path, seed: int) -> tuple[float, float, float, int]:
    """Return the three gaps in points, and how many groups were learned from."""
    options = TrainOptions(DataOptions(label="label", group="group", seed=seed), jobs=1, refit=False)
    data = prepare(path, options.data)
    assert data.ds.labels is not None and data.ds.groups is not None
    classes, y = np.unique(data.ds.labels, return_inverse=True)
    names = [str(name) for name in classes]
    rows, held = np.flatnonzero(data.split.train & data.whole), np.flatnonzero(data.split.test & data.whole)
    if known := {"drawn": GROUPS, "noise": NOISE_GROUPS}.get(path.name.split("_")[0]):
        few = np.isin(data.ds.groups, [f"g{i}" for i in range(known)])
        rows, held = np.flatnonzero(few & data.whole), np.flatnonzero(~few & data.whole)
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:SEARCH_ROWS])
    learner = Learner(data, y, len(names), parse_costs([], names), 0.0, seed, 1, quick=True)
    training_set = learner.training_set(rows)
    order, about = learner.order(rows, training_set), about_of(options, data, names, rows)
    folds = learner.folds(rows, learner.parts(rows, seed))
    sizes, limits = about.names_bytes(order), Limits(max_bytes=MAX_BYTES)
    task = Task(folds, len(names), len(order), learner.costs, limits, seed, about.smallest_blob, sizes)
    candidates = ranked(cross_validate(task, parse_recipe(text)) for text in RECIPES)
    candidates = [c for c in candidates if c.fits]
    each = []
    for candidate in candidates:
        student = fit_student(candidate.recipe, training_set, order, seed)
        content = content_of(about.smallest_blob(student))
        decided = class_scores(content, data.values[held][:, list(student.columns)]).argmax(axis=1)
        each.append(100 * (candidate.accuracy - float(np.mean(decided == y[held]))))
    at = equal_and_smallest(candidates)
    return (
        each[at],
        float(np.mean(each)),
        each[at] - 100 * correction(candidates, candidates[at]),
        len(np.unique(candidates[at].predictions.units)),
    )


def main() -> None:
    """Print the gaps of each set and seed, then their means with and without sign."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--sets", default="", help="names, comma-separated  [all]")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--drawn", type=int, default=4)
    parser.add_argument("--noise", type=int, default=0, help="sets of nothing but noise")
    arguments = parser.parse_args()
    wanted = arguments.sets.split(",") if arguments.sets else None
    real = sorted(arguments.folder.glob("*.csv.gz")) if arguments.folder else []
    found: dict[str, list[tuple[float, float, float]]] = {"real": [], "drawn": [], "noise": []}
    with tempfile.TemporaryDirectory() as folder:
        rounds = [(path, seed) for path in real if wanted is None or path.name.split(".")[0] in wanted
                  for seed in range(arguments.seeds)]  # fmt: skip
        rounds += [(drawn(Path(folder), seed), 0) for seed in range(arguments.drawn)]
        rounds += [(noise(Path(folder), seed), 0) for seed in range(arguments.noise)]
        for path, seed in rounds:
            chosen, mean, corrected, units = gaps(path, seed)
            kind = path.name.split("_")[0]
            found[kind if kind in found else "real"].append((chosen, mean, corrected))
            said = f"stated minus held out {chosen:+.1f}, of all recipes {mean:+.1f}, corrected {corrected:+.1f}"
            print(f"{path.name.split('.')[0]:18} {seed}: {said}; {units} groups", flush=True)
    for name, rows in found.items():
        if rows:
            a = np.array(rows)
            print(f"{name}: with sign {a.mean(axis=0).round(2)}, without {np.abs(a).mean(axis=0).round(2)}, "
                  f"standard error of the mean {a.std(axis=0).round(2) / np.sqrt(len(a))}")  # fmt: skip


if __name__ == "__main__":
    main()
