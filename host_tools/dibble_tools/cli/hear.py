"""`dibble hear`: what a model makes of a recording."""

from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.model import ModelPath
from dibble_tools.cli.output import console
from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import json_text
from dibble_tools.common.terminal import write


def hear(
    model: ModelPath,
    files: Annotated[list[Path], typer.Argument(metavar="RECORDING.wav…", help="WAV; FLAC, OGG with soundfile")],
    config: Annotated[
        Path | None, typer.Option(help="the node's config.json: its gate, rest and class to skip  [none, 1 s, none]")
    ] = None,
    before: Annotated[Path | None, typer.Option(help="model that decides first on the node: voice.dib")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON lines")] = False,
) -> None:
    """Tell when a node would have acted on a recording, and how often an hour: a line for each sound that it hears.

    Sounds that it flags, classes that begin with _, what the first model stops and what comes while it rests are told
    but nothing is done about them. What a gate keeps from being heard isn't told.

    Example: dibble hear models/four_words hour.wav --config config.json --before voice.dib
    """
    from dibble_tools.model.decisions import flag_text
    from dibble_tools.model.hearing import ACTS, REST_MS, Cascade, hear_file, sense_of
    from dibble_tools.model.host_model import HostModel

    opened = HostModel.open(model)
    try:
        sense_of(opened)
    except InputError as error:
        raise InputError(f"{model}: {error}") from None
    listen = {}
    if config is not None:
        from dibble_tools.node.config import read_config, whole

        listen = whole(read_config(config))["listen"]
        if not listen["driver"]:
            raise InputError(f"{config}: expected `listen` with a microphone's driver, got none: nobody listens")
    first = None if before is None else HostModel.open(before)
    cascade = Cascade(listen.get("gate_permille", 0), first, listen.get("skip", ""), listen.get("rest_ms", REST_MS))
    acted, seconds = 0, 0.0
    for file in files:
        sounds, long_s = hear_file(opened, file, cascade)
        seconds += long_s
        for sound in sounds:
            acts = sound.fate == ACTS
            acted += acts
            if as_json:
                told = {"file": str(file), **sound._asdict(), "acts": acts}
                write(json_text(told) + "\n")
            else:
                why = "" if acts else f"  ({flag_text(sound.flags) or sound.fate})"
                mark = "*" if acts else " "
                write(
                    f"{file}  {sound.end_s:9.2f} s  {mark} {sound.label:16} margin {sound.margin:5}  "
                    f"{sound.length_s:.2f} s long{why}\n"
                )
    hours = seconds / 3600
    console.print(
        f"{acted} times in {seconds:,.1f} s it would have acted (*): {acted / hours:,.1f} an hour", markup=False
    )
