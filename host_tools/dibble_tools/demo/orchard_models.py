"""How models/orchard and models/orchard_gate are made: `python -m dibble_tools.demo.orchard_models` writes both again.

Both learn from the same simulated year of nodes at three weather stations, and are judged on the nodes at the one
station that isn't among the training's. orchard knows all channels. orchard_gate, the first stage of a cascade, knows
those that cost next to nothing and the ethylene of the last reading, and says whether a new one is worth its energy;
while it says no, the node keeps the last one, for MAX_AGE cycles at most. A node with a timer instead of a gate is the
rule to beat; without the last reading, no gate beats it.
"""

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dibble_tools.data.datasets import Dataset, read_dataset
from dibble_tools.data.prepare import DataOptions
from dibble_tools.model.evaluator import evaluate
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import Limits
from dibble_tools.model.metrics import score
from dibble_tools.model.rows import read_rows
from dibble_tools.simulator.field_csv import CHANNELS, SKIP, write_field_csv
from dibble_tools.simulator.orchard.soil_water import SOILS
from dibble_tools.simulator.orchard.truth import RIPENING_PPB, STRONG_GUST_M_S
from dibble_tools.simulator.orchard.weather import GUST_FACTOR
from dibble_tools.training.result import Trained, TrainOptions
from dibble_tools.training.train import train

SOIL, SEED, NODES, DAYS = "loam", 0, 9, 365
HELD_OUT = ("simulated-3", "simulated-6", "simulated-9")  # all that stand at LGA
BUDGET_S = 3600.0  # far more than it takes: nothing is left out for lack of time, so it ends alike everywhere
BALANCE = 0.3  # four of the five states are rare: they count for more
RECIPE, COSTS = "boosted:12x3@15", ("irrigate:ok=5",)  # a thirsty tree costs more than a glass of water too many
GATE_RECIPE, GATE_COSTS = "boosted:1x4@5", ("look:skip=4",)
GATE_BYTES = 256
MAX_AGE = 36  # cycles: the default of the node's config
TIMERS = (2, 3, 4, 5, 6, 12)
ETHYLENE = "ethylene_ppb"
RULE_FROST_CENTI_C = 100  # a degree above freezing: it is seldom warmer in two hours of a frosty night


def make(folder: Path) -> dict[str, Any]:
    """Write both models below a folder; return what the cascade comes to, as the gate's card holds it."""
    with tempfile.TemporaryDirectory(prefix="dibble-") as scratch:
        file, gate_file = (Path(scratch) / f"{name}.simulated.csv" for name in ("orchard", "orchard_gate"))
        write_field_csv(file, days=DAYS, seed=SEED, nodes=NODES, soil=SOIL)
        write_field_csv(gate_file, days=DAYS, seed=SEED, nodes=NODES, soil=SOIL, label="gate")
        data = DataOptions(label="state", time="time", group="node", test_groups=HELD_OUT)
        trained = _train(file, "orchard", TrainOptions(data, recipe=RECIPE, costs=COSTS, balance=BALANCE, refit=False))
        ds = read_dataset(file, label="state", time="time", group="node")
        assert ds.labels is not None and ds.groups is not None
        held = np.isin(ds.groups, HELD_OUT)
        rule = score(ds.labels[held], threshold_rule(ds)[held])
        what = "fixed thresholds: air, mean wind, moisture at which a loam's easy water ends, ethylene"
        trained.card["held_out"]["rule"] = {"what": what, **rule.to_json()}
        limits = Limits(max_bytes=GATE_BYTES)
        # Without times: no windows, so a gate that wasn't asked in a cycle missed nothing. Never unsure: it would look.
        data = DataOptions(label="gate", group="node", ignore=["time"], test_groups=HELD_OUT)
        gate_options = TrainOptions(data, recipe=GATE_RECIPE, costs=GATE_COSTS, limits=limits, sure=0.0, refit=False)
        gate = _train(gate_file, "orchard_gate", gate_options)
        gate.card["held_out"]["cascade"] = cascade(trained.model, gate.model, file)
    for one in (trained, gate):
        one.card["data"]["simulated"] = (
            f"a year of {NODES} nodes on {SOIL}, no measured reading: see dibble_tools/simulator"
        )
        one.save(folder / one.model.content.name)
    return {"rule": trained.card["held_out"]["rule"], **gate.card["held_out"]["cascade"]}


def threshold_rule(ds: Dataset) -> np.ndarray:
    """Return the state of each row by thresholds that need no training, in the order of the states."""
    columns = {name: ds.values[:, ds.columns.index(name)] for name in CHANNELS}
    soil = SOILS[SOIL]
    limit = soil.permille((soil.field_capacity + soil.wilting_point) / 2)  # half of the available water is gone
    conditions = [
        columns["air_temperature_centi_c"] <= RULE_FROST_CENTI_C,
        columns["wind_speed_cm_s"] >= 100 * STRONG_GUST_M_S / GUST_FACTOR,
        columns["soil_moisture_permille"] < limit,
        columns["ethylene_ppb"] >= RIPENING_PPB,
    ]
    return np.select(conditions, ["frost", "wind", "irrigate", "ripening"], "ok")


def cascade(model: HostModel, gate: HostModel, file: Path) -> dict[str, Any]:
    """Return the readings saved and the accuracy lost by the gate on the nodes held out, and by timers."""
    rows = read_rows(model, file, label="state", time="time", group="node")
    cheap = read_rows(gate, file, label="state", time="time", group="node")
    assert rows.ds.labels is not None and rows.ds.groups is not None and rows.elapsed_ms is not None
    held = np.isin(rows.ds.groups, HELD_OUT)
    truth, groups = rows.ds.labels[held], rows.ds.groups[held]
    starts = np.concatenate([[True], groups[1:] != groups[:-1]])
    column = [channel.name for channel in model.channels].index(ETHYLENE)
    taken = {"always": np.ones(len(truth), bool), "gate": gated(gate, cheap.readings[held], starts)}
    taken |= {f"a timer, every {every} cycles": timed(starts, every) for every in TIMERS}
    result: dict[str, Any] = {"max_age_cycles": MAX_AGE}
    for name, looks in taken.items():
        readings = rows.readings[held]
        last = np.maximum.accumulate(np.where(looks, np.arange(len(looks)), 0))
        readings[:, column] = readings[last, column]
        decided = evaluate(model.content, readings, rows.elapsed_ms[held]).class_index
        right = np.array(model.content.classes)[decided] == truth
        result[name] = {
            "readings_skipped": round(1 - float(looks.mean()), 4),
            "ripening_recall": round(float(right[truth == "ripening"].mean()), 4),
            "accuracy": round(float(right.mean()), 4),
        }
    return result


def gated(gate: HostModel, readings: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the rows at which a node with this gate reads ethylene; see the firmware's node.read_costly.

    Args:
        readings: (rows, channels of the gate), ethylene as it would be read.
        starts: rows at which a node begins.
    """
    names = [channel.name for channel in gate.channels]
    column = names.index(ETHYLENE)
    skip = gate.content.classes.index(SKIP)
    taken = np.zeros(len(readings), bool)
    age = kept = 0
    for row, (values, start) in enumerate(zip(readings.tolist(), starts.tolist(), strict=True)):
        age = MAX_AGE if start else age
        now, values[column] = values[column], kept
        look = age >= MAX_AGE
        if not look:
            decision = gate.model.predict(values)
            look = decision.flags != 0 or decision.class_index != skip
        if look:
            taken[row], kept, age = True, now, 0
        age += 1
    return taken


def timed(starts: np.ndarray, every: int) -> np.ndarray:
    """Return the rows at which a node with a timer reads: where it begins, and every so many rows after that."""
    rows = np.arange(len(starts))
    return (rows - np.maximum.accumulate(np.where(starts, rows, 0))) % every == 0


def _train(file: Path, name: str, options: TrainOptions) -> Trained:
    return train(file, replace(options, name=name, budget_s=BUDGET_S, jobs=os.cpu_count() or 1))


if __name__ == "__main__":
    print(make(Path(sys.argv[1]) if sys.argv[1:] else Path("models")))
