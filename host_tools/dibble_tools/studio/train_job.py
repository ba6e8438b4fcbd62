"""The jobs that train, on readings and on takes of sounds: `dibble train`'s own functions, with progress."""

import os
from pathlib import Path
from typing import Any

from dibble_tools.common.formatting import percent, times_in_100
from dibble_tools.data.prepare import DataOptions
from dibble_tools.data.roles import roles_of
from dibble_tools.model.limits import Limits
from dibble_tools.report.verdict import rows_are
from dibble_tools.studio.job_process import run, tell
from dibble_tools.training.result import Trained, TrainOptions
from dibble_tools.training.sound import train_sound
from dibble_tools.training.sound_options import SoundOptions
from dibble_tools.training.train import train


def work(request: dict[str, Any]) -> dict[str, Any]:
    """Train on the project's readings, or on its takes of sounds; write the model's folder.

    Args:
        request: folder as a path; name; max_bytes; budget_s; and of readings files as paths, channels as options of
            `dibble train`, features as a path or None, recipe or None; of sounds clips as a path, and own: whether
            there are so few takes that they are judged take by take.
    """
    trained = _of_sounds(request) if "clips" in request else _of_readings(request)
    tell(step="drawing the report", share=1.0)
    trained.save(request["folder"])
    for note in trained.notes:
        tell(log=note)
    verdict = trained.verdict
    words = _words(trained.card, len(trained.model.blob))
    return {
        "words": [verdict.words, *words] if verdict else words,
        "rely": verdict.rely if verdict else True,
    }


def _progress(step: str, share: float) -> None:
    tell(step=step, share=share)


def _of_sounds(request: dict[str, Any]) -> Trained:
    limits = Limits(max_bytes=request["max_bytes"])
    options = SoundOptions(own=request["own"], limits=limits, budget_s=request["budget_s"], name=request["name"])
    return train_sound(Path(request["clips"]), options, _progress)


def _of_readings(request: dict[str, Any]) -> Trained:
    files = [Path(text) for text in request["files"]]
    roles = roles_of(files, None, None, None, ())
    for note in roles.notes:
        tell(log=note)
    data = DataOptions(
        label=roles.label,
        time=roles.time,
        group=roles.group,
        channels=request["channels"],
        ignore=roles.ignore,
        more=files[1:],
        features=Path(request["features"]) if request["features"] and roles.time else None,
    )
    options = TrainOptions(
        data,
        recipe=request["recipe"],
        limits=Limits(max_bytes=request["max_bytes"]),
        budget_s=request["budget_s"],
        jobs=os.cpu_count() or 1,
        name=request["name"],
    )
    return train(files[0], options, _progress)


def _words(card: dict[str, Any], size: int) -> list[str]:
    if "held_out" not in card:  # of a number, the verdict says it all
        return [f"It takes {size:,} bytes."]
    judged = card["held_out"]["integer_model"]
    said = [
        f"On {judged['rows']:,} {rows_are(card)} that were kept from it, it is right "
        f"{times_in_100(judged['accuracy'])}. It takes {size:,} bytes."
    ]
    doubted = {name: count for name, count in judged["flags"].items() if count}
    if doubted:
        reasons = ", ".join(f"{name} {count:,}" for name, count in doubted.items())
        said.append(f"It trusts {percent(judged['trusted']['share'])} of its decisions; the others: {reasons}.")
    return said


if __name__ == "__main__":
    run(work)
