"""How often a card's interval holds: drawn sets of few groups, each judged on many draws of groups that nothing saw.

    python tests/benchmarks/coverage.py [--sets 36] [--first 0]

A set has 5, 7 or 10 groups to learn from and 40 more, each shifted and scaled by a draw of its own (stated.py's).
A recipe is cross-validated on the first, whole groups held out as `dibble train` does it, which gives the accuracy that
a card would state and its 95 % interval for 2, 3 or 4 further groups. Then, fitted on them, it meets so many of the 40,
drawn 100 times. Told are the share of these draws inside the interval, the interval's width, and how far stated and
met are apart; "among groups" is how far the mean of so many groups lies from that of all 40, which nothing could know.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.model.limits import Limits
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.training.basis import about_of
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.cross_validation import Task, cross_validate
from dibble_tools.training.folds import Learner
from dibble_tools.training.recipes import parse_recipe
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.students import fit_student
from stated import FURTHER, drawn

RECIPES = ("mlp:0@5", "additive:8+0@4", "boosted:4x3@5")
KNOWN, MET = (5, 7, 10), (2, 3, 4)
DRAWS = 100


def judged(path: Path, known: int, recipe: str, met: int, seed: int) -> tuple[float, float, float, float]:
    """Return (share of draws inside, width, mean distance, mean distance among groups) of a recipe, in points."""
    options = TrainOptions(DataOptions(label="label", group="group", seed=seed), jobs=1, refit=False)
    data = prepare(path, options.data)
    assert data.ds.labels is not None and data.ds.groups is not None
    classes, y = np.unique(data.ds.labels, return_inverse=True)
    names = [str(name) for name in classes]
    few = np.isin(data.ds.groups, [f"g{i}" for i in range(known)])
    rows, held = np.flatnonzero(few & data.whole), np.flatnonzero(~few & data.whole)
    learner = Learner(data, y, len(names), parse_costs([], names), 0.0, seed, 1, quick=True, labels_alone=True)
    training_set = learner.training_set(rows)
    order, about = learner.order(rows, training_set), about_of(options, data, names, rows)
    folds = learner.folds(rows, learner.parts(rows, seed))
    task = Task(
        folds, len(names), len(order), learner.costs, Limits(), seed, about.smallest_blob, about.names_bytes(order)
    )
    found = cross_validate(task, parse_recipe(recipe))
    assert found is not None
    ends = found.interval(met)
    assert ends is not None
    student = fit_student(parse_recipe(recipe), training_set, order, seed)
    content = content_of(about.smallest_blob(student))
    right = class_scores(content, data.values[held][:, list(student.columns)]).argmax(axis=1) == y[held]
    each = np.array([right[data.ds.groups[held] == f"g{known + i}"].mean() for i in range(FURTHER)])
    rng = np.random.default_rng(seed)
    seen = np.array([rng.choice(each, met, replace=False).mean() for _ in range(DRAWS)])
    inside = float(np.mean((seen >= ends[0]) & (seen <= ends[1])))
    apart = [100 * float(np.abs(seen - centre).mean()) for centre in (found.accuracy, each.mean())]
    return inside, 100 * (ends[1] - ends[0]), apart[0], apart[1]


def main() -> None:
    """Print means by how many groups were learned from."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=36)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.first, arguments.first + arguments.sets):
            known, met = KNOWN[seed % len(KNOWN)], MET[seed // len(KNOWN) % len(MET)]
            path = drawn(Path(folder), seed, known)
            for recipe in RECIPES:
                results.append((known, *judged(path, known, recipe, met, seed)))
            path.unlink()
    table = np.array(results)
    for known in (*KNOWN, None):
        rows = table if known is None else table[table[:, 0] == known]
        inside, width, apart, among = rows[:, 1:].mean(axis=0)
        what = "all" if known is None else f"{known} groups"
        print(
            f"{what:9}: {inside:.1%} inside, {width:.1f} points wide; stated and met {apart:.1f} points apart, among "
            f"groups {among:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
