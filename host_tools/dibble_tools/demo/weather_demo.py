"""`dibble demo`: the whole job on a year of real weather, held against the simplest rule there is."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.common.terminal import Console
from dibble_tools.data import airport_weather as weather
from dibble_tools.data.datasets import read_dataset
from dibble_tools.data.prepare import DataOptions
from dibble_tools.machines.replay import cost
from dibble_tools.machines.verify import Agreement, agreement_table, verify, vms_that_can_exist
from dibble_tools.model.host_model import MODEL_FILE, HostModel
from dibble_tools.model.metrics import Scores, score
from dibble_tools.model.rows import read_rows
from dibble_tools.report.tables import demo_table, training_tables
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train

STATIONS = ("EWR", "JFK", "LGA")
BUDGET_S = 600.0  # far more than it takes: nothing is left out for lack of time, so it ends alike everywhere
BALANCE = 0.3  # frost and mould are rare: they count for more
RECIPE = "mlp:16@12"  # what a short search found: where a search ends depends on the machine
SMALL_RECIPE = "voting:5x8@4"
LABEL, TIME, GROUP = "hazard", "time", "station"


def run(station: str, out: Path, console: Console) -> bool:
    """Train on two airports, judge on the third, verify on the VMs; return whether all of it held.

    Args:
        station: the airport held out.
        out: folder for model.dib and card.json.
    """
    if station not in STATIONS:
        raise InputError(f"--station: expected one of {', '.join(STATIONS)}; got {station!r}")
    with tempfile.TemporaryDirectory(prefix="dibble-") as folder, console.status("preparing the weather") as status:
        file = Path(folder) / "field_weather.csv"
        weather.write_weather_csv(file)
        console.print("real weather: hourly, 2013, three airports; label: the hazard of the next 6 hours")
        data = DataOptions(label=LABEL, time=TIME, group=GROUP, test_groups=[station])
        options = TrainOptions(
            data, recipe=RECIPE, budget_s=BUDGET_S, jobs=os.cpu_count() or 1, balance=BALANCE, refit=False
        )
        trained = train(file, options, progress=lambda step, _: status.update(step))
        console.print(
            f"trained on {' and '.join(s for s in STATIONS if s != station)}, judged on {station}",
            markup=False,
            soft_wrap=True,
        )
        opened = trained.model
        status.update("judging persistence")
        rule = persistence(opened, file, station)
        rows = read_rows(opened, file, time=TIME, group=GROUP)
        vms = vms_that_can_exist()
        if "unix" not in vms:
            console.print("no unix VM exists for this machine: left out, the WASI VM stands in")
        found = verify(
            opened, rows.readings, rows.elapsed_ms, vms=vms, progress=lambda vm: status.update(f"on the VM: {vm}")
        )
        status.update("a smaller sibling, for the micro:bit")
        found.append(sibling_on_microbit(file, station))
        status.update("counting instructions")
        price = cost(opened, rows.readings)
    wasi = [replace(a, instructions=price.instructions) if a.vm.startswith("WASI") else a for a in found]
    card = trained.card
    card["held_out"]["persistence"] = {"what": "the next 6 hours are like now", **rule.to_json()}
    trained.save(out)
    screen = Console()
    screen.print(*training_tables(card, screen.width))
    screen.print(demo_table(card, rule, len(opened.blob), price.model_bytes))
    screen.print(agreement_table(wasi))
    screen.print(
        f"wrote {out / MODEL_FILE} ({len(opened.blob)} bytes), card.json and report.html", markup=False, soft_wrap=True
    )
    for agreement in found:
        if agreement.problem:
            console.print(f"{agreement.vm}: {agreement.problem}", markup=False, soft_wrap=True)
    return all(agreement.ok for agreement in found)


def persistence(model: HostModel, file: Path, station: str) -> Scores:
    """Return how good "the next 6 hours are like now" is on the rows the model is judged on."""
    ds = read_dataset(file, label=LABEL, time=TIME, group=GROUP)
    assert ds.labels is not None and ds.groups is not None
    judged = (ds.groups == station) & ~np.isnan(ds.values).any(axis=1)
    columns = [ds.values[judged, ds.columns.index(name)] for name in weather.RULE_COLUMNS]
    return score(ds.labels[judged], weather.persistence(*columns))


def sibling_on_microbit(file: Path, station: str) -> Agreement:
    """Train a few small trees on the last readings alone, which fit 9 KB of heap, and verify them there."""
    data = DataOptions(label=LABEL, group=GROUP, ignore=[TIME], test_groups=[station])
    small = TrainOptions(data, recipe=SMALL_RECIPE, budget_s=BUDGET_S, balance=BALANCE, refit=False)
    model = train(file, small).model
    rows = read_rows(model, file)
    (found,) = verify(model, rows.readings, None, vms=["microbit"])
    return replace(found, note=f"a sibling of {len(model.blob)} bytes")
