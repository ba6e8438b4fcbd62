"""Models that tell a number, on groups held out: the search against fixed recipes, a change against a value, intervals.

    python tests/benchmarks/told_numbers.py FOLDER [--sets field,co2] [--budget 20s] [--bytes 1024] [--seeds 2]

FOLDER holds occupancy_uci, sydney_rain, hast_frost and dry_bean as .csv.gz with columns `label` and `group`; the set
`field` is made here: beds that dry by day and are watered, each at its own rate. Errors are mean absolute ones on
groups that nothing was fitted to or chosen by, as a share of what one would be off by without a model (saying that it
stays as it is, or the middle). `change` is the best fixed recipe taught how much the number changes until then, to
which the number of now is added. `holds` is how often the interval of 90 % held the truth in the groups held out.
Budgets are CPU time of this process.
"""

import argparse
import functools
import gzip
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dibble_tools.common.durations import parse_seconds
from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import DataOptions
from dibble_tools.model.limits import Limits
from dibble_tools.training import regression
from dibble_tools.training.result import Clock, TrainOptions

FIXED = ("mlp:12@8", "additive:24+2@8", "boosted:20x6@8")


@dataclass(frozen=True)
class Series:
    """A table with groups, what of it is to be told, and how many rows ahead of `minutes` each; 0: of now."""

    table: pd.DataFrame
    target: str
    rows_ahead: int = 0
    minutes: int = 0


def main() -> None:
    """Print a row for each set and seed, then the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default="field,field_day,co2,temperature,max_temp,frost,roundness")
    parser.add_argument("--budget", default="20s")
    parser.add_argument("--bytes", type=int, default=1024)
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    vars(regression)["Clock"] = functools.partial(Clock, now=time.process_time)
    rows = []
    for name in arguments.sets.split(","):
        series = SETS[name](arguments.folder)
        for seed in range(arguments.seeds):
            row = measured(series, seed, parse_seconds(arguments.budget, "--budget"), arguments.bytes)
            rows.append(row)
            print(f"{name:12} {seed}: {shown(row)}", flush=True)
    print(f"mean          : {shown({key: np.nanmean([row[key] for row in rows]) for key in rows[0]})}")


def shown(row: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.3f}" for key, value in row.items())


def measured(series: Series, seed: int, budget_s: float, most: int) -> dict[str, float]:
    """Return errors relative to saying nothing, and how often the search's interval held."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.csv"
        series.table.to_csv(path, index=False)
        found = told(path, series, seed, budget_s, most)
        plain = found["instead"]["mae"]
        row = {"search": found["held_out"]["mae"] / plain, "holds": found["held_out"]["within"]}
        row["floats"] = found["floats"]["mae"] / plain if found["floats"] else np.nan
        for recipe in FIXED:
            row[recipe] = error_of(path, series, seed, most, recipe, plain)
        row["best_fixed"] = min(row[recipe] for recipe in FIXED)
        row["change"] = np.nan
        if series.rows_ahead:
            changed = series.table.assign(change=of_change(series)).dropna()
            changed.to_csv(path, index=False)
            change = Series(changed, "change", 0, series.minutes)
            row["change"] = min(error_of(path, change, seed, most, recipe, plain) for recipe in FIXED)
    return row


def of_change(series: Series) -> pd.Series:
    later = series.table.groupby("group")[series.target].shift(-series.rows_ahead)
    return (later - series.table[series.target]).round(4)


def error_of(path: Path, series: Series, seed: int, most: int, recipe: str, plain: float) -> float:
    try:
        return float(told(path, series, seed, 5.0, most, recipe)["held_out"]["mae"] / plain)
    except InputError:
        return float("nan")  # too large


def told(
    path: Path, series: Series, seed: int, budget_s: float, most: int, recipe: str | None = None
) -> dict[str, Any]:
    """Return what the card says of the numbers held out."""
    data = DataOptions(
        label=None,
        target=series.target,
        time="time" if series.minutes else None,
        group="group" if series.table["group"].nunique() > 1 else None,
        ignore=[] if series.table["group"].nunique() > 1 else ["group"],
        ahead_ms=series.rows_ahead * series.minutes * 60_000,
        seed=seed,
    )
    options = TrainOptions(data, recipe=recipe, limits=Limits(max_bytes=most), budget_s=budget_s, jobs=1, refit=False)
    card: dict[str, Any] = regression.train_number(path, options).card["number"]
    return card


def field(folder: Path, rows_ahead: int = 6) -> Series:
    """Nine beds, 40 days of hours: the sun dries them, each at its own rate; rain and people water them."""
    rng = np.random.default_rng(5)
    rows = []
    for bed in range(9):
        rate, soil, cloud = rng.uniform(0.5, 1.6), rng.uniform(250, 450), 0.0
        for hour in range(24 * 40):
            cloud = 0.95 * cloud + rng.normal(0, 0.12)
            sun = max(0.0, np.sin((hour % 24 - 6) / 24 * 2 * np.pi)) * np.exp(-abs(cloud))
            air = 14 + 9 * sun + 2 * np.sin(hour / 24 / 9) + rng.normal(0, 0.3)
            soil -= rate * (0.3 + 6 * sun) * soil / 400
            soil = 480.0 if soil < 190 else min(520.0, soil + (rng.uniform(20, 90) if rng.random() < 0.004 else 0))
            when = pd.Timestamp("2024-05-01") + pd.Timedelta(hours=hour)
            rows.append((when, f"b{bed}", round(soil + rng.normal(0, 2)), round(air, 1), round(100 * sun)))
    table = pd.DataFrame(rows, columns=["time", "group", "soil_permille", "air_c", "sun"])
    return Series(table, "soil_permille", rows_ahead, 60)


def in_order(folder: Path, name: str, target: str, rows_ahead: int, minutes: int, every: int = 1) -> Series:
    """Return a set whose rows follow each other in time within their group, every so manieth row."""
    with gzip.open(folder / f"{name}.csv.gz", "rt") as file:
        table = pd.read_csv(file).drop(columns="label")
    table = table.groupby("group", group_keys=False).apply(lambda rows: rows.iloc[::every].assign(group=rows.name))
    place = table.groupby("group").cumcount()
    table.insert(0, "time", pd.Timestamp("2024-01-01") + pd.to_timedelta(place * minutes, unit="min"))
    return Series(table.reset_index(drop=True), target, rows_ahead, minutes)


def of_now(folder: Path, name: str, target: str) -> Series:
    with gzip.open(folder / f"{name}.csv.gz", "rt") as file:
        table = pd.read_csv(file).drop(columns="label")
    return Series(table.fillna({"group": "all"}), target)


SETS = {
    "field": field,
    "field_day": lambda folder: field(folder, 24),
    "co2": lambda folder: in_order(folder, "occupancy_uci", "CO2", 6, 5, 5),
    "temperature": lambda folder: in_order(folder, "occupancy_uci", "Temperature", 12, 5, 5),
    "max_temp": lambda folder: in_order(folder, "sydney_rain", "MaxTemp", 1, 1440),
    "frost": lambda folder: of_now(folder, "hast_frost", "temp"),
    "roundness": lambda folder: of_now(folder, "dry_bean", "roundness"),
}

if __name__ == "__main__":
    main()
