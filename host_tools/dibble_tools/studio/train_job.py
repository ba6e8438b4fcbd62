"""The job that trains: `dibble train`'s own functions, with progress for the page."""

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from dibble_tools.common.formatting import percent, times_in_100
from dibble_tools.data.prepare import DataOptions
from dibble_tools.model.limits import Limits
from dibble_tools.studio.job_process import run, tell
from dibble_tools.training.result import TrainOptions
from dibble_tools.training.train import train


def work(request: dict[str, Any]) -> dict[str, Any]:
    """Train on the project's readings; write the model's folder.

    Args:
        request: csv and folder as paths; roles as options of `dibble train`; features as a path or None; recipe or
            None; name; max_bytes; budget_s.
    """
    roles = _by_name(request["roles"])
    features = Path(request["features"]) if request["features"] else None
    data = DataOptions(
        label=roles["--label"][0],
        time=next(iter(roles["--time"]), None),
        group=next(iter(roles["--group"]), None),
        channels=roles["--channel"],
        ignore=roles["--ignore"],
        features=features,
    )
    options = TrainOptions(
        data,
        recipe=request["recipe"],
        limits=Limits(max_bytes=request["max_bytes"]),
        budget_s=request["budget_s"],
        jobs=os.cpu_count() or 1,
        name=request["name"],
    )
    trained = train(Path(request["csv"]), options, lambda step, share: tell(step=step, share=share))
    tell(step="drawing the report", share=1.0)
    trained.save(request["folder"])
    for note in trained.notes:
        tell(log=note)
    return {"words": _words(trained.card, len(trained.model.blob))}


def _by_name(options: list[str]) -> dict[str, list[str]]:
    """Return the values of each option of a command line of pairs."""
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in zip(options[::2], options[1::2], strict=True):
        values[name].append(value)
    return values


def _words(card: dict[str, Any], size: int) -> list[str]:
    judged = card["held_out"]["integer_model"]
    said = [
        f"On {judged['rows']:,} readings that were kept from it, it is right {times_in_100(judged['accuracy'])}. "
        f"It takes {size:,} bytes."
    ]
    doubted = {name: count for name, count in judged["flags"].items() if count}
    if doubted:
        reasons = ", ".join(f"{name} {count:,}" for name, count in doubted.items())
        said.append(f"It trusts {percent(judged['trusted']['share'])} of its decisions; the others: {reasons}.")
    return said


if __name__ == "__main__":
    run(work)
