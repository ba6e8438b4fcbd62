"""The command `dibble convert`: a network made elsewhere becomes a model file."""

from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.output import console
from dibble_tools.common.errors import InputError


def convert(
    network: Annotated[Path, typer.Argument(metavar="NETWORK", help="a .tflite or .onnx file, quantized to int8")],
    out: Annotated[Path, typer.Option(help="the model file to write  [NETWORK.dib]", show_default=False)] = Path(),
    frames: Annotated[
        Path | None,
        typer.Option(help="frames as the network takes them: .npy or .npz (its first array), int8, uint8 or floats"),
    ] = None,
    classes: Annotated[str, typer.Option(help="class names, in the order of the outputs: person,nobody")] = "",
    name: Annotated[str, typer.Option(help="the model's name  [the file's]")] = "",
    unsure_below: Annotated[int, typer.Option(help="a smaller lead of the winner is flagged unsure", min=0)] = 0,
    force: Annotated[bool, typer.Option("--force", help="overwrite the model file")] = False,
) -> None:
    """Take over a network of int8 made elsewhere: convolutions, pools, dense layers, sums, ReLU.

    Its multipliers become shifts. With --frames each layer's outputs are looked at, so that less is rounded away, and
    it is told on how many frames the model decides as the original does.
    """
    from dibble_tools.data.labelled_frames import arrays_in
    from dibble_tools.model.convert_network import check_ending, convert_network

    check_ending(network)
    target = out if out != Path() else network.with_suffix(".dib")
    if target.exists() and not force:
        raise InputError(f"{target}: expected a file that isn't there yet, got one: choose another, or add --force")
    rows = None if frames is None else next(iter(arrays_in(frames).values()))
    labels = [label.strip() for label in classes.split(",")] if classes else None
    model = convert_network(network, rows, name=name, classes=labels, unsure_below=unsure_below)
    model.save(target)
    console.print(f"wrote {target}, {len(model.blob):,} bytes", markup=False, soft_wrap=True)
    for note in model.notes:
        console.print(note, markup=False, soft_wrap=True)
