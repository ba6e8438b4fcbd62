"""The command `dibble export`: a model as a program of its own, or scans as BME AI-Studio reads them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.given import refuse_without
from dibble_tools.cli.output import console
from dibble_tools.common.errors import InputError
from dibble_tools.common.terminal import Console

SCANS = "bmerawdata"

ModelPath = Annotated[
    Path, typer.Argument(metavar="MODEL", help="model.dib, or the folder it lies in; for bmerawdata a CSV of scans")
]


def export(
    context: typer.Context,
    model: ModelPath,
    to: Annotated[str, typer.Option(help="c, arduino, python; or bmerawdata")],
    out: Annotated[Path, typer.Option(help="folder for the files; made where it isn't there")],
    name: Annotated[str, typer.Option(help="what its names begin with  [the model's name]")] = "",
    small: Annotated[
        bool, typer.Option("--small", help="Python without comments, for a board with little heap")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="compile and run it, compare every decision")] = False,
    on: Annotated[
        list[str] | None,
        typer.Option(help="check on this machine only: pc, cortex_m0, atmega328p; of Python: unix, wasi, microbit"),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="CSV of rows to check with; else rows are made up")] = None,
    time: Annotated[str | None, typer.Option("--time", help="its column of times")] = None,
    group: Annotated[str | None, typer.Option("--group", help="its column that tells one series from another")] = None,
    profile: Annotated[str, typer.Option(help="of bmerawdata: the heater's  [the table's own column]")] = "",
    force: Annotated[bool, typer.Option("--force", help="overwrite files")] = False,
) -> None:
    """Write a model as a program that needs neither dibble nor its file: C99, an Arduino sketch, or one Python file.

    With --check it is compiled and run, and every decision compared with the host's: 100 %, or exit status 1.
    A compiler or simulator that isn't installed is an error that names its package.

    --to bmerawdata writes a table of heater scans, as collect or import made it, for BME AI-Studio, labels beside it.
    """
    if to == SCANS:
        if name or small or check or on or data or time or group:
            raise InputError(f"--to {SCANS}: expected --out, --profile and --force only: the others are of models")
        _write_scans(model, out, profile, force=force)
        return
    if profile:
        raise InputError(f"--profile: expected --to {SCANS} with it, got --to {to}")
    from dibble_tools.export.forms import write
    from dibble_tools.machines.check import MACHINES, check_table
    from dibble_tools.machines.check import check as run
    from dibble_tools.model.content import Maps, Stream
    from dibble_tools.model.host_model import HostModel
    from dibble_tools.model.rows import made_up_rows, read_rows

    refuse_without(context, "--check", check, "data", "on", "time", "group")
    refuse_without(context, "--data", data is not None, "time", "group")
    refuse_without(context, "--to python", to == "python", "small")
    if out.suffix and not out.is_dir():
        raise InputError(f"--out: expected a folder, got {out}, which looks like a file: the names in it are --name's")
    opened = HostModel.open(model)
    files = write(opened, to, name, small=small)
    for machine in on or []:
        if machine not in MACHINES[to]:
            raise InputError(f"--on: expected one of {', '.join(MACHINES[to])}; got {machine!r}")
    if check and isinstance(opened.content.family, Stream | Maps):
        what = "a network over a stream" if isinstance(opened.content.family, Stream) else "one that sees frames"
        raise InputError(
            f"--check: expected a model that decides on rows of channels, got {what}: its program tests itself, by "
            "PREFIX_self_test()"
        )
    _write(files, out, force=force)
    if not check:
        return
    if data is None:
        readings, elapsed = made_up_rows(opened)
    else:
        rows = read_rows(opened, data, time=time, group=group)
        readings, elapsed = rows.readings, rows.elapsed_ms
        for note in rows.ds.notes:
            console.print(f"note: {note}", markup=False, soft_wrap=True)
    with console.status("starting") as status:
        found = run(
            opened, to, readings, elapsed, name=name, machines=on or (), progress=lambda step: status.update(step)
        )
    Console().print(check_table(found))
    for checked in found:
        if checked.problem:
            console.print(f"{checked.machine}: {checked.problem}", style="red", markup=False, soft_wrap=True)
    if any(checked.problem for checked in found):
        raise typer.Exit(1)


def _write_scans(table: Path, out: Path, profile: str, *, force: bool) -> None:
    """Write a table of heater scans for BME AI-Studio."""
    from dibble_tools.data.heater_scans.raw_files import raw_files

    made = raw_files(table, profile)
    _write(made.files, out, force=force)
    left_out = f", {made.left_out:,} rows left out: a step is missing" if made.left_out else ""
    console.print(f"{made.scans:,} scans{left_out}", markup=False)
    for text in made.notes:
        console.print(f"note: {text}", markup=False, soft_wrap=True)


def _write(files: Mapping[str, str], out: Path, *, force: bool) -> None:
    """Write files into a folder, none over one that is there unless that is meant."""
    from dibble_tools.common.files import write_atomically

    for file in files:
        if (out / file).exists() and not force:
            raise InputError(
                f"{out / file}: expected a file that isn't there yet, got one: choose another folder, or add --force"
            )
    for file, text in files.items():
        write_atomically(out / file, text.encode())
        console.print(f"wrote {out / file}", markup=False, soft_wrap=True)
