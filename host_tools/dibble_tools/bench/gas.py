"""Models of gas sensors' readings, trained when they are measured: sets whose licence lets no model of theirs ship.

The file has a column `label`, a column `group`, held out as `dibble train` does, and readings in all others.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dibble_tools.bench.cases import GAS, GAS_FOREST, MANY, Case, few
from dibble_tools.bench.shipped import Shipped
from dibble_tools.common.formatting import percent
from dibble_tools.data.channels import to_readings
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.model.host_model import HostModel
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train

RECIPE = "mlp:16@16"
BUDGET_S = 600.0  # more than it takes: the same model each time
OPTIONS = DataOptions(label="label", group="group")


def gas_cases(path: Path, told: Callable[[str], None] = lambda step: None) -> list[Case]:
    """Return a network of at most 2,048 bytes, and the forest of scikit-learn's that others' tools take, too.

    Raises:
        InputError: see train().
    """
    options = TrainOptions(OPTIONS, recipe=RECIPE, budget_s=BUDGET_S, jobs=os.cpu_count() or 1, refit=False)
    trained = train(path, options, lambda step, share: told(step))
    told("fitting the forest")
    data = prepare(path, OPTIONS)
    assert data.ds.labels is not None
    names = [channel.name for channel in data.channels]
    columns = [data.ds.columns.index(name) for name in names]
    held = data.split.test[data.whole]
    forest = Shipped(
        "gas_forest",
        "",
        data.split.how,
        data.ds.values[data.whole][:, columns],
        data.ds.labels[data.whole],
        held,
        trees=10,
        leaves=100,
        columns=tuple(names),
    )
    converted = forest.model()
    readings = forest.readings(converted)
    right = np.array(converted.classes)[converted.decide(readings).class_index] == forest.y
    of_rows = f"of {held.sum():,} rows, {data.split.how}"
    accuracy = trained.card["held_out"]["integer_model"]["accuracy"]
    own = to_readings(
        data.ds.values[data.whole][:, [data.ds.columns.index(c.name) for c in trained.model.channels]],
        trained.model.channels,
    )
    return [
        Case(
            GAS,
            f"{RECIPE} of {path.name}: right on {percent(accuracy)} {of_rows}",
            trained.model,
            *_rows(trained.model, own[held]),
        ),
        Case(
            GAS_FOREST,
            f"10 trees of 100 leaves, of {path.name}: right on {percent(right[held].mean())} {of_rows}",
            converted,
            *_rows(converted, readings[held]),
            forest,
        ),
    ]


def _rows(model: HostModel, readings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a few rows and many, held within the channels' ranges: sensors drift beyond what was trained on."""
    many = np.clip(readings[:MANY], model.model.low, model.model.high)
    return few(many), many
