"""How many labels of its own bring a new node to where a model is on the nodes that it was trained on.

    python tests/benchmarks/node_labels.py FOLDER [--sets gas_ethylene,aedes_wingbeat] [--labels 5,10,20,40]

FOLDER is as accuracy.py's; a group stands for a node. For each group held out, so many of its rows are labelled, drawn
as they come, the model is adapted (`dibble adapt`), and both are scored on the group's other rows. "trained": rows of
the groups trained on that the model didn't learn from. "centroids": the nearest mean of the labelled rows alone, in
standardized readings, as a learner on the board without a model would do it.
"""

import argparse
from pathlib import Path

import numpy as np
from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.model.host_model import HostModel
from dibble_tools.training.adapting import NOTHING, Labelled, adapt
from dibble_tools.training.basis import about_of
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.folds import Learner
from dibble_tools.training.recipes import parse_recipe
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.students import fit_student

SETS = "aedes_wingbeat,bme680_scents,gas_ethylene,hast_frost,occupancy_uci,thermal_presence"
RECIPES = ("additive:16+0@{}", "mlp:8@{}")
DRAWS = 2
LEARNED = 0.8  # of the training groups' rows
LEAST = 60  # rows of a group


def main() -> None:
    """Print a row for each set, recipe and number of labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default=SETS)
    parser.add_argument("--labels", default="5,10,20,40")
    arguments = parser.parse_args()
    counts = [int(text) for text in arguments.labels.split(",")]
    columns = ("trained", "new node", "adapted", "changed", "centroids")
    print(f"{'':18} {'recipe':16} {'labels':>6} " + " ".join(f"{name:>9}" for name in columns))
    for name in arguments.sets.split(","):
        for recipe in RECIPES:
            each(arguments.folder / f"{name}.csv.gz", name, recipe, counts)


def each(path: Path, name: str, recipe: str, counts: list[int]) -> None:
    """Print the rows of a set and a recipe."""
    data = prepare(path, DataOptions(label="label", group="group"))
    classes, y = np.unique(data.ds.labels, return_inverse=True)
    names = [str(one) for one in classes]
    train, test = np.flatnonzero(data.split.train & data.whole), np.flatnonzero(data.split.test & data.whole)
    keep = np.random.default_rng(0).random(len(train)) < LEARNED
    learned, others = train[keep], train[~keep]
    training_set = Learner(data, y, len(names), parse_costs((), names), 0.0, 0, 1).training_set(learned)
    about = about_of(TrainOptions(DataOptions(label="label")), data, names, learned)
    features = data.values.shape[1]
    student = fit_student(parse_recipe(recipe.format(features)), training_set, list(range(features)), 0)
    model = HostModel(about.smallest_blob(student))
    readings = data.readings[:, about.kept(student.columns)]
    plain = readings[learned].mean(axis=0), readings[learned].std(axis=0) + 1e-9

    def right(one: HostModel, rows: np.ndarray) -> float:
        return float(np.mean(one.decide(readings[rows]).class_index == y[rows]))

    trained = right(model, others)
    for count in counts:
        found = []
        for group in np.unique(data.ds.groups[test]):
            rows = test[data.ds.groups[test] == group]
            for draw in range(DRAWS if len(rows) >= LEAST else 0):
                chosen = np.sort(np.random.default_rng(draw).permutation(rows)[:count])
                rest = np.setdiff1d(rows, chosen)
                labelled = Labelled(readings[chosen], None, np.arange(count), y[chosen])
                try:
                    made = adapt(model, labelled, student.margin_unit)
                    after, changed = right(made.model, rest), made.how != NOTHING
                except InputError:  # one class only among the labels
                    after, changed = right(model, rest), False
                x = (readings - plain[0]) / plain[1]
                there = np.unique(y[chosen])
                means = np.array([x[chosen][y[chosen] == k].mean(axis=0) for k in there])
                nearest = there[np.abs(x[rest][:, None] - means).sum(axis=2).argmin(axis=1)]
                found.append((trained, right(model, rest), after, changed, float(np.mean(nearest == y[rest]))))
        print(f"{name:18} {recipe.format(features):16} {count:6} " + _cells(np.mean(found, axis=0)), flush=True)


def _cells(figures: np.ndarray) -> str:
    return " ".join(f"{100 * figure:7.1f} %" for figure in figures)


if __name__ == "__main__":
    main()
