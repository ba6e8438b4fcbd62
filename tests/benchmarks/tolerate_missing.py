"""What --tolerate-missing costs and gives on a folder of data sets: with readings dropped in training, and without.

    python tests/benchmarks/tolerate_missing.py FOLDER [--sets hast_frost,occupancy_uci]

FOLDER is as accuracy.py's; groups are held out as `dibble train` does. For each set and recipe three models: a plain
one, one whose missing readings are stood in for though it never learned so, and one that learned with readings
dropped. Each is scored on the rows held out as they are, and with each channel missing in turn: the mean over
channels. Without tolerance a row with a missing reading isn't decided at all.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.model.oracle import class_scores
from dibble_tools.model.reader import content_of
from dibble_tools.training.basis import about_of
from dibble_tools.training.costs import parse_costs
from dibble_tools.training.dropouts import dropped, with_dropouts
from dibble_tools.training.folds import Learner
from dibble_tools.training.recipes import parse_recipe
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.students import fit_student

SETS = "aedes_wingbeat,bme680_scents,hast_frost,occupancy_uci,sydney_rain,thermal_presence"
RECIPES = ("additive:16+3@{}", "mlp:8@{}", "boosted:12x3@{}", "voting:5x10@{}")


def main() -> None:
    """Print a row for each set and recipe, then means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default=SETS)
    arguments = parser.parse_args()
    print(f"{'':18} {'recipe':16} {'plain':>7} | {'stand-ins only':>16} | {'readings dropped':>16}")
    print(f"{'':35} {'whole':>7} | {'whole':>7} {'missing':>8} | {'whole':>7} {'missing':>8}")
    rows = []
    for name in arguments.sets.split(","):
        for text, found in each_recipe(arguments.folder / f"{name}.csv.gz"):
            rows.append(found)
            print(f"{name:18} {text:16} " + _cells(found), flush=True)
    print(f"{'mean':35} " + _cells(np.mean(rows, axis=0)))


def each_recipe(path: Path):
    """Yield (recipe, [plain whole, stand-ins whole, missing, dropped whole, missing]) of a set, in shares."""
    data = prepare(path, DataOptions(label="label", group="group", tolerate=True))
    classes, y = np.unique(data.ds.labels, return_inverse=True)
    train, test = np.flatnonzero(data.split.train & data.whole), np.flatnonzero(data.split.test & data.whole)
    plain = replace(data, stand_ins=[])
    names = [str(name) for name in classes]
    costs = parse_costs((), names)
    training_set = Learner(plain, y, len(names), costs, 0.0, 0, 1).training_set(train)
    about = about_of(TrainOptions(DataOptions(label="label")), plain, names, train)
    order = list(range(data.values.shape[1]))
    for recipe in RECIPES:
        text = recipe.format(len(order))
        found = []
        for rows in (training_set, with_dropouts(training_set, data, 0)):
            student = fit_student(parse_recipe(text), rows, order, 0)
            content = content_of(about.smallest_blob(student))

            def right(values: np.ndarray, content=content, student=student) -> float:
                return float(np.mean(class_scores(content, values[:, student.columns]).argmax(axis=1) == y[test]))

            whole = right(data.values[test])
            gone = [right(dropped(data.values[test], data, [channel])) for channel in range(len(data.channels))]
            found += [whole, float(np.mean(gone))]
        yield text, [found[0], *found]


def _cells(found) -> str:
    texts = [f"{100 * share:.1f} %" for share in found]
    return f"{texts[0]:>7} | {texts[1]:>7} {texts[2]:>8} | {texts[3]:>7} {texts[4]:>8}"


if __name__ == "__main__":
    main()
