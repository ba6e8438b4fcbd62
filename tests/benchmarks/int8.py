"""Integers against their own float student, every family, on groups held out.

    python tests/benchmarks/int8.py FOLDER [--sets gas_ethylene,dry_bean] [--drawn 0-5]

FOLDER holds NAME.csv.gz files as for accuracy.py; `--drawn` sets are made, of groups that are shifted. Each recipe is
fitted as `dibble train` fits it, on the rows of the training groups, and what its integers decide on the groups held
out is compared with what the same student decides in floats: a network before rounding, an additive model's curves, a
boosted forest's leaves before they share values, a voting forest's pruned trees with each leaf's shares of the classes.
Points lost; "one row" is what one row of the set is worth.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.training.basis import about_of
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.folds import SEARCH_ROWS, Learner
from dibble_tools.training.recipes import parse_recipe
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.students import fit_student

RECIPES = (
    "mlp:0@4", "mlp:0@12", "mlp:4@4", "mlp:8@6", "mlp:16@12", "mlp:12@8/half", "mlp:16@8/codebook", "mlp:24-12@12",
    "additive:8+0@4", "additive:16+0@8", "additive:24+0@16", "additive:16+4@8",
    "boosted:2x4@8", "boosted:4x3@8", "boosted:12x3@8", "boosted:36x3@16",
    "voting:3x6@8", "voting:5x10@8", "voting:10x24@16",
)  # fmt: skip
LOST_MAX = 0.5  # points
ROWS = 600  # of a drawn group


def drawn(folder: Path, seed: int) -> Path:
    """Write a set of 8 groups, whose channels are shifted by group; 2 to 5 classes, edges and bends between them."""
    rng = np.random.default_rng(seed)
    classes, features = 2 + seed % 4, 6
    lines = [",".join([*(f"x{i}" for i in range(features)), "label", "group"])]
    mixing = rng.normal(0, 1, (features, classes))
    for group in range(8):
        latent = rng.normal(0, 1, (ROWS, features))
        label = (np.tanh(latent) @ mixing + 0.6 * (latent**2) @ np.roll(mixing, 1, axis=0)).argmax(axis=1)
        rows = latent + rng.normal(0, 0.3, features)
        rows[:, 0] = np.exp(rows[:, 0])
        lines += [",".join(f"{v:.3f}" for v in row) + f",c{k},g{group}" for row, k in zip(rows, label, strict=True)]
    path = folder / f"drawn_{seed}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def differences(path: Path, recipes: tuple[str, ...]) -> Iterator[tuple[str, float, float, int, float]]:
    """Yield (recipe, float accuracy, integer accuracy, rows held out, share decided alike) of each recipe."""
    options = TrainOptions(DataOptions(label="label", group="group"), jobs=1, refit=False)
    data = prepare(path, options.data)
    assert data.ds.labels is not None
    classes, y = np.unique(data.ds.labels, return_inverse=True)
    names = [str(name) for name in classes]
    rows = np.flatnonzero(data.split.train & data.whole)
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:SEARCH_ROWS])
    held = np.flatnonzero(data.split.test & data.whole)
    learner = Learner(data, y, len(names), parse_costs([], names), 0.0, 0, 1, quick=True)
    training_set = learner.training_set(rows)
    order, about = learner.order(rows, training_set), about_of(options, data, names, rows)
    for text in recipes:
        student = fit_student(parse_recipe(text), training_set, order, 0)
        content = content_of(about.smallest_blob(student))
        integers = class_scores(content, data.values[held][:, list(student.columns)]).argmax(axis=1)
        before = [stage.scores for stage in student.stages if stage.scores is not None][-1]
        floats = before(data.values[held]).argmax(axis=1)
        right = [float(np.mean(decided == y[held])) for decided in (floats, integers)]
        yield text, *right, len(held), float(np.mean(floats == integers))


def main() -> None:
    """Print a line for each set and recipe, then mean and worst of each family."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--sets", default="", help="names, comma-separated  [all]")
    parser.add_argument("--drawn", default="0-5", help="seeds of sets that are drawn, A-B")
    parser.add_argument("--recipes", default=",".join(RECIPES))
    arguments = parser.parse_args()
    first, last = (int(seed) for seed in arguments.drawn.split("-"))
    wanted = arguments.sets.split(",") if arguments.sets else None
    found: dict[str, list[tuple[float, float, str]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = [drawn(Path(folder), seed) for seed in range(first, last + 1)]
        real = sorted(arguments.folder.glob("*.csv.gz")) if arguments.folder else []
        for path in [p for p in real if wanted is None or p.name.split(".")[0] in wanted] + paths:
            name = path.name.split(".")[0]
            for recipe, before, after, rows, alike in differences(path, tuple(arguments.recipes.split(","))):
                lost = 100 * (before - after)
                found.setdefault(recipe.split(":")[0], []).append((lost, 100 / rows, f"{name} {recipe}"))
                print(
                    f"{name:18} {recipe:18} float {before:.2%} lost {lost:+.2f} points, alike {alike:.2%}", flush=True
                )
    for family, each in found.items():
        lost, _, what = max(each)
        over = [f"{where} {points:.2f}" for points, row, where in each if points > max(LOST_MAX, row) + 1e-9]
        print(f"{family}: mean {np.mean([points for points, _, _ in each]):+.3f}, worst {lost:+.2f} ({what})")
        print(f"    over {LOST_MAX} and a row: {len(over)} of {len(each)}: {', '.join(over) or 'none'}")


if __name__ == "__main__":
    main()
