"""Families against each other and against peers on one data set: accuracy, bytes, exact instructions.

    pip install 'dibble[bench]'
    python tests/benchmarks/families.py FOLDER/gas_ethylene.csv.gz [--recipes additive:16+0@8,mlp:16@8]

The file has columns `label` and `group`. `kernel` is the family's scaling and tables alone, `predict()` all
that a node does, both in WebAssembly instructions of MicroPython's 32-bit build, the mean over held-out rows.
Peers: the network of the mlp recipe in plain Python loops over lists, its codes given; and a scikit-learn forest
of 10 trees of 100 leaves as emlearn's CSV and as m2cgen's Python.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from dibble_tools.bench.peers import fuel
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.machines.replay import cost, kernel_cost
from dibble_tools.model.content import Mlp
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.oracle import scale
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train
from sklearn.ensemble import RandomForestClassifier

RECIPES = "additive:16+0@8,mlp:16@8,boosted:20x3@8,voting:10x100@8"
ROWS = 20
PLAIN = """
def scores(layers, x):
    for last, weights, biases, shifts in layers:
        out = []
        for k in range(len(biases)):
            total = biases[k]
            for i in range(len(x)):
                total += weights[k][i] * x[i]
            total >>= shifts[k]
            if not last:
                total = max(0, min(255, total))
            out.append(total)
        x = out
    return x
layers = {layers}
"""


def plain_loops(model: HostModel, values: np.ndarray) -> int:
    """Return the instructions of the same network in plain Python loops, its codes given."""
    network = model.content.family
    assert isinstance(network, Mlp)
    inputs, plain = len(network.scalers), []
    for i, layer in enumerate(network.layers):
        plain.append((i + 1 == len(network.layers), layer.weights(inputs), layer.biases, layer.shifts))
        inputs = len(layer.rows)
    return fuel(PLAIN.replace("{layers}", repr(plain)), "scores(layers, row)", scale(network.scalers, values))


def peers(x: np.ndarray, y: np.ndarray, test: np.ndarray) -> list[tuple[Any, ...]]:
    """Return rows of the table for a scikit-learn forest through emlearn and m2cgen."""
    import m2cgen
    from dibble_tools.bench.emlearn_c import csv_bytes

    forest = RandomForestClassifier(10, max_leaf_nodes=100, random_state=0).fit(x[~test], y[~test])
    accuracy = float(np.mean(forest.predict(x[test]) == y[test]))
    size = csv_bytes(forest)
    code = m2cgen.export_to_python(forest)
    count = fuel(code, "score(row)", x[test][:: max(1, test.sum() // ROWS)][:ROWS])
    what = "scikit-learn forest 10 x 100"
    return [
        (f"{what}, emlearn's CSV", accuracy, size, None, None),
        (f"{what}, m2cgen", accuracy, len(code), count, None),
    ]


def main() -> None:
    """Print the table, and the ratios that are claimed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--recipes", default=RECIPES)
    arguments = parser.parse_args()
    options = DataOptions(label="label", group="group")
    data = prepare(arguments.file, options)
    test = data.split.test & data.whole
    table: list[tuple[Any, ...]] = []
    for recipe in arguments.recipes.split(","):
        trained = train(
            arguments.file, TrainOptions(options, recipe=recipe, limits=_NO_LIMIT, budget_s=2.0, refit=False)
        )
        model = trained.model
        at = [[c.name for c in data.channels].index(channel.name) for channel in model.channels]
        rows = np.flatnonzero(test)[:: max(1, test.sum() // ROWS)][:ROWS]
        values = data.values[rows][:, at]
        accuracy = trained.card["held_out"]["integer_model"]["accuracy"]
        kernel, whole = kernel_cost(model, values), cost(model, data.readings[rows][:, at]).instructions
        table.append((recipe, accuracy, len(model.blob), kernel, whole))
        if recipe.startswith("mlp"):
            table.append((f"{recipe} in plain loops", accuracy, None, plain_loops(model, values), None))
    assert data.ds.labels is not None
    table += peers(data.ds.values[data.whole], data.ds.labels[data.whole], data.split.test[data.whole])
    print(f"{'':46} accuracy    bytes      kernel   predict()")
    for name, accuracy, *figures in table:
        print(f"{name:46} {accuracy:8.4f} " + " ".join("         -" if f is None else f"{f:10,}" for f in figures))
    by = {name.split(":")[0] if ":" in name and "plain" not in name else name: row for name, *row in table}
    plain = next((row for name, row in by.items() if "plain" in name), None)
    if "additive" in by and "voting" in by and plain:
        print(f"additive kernel / 10-tree forest kernel: 1/{by['voting'][2] / by['additive'][2]:.1f}")
        print(f"additive kernel / plain-loop network: 1/{plain[2] / by['additive'][2]:.1f}")


if __name__ == "__main__":
    from dibble_tools.model.limits import Limits

    _NO_LIMIT = Limits()
    main()
