"""How models/coffee_or_air is made: `python -m dibble_tools.demo.coffee_model SCANS.csv`, of what isn't shipped.

They are 5,232 scans of a BME690's eight sensors, in mcalisterkm/teach-your-pi-to-sniff-with-BME690 (MIT): coffee beans
in one session, room air in another. So class and session are one, and the model may know either: its card says so.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from dibble_tools.data.prepare import DataOptions
from dibble_tools.data.roles import roles_of
from dibble_tools.model.limits import Limits
from dibble_tools.training.result import Trained, TrainOptions
from dibble_tools.training.train import train

MOST_BYTES = 512
BUDGET_S = 120.0
SOURCE = "github.com/mcalisterkm/teach-your-pi-to-sniff-with-BME690, MIT License, Copyright (c) 2021"
CAVEAT = (
    "class and session are one: coffee was recorded in one session and air in another, so the model may tell the "
    "sessions' air, or the sensors' warmth, from each other instead of coffee from air, and no split of these "
    "recordings can show which. It demonstrates a heater scan; of your own coffee record each class in several "
    "sessions, in turn"
)


def make(scans: Path, folder: Path) -> dict[str, Any]:
    """Write the model and its card to a folder; return the card.

    Args:
        scans: what `dibble import bme` wrote of the project.
    """
    roles = roles_of([scans], None, None, "sensor", ())
    data = DataOptions(label=roles.label, group=roles.group, ignore=roles.ignore, profile=roles.profile)
    options = TrainOptions(data, name="coffee_or_air", limits=Limits(max_bytes=MOST_BYTES), budget_s=BUDGET_S)
    trained = train(scans, options)
    card = trained.card
    card["data"] |= {"source": SOURCE}
    card["notes"] = [CAVEAT, *card["notes"]]
    card["shortcut"] = CAVEAT
    card["verdict"] = {"rely": False, "words": f"Don't rely on this model: {CAVEAT}.", "reasons": [CAVEAT]}
    done: Trained = replace(trained, card=card)
    done.save(folder)
    return card


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "models/coffee_or_air"))["model"])
