"""Best student within 256, 512 and 2,048 bytes against the unlimited teacher, on a folder of data sets.

    python tests/benchmarks/accuracy.py FOLDER [--sets gas_ethylene,dry_bean] [--budget 20s] [--json out.json]

FOLDER holds NAME.csv.gz files with columns `label` and `group` (empty where rows are independent).
Groups are held out as `dibble train` does; the teacher, chosen inside the training part, sees the same rows.
What doesn't depend on the size, all candidates for the teacher and the folds, is made once for a set; the budget
is of each size's search and of the final fit, in CPU time of this process: what else the machine does takes
nothing from it. A voting forest has no float student to compare its integers with: the float forest it comes from
is another, unpruned.
Beside each model's accuracy on the rows held out: what its card states of itself from cross-validation,
and whether the held-out accuracy lies within that statement's interval.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from dibble_tools.common.durations import parse_seconds
from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import DataOptions
from dibble_tools.model.limits import Limits
from dibble_tools.training.basis import study
from dibble_tools.training.card import make_card
from dibble_tools.training.result import Clock, TrainOptions
from dibble_tools.training.train import choose

NEVER = 1e9  # s: no candidate for the teacher is left out


def main() -> None:
    """Print a row for each data set and size, then means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default="", help="names, comma-separated  [all]")
    parser.add_argument("--bytes", default="256,512,2048")
    parser.add_argument("--budget", default="20s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--optimize", default="accuracy", help="accuracy, macro-f1 or auto  [accuracy, as it is compared]"
    )
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    sizes = [int(text) for text in arguments.bytes.split(",")]
    wanted = arguments.sets.split(",") if arguments.sets else None
    results: list[dict[str, Any]] = []
    for path in sorted(arguments.folder.glob("*.csv.gz")):
        name = path.name.split(".")[0]
        if wanted and name not in wanted:
            continue
        options = TrainOptions(
            DataOptions(label="label", group="group", seed=arguments.seed),
            budget_s=parse_seconds(arguments.budget, "--budget"),
            jobs=1,
            optimize=arguments.optimize,
            refit=False,
        )
        start = time.process_time()
        basis = study(path, options, Clock(NEVER, time.process_time))
        print(f"{name}: {time.process_time() - start:.0f} s of CPU for teachers and folds", flush=True)
        for size in sizes:
            wall, clock = time.monotonic(), Clock(options.budget_s, time.process_time)
            try:
                done = choose(basis, replace(options, limits=Limits(max_bytes=size)), clock)
                card = make_card(done, clock, lambda step, share: None)
            except InputError as error:
                print(f"{name:18} {size:5}: {error}", flush=True)
                continue
            row = _row(name, size, card)
            results.append(row | {"seconds": time.monotonic() - wall, "cpu_s": clock.now() - clock.start})
            _show(results[-1])
    _summary(results, sizes)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


def _row(name: str, size: int, card: dict[str, Any]) -> dict[str, Any]:
    """Return what a card says, in points."""
    stages = {row["stage"]: row for row in card["stages"]}
    stated, ours = card["cross_validated"], 100 * stages["shipped"]["accuracy"]
    before = stages.get("pruned") or stages["student float"]
    return {
        "set": name,
        "size": size,
        "teacher": 100 * stages["teacher"]["accuracy"],
        "student": ours,
        "loss": 100 * stages["teacher"]["accuracy"] - ours,
        "macro_f1": 100 * stages["shipped"]["macro_f1"],
        "int8_loss": None if "voting" in card["model"]["recipe"] else 100 * before["accuracy"] - ours,
        "stated": 100 * stated["accuracy"],
        "interval": [100 * end for end in stated["interval"]] if stated["interval"] else None,
        "units": stated["units"],
        "bytes": stages["shipped"]["bytes"],
        "recipe": card["model"]["recipe"],
        "instructions": stages["shipped"]["instructions"],
        "recipes": len(card["front"]),
    }


def _outside(row: dict[str, Any]) -> bool:
    return row["interval"] is not None and not row["interval"][0] <= row["student"] <= row["interval"][1]


def _show(row: dict[str, Any]) -> None:
    int8 = "-" if row["int8_loss"] is None else f"{row['int8_loss']:+5.2f}"
    interval = "none" if row["interval"] is None else "[{:.1f}, {:.1f}]".format(*row["interval"])
    print(
        f"{row['set']:18} {row['size']:5}: teacher {row['teacher']:.1f}, student {row['student']:.1f}, "
        f"loss {row['loss']:+5.2f}, int8 {int8}; stated {row['stated']:.1f} {interval} of "
        f"{row['units']} units{', OUTSIDE' if _outside(row) else ''}; {row['bytes']:5} bytes, {row['recipe']}, "
        f"{row['recipes']} recipes, {row['cpu_s']:.0f} s of CPU in {row['seconds']:.0f} s",
        flush=True,
    )


def _summary(results: Sequence[dict[str, Any]], sizes: Sequence[int]) -> None:
    for size in sizes:
        mine = [row for row in results if row["size"] == size]
        if not mine:
            continue
        losses = np.array([row["loss"] for row in mine])
        gaps = np.array([row["stated"] - row["student"] for row in mine])
        int8 = np.array([row["int8_loss"] for row in mine if row["int8_loss"] is not None] or [0.0])
        print(
            f"within {size} bytes: loss mean {losses.mean():+.2f}, median {np.median(losses):+.2f}, worst "
            f"{losses.max():+.2f}; stated minus held out {gaps.mean():+.2f}, without sign {np.abs(gaps).mean():.2f}, "
            f"outside the interval: {', '.join(row['set'] for row in mine if _outside(row)) or 'none'}; int8 against "
            f"its float: mean {int8.mean():+.2f}, worst {int8.max():+.2f}"
        )
    for fewer, more in pairwise(sizes):
        at = {(row["set"], row["size"]): row["student"] for row in results}
        both = [
            at[name, more] - student for (name, size), student in at.items() if size == fewer and (name, more) in at
        ]
        if both:
            print(f"from {fewer} to {more} bytes: {np.mean(both):+.2f} points on average, worst {np.min(both):+.2f}")


if __name__ == "__main__":
    main()
