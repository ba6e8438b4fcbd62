"""Best student within 256, 512 and 2,048 bytes against the unlimited teacher, on a folder of data sets.

    python tests/benchmarks/accuracy.py FOLDER [--sets gas_ethylene,dry_bean] [--budget 30s] [--json out.json]

FOLDER holds NAME.csv.gz files with columns `label` and `group` (empty where rows are independent).
Groups are held out as `dibble train` does; the teacher, chosen inside the training part, sees the same rows.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from dibble_tools.common.durations import parse_seconds
from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import DataOptions
from dibble_tools.model.limits import Limits
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train


def main() -> None:
    """Print a row for each data set, then means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default="", help="names, comma-separated  [all]")
    parser.add_argument("--bytes", default="256,512,2048")
    parser.add_argument("--budget", default="30s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    sizes = [int(text) for text in arguments.bytes.split(",")]
    wanted = arguments.sets.split(",") if arguments.sets else None
    results: dict[str, dict[str, object]] = {}
    for path in sorted(arguments.folder.glob("*.csv.gz")):
        name = path.name.split(".")[0]
        if wanted and name not in wanted:
            continue
        for size in sizes:
            options = TrainOptions(
                DataOptions(label="label", group="group", seed=arguments.seed),
                limits=Limits(max_bytes=size),
                budget_s=parse_seconds(arguments.budget, "--budget"),
                refit=False,
            )
            start = time.monotonic()
            try:
                card = train(path, options).card
            except InputError as error:
                print(f"{name:18} {size:5}: {error}", flush=True)
                continue
            stages = {row["stage"]: row for row in card["stages"]}
            teacher, ours = stages["teacher"]["accuracy"], stages["shipped"]["accuracy"]
            loss = 100 * (teacher - ours)
            int8 = 100 * ((stages.get("pruned") or stages["student float"])["accuracy"] - ours)
            results[f"{name} {size}"] = {
                "teacher": teacher,
                "student": ours,
                "loss": loss,
                "int8_loss": int8,
                "bytes": stages["shipped"]["bytes"],
                "recipe": card["model"]["recipe"],
                "instructions": stages["shipped"]["instructions"],
                "seconds": round(time.monotonic() - start, 1),
            }
            print(
                f"{name:18} {size:5}: teacher {teacher:.4f}, student {ours:.4f}, loss {loss:+5.2f}, int8 {int8:+5.2f}, "
                f"{stages['shipped']['bytes']:5} bytes, {card['model']['recipe']}, {len(card['front'])} recipes, "
                f"{time.monotonic() - start:.0f} s",
                flush=True,
            )
    for size in sizes:
        mine = [row for key, row in results.items() if key.endswith(f" {size}")]
        for what in ("loss", "int8_loss"):
            values = np.array([float(row[what]) for row in mine])  # type: ignore[arg-type]
            if len(values):
                print(f"within {size} bytes: {what} mean {values.mean():+.2f}, worst {values.max():+.2f} points")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
