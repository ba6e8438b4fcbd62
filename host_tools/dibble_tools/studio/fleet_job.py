"""The job that updates nodes of a fleet: `dibble fleet update`'s own functions."""

import time
from pathlib import Path
from typing import Any

from dibble_tools.fleet.broker import Broker
from dibble_tools.fleet.database import open_database
from dibble_tools.fleet.health import fleet_health
from dibble_tools.fleet.rollout import Rollout, by_trust, parcels_of, waves
from dibble_tools.studio.job_process import run, tell


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """Bring nodes a model, the canary first.

    Args:
        asked: of studio.FleetPlace; model as a path; nodes, a pattern; canary, then, patience_s as `rollout` has them.
    """
    names = by_trust(fleet_health(open_database(asked["db"], must_exist=True), int(time.time()), asked["nodes"]))
    key = Path(asked["key"]) if asked["key"] else None
    parcels = parcels_of(names, Path(asked["model"]), None, key)

    def step(text: str) -> None:
        tell(step=text, log=text)

    broker = Broker.of(asked["broker"], asked["user"], asked["ca"])
    with Rollout(broker, parcels, asked["patience_s"], step) as rollout:
        outcome = rollout.run(waves(names, asked["canary"], asked["then"]))
    words = [f"{len(outcome.confirmed)} of {len(names)} nodes run it."]
    words += [f"{name}: {why}" for name, why in outcome.failed.items()]
    if outcome.untouched:
        words.append(f"{len(outcome.untouched)} nodes were left as they are.")
    return {"words": words, "rely": not outcome.failed}


if __name__ == "__main__":
    run(work)
