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
    as_json: Annotated[bool, typer.Option("--json", help="as JSON lines")] = False,
) -> None:
    """Tell when a node would have acted on a recording, and how often an hour: a line for each sound that it hears.

    Sounds that it flags, and classes that begin with _, are told but nothing is done about them.
    """
    from dibble_tools.model.decisions import flag_text
    from dibble_tools.model.hearing import hear_file, sense_of
    from dibble_tools.model.host_model import HostModel

    opened = HostModel.open(model)
    try:
        sense_of(opened)
    except InputError as error:
        raise InputError(f"{model}: {error}") from None
    acted, seconds = 0, 0.0
    for file in files:
        sounds, long_s = hear_file(opened, file)
        seconds += long_s
        for sound in sounds:
            acts = not sound.flags and not sound.label.startswith("_")
            acted += acts
            if as_json:
                told = {"file": str(file), **sound._asdict(), "acts": acts}
                write(json_text(told) + "\n")
            else:
                flags = flag_text(sound.flags)
                why = f"  ({flags})" if flags else ""
                mark = "*" if acts else " "
                write(
                    f"{file}  {sound.end_s:9.2f} s  {mark} {sound.label:16} margin {sound.margin:5}  "
                    f"{sound.length_s:.2f} s long{why}\n"
                )
    hours = seconds / 3600
    console.print(
        f"{acted} times in {seconds:,.1f} s it would have acted (*): {acted / hours:,.1f} an hour", markup=False
    )
