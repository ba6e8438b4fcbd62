"""`dibble deploy`: the firmware, a configuration and a model to a board."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.output import console, escape
from dibble_tools.common.errors import InputError


def deploy(
    port: Annotated[str, typer.Option(help="of the board: a device, a virtual board's name, or auto")] = "auto",
    model: Annotated[
        Path | None, typer.Option(help="model.dib, or the folder it lies in; else the board keeps its own")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="the node's config.json; else the board keeps its own")] = None,
    gate: Annotated[
        Path | None, typer.Option(help="gate.dib, which saves costly readings  [gate.dib beside the model]")
    ] = None,
    voice: Annotated[
        Path | None, typer.Option(help="voice.dib: is a sound worth the model?  [voice.dib beside the model]")
    ] = None,
    only: Annotated[str | None, typer.Option(help="model: nothing but that, and its first stages")] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="the model before this one runs again")] = False,
    drive: Annotated[
        Path | None, typer.Option(help="a CircuitPython board's drive CIRCUITPY; found where it's mounted")
    ] = None,
    no_model: Annotated[
        bool,
        typer.Option("--no-model", help="take the model off the board, with the one before it: the node logs only"),
    ] = False,
    kernel: Annotated[
        str, typer.Option(help="auto, tables, or code: the model as code, quicker where a board has no viper")
    ] = "auto",
    romfs: Annotated[
        bool, typer.Option("--romfs", help="the model is used in place, from the board's ROMFS partition")
    ] = False,
    overwrite_romfs: Annotated[
        bool, typer.Option("--overwrite-romfs", help="whatever files that partition holds")
    ] = False,
    key: Annotated[
        Path | None,
        typer.Option(help="bring the project's node.key: from then on the node takes only files signed with it"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done; write nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="even a model whose card says not to rely on it")] = False,
) -> None:
    """Bring the firmware, a configuration and a model to a board, all of it or nothing, and start the node.

    Whatever interrupts it, the board runs the old or the new; deploy again then. The board itself tries the
    configuration and the model before they take the place of the old ones: exit status 1 where it refuses them.

    Examples:

      dibble deploy --model models/orchard --config config.json

      dibble deploy --model models/orchard --gate models/orchard_gate --config config.json

      dibble deploy --model models/orchard --only model

      dibble deploy --model models/orchard --romfs

      dibble deploy --rollback

      dibble deploy --key node.key
    """
    if only not in (None, "model"):
        raise InputError(f"--only: expected model, got {only!r}")
    if only and (config or not model):
        raise InputError("--only model: expected --model and no --config")
    if no_model and (model or gate or voice or only or rollback or romfs or kernel != "auto"):
        raise InputError("--no-model: expected at most --config beside it")
    if rollback and (model or gate or voice or config or only or key):
        raise InputError("--rollback: expected no --model, --gate, --voice, --config, --only or --key beside it")

    from dibble_tools.deploy.kernel import KERNELS

    if kernel not in KERNELS:
        raise InputError(f"--kernel: expected {', '.join(KERNELS)}, got {kernel!r}")
    if overwrite_romfs and not romfs:
        raise InputError("--overwrite-romfs: expected --romfs beside it")

    from dibble_tools.deploy.drive import deploy_to_drive, find_drive
    from dibble_tools.deploy.report import deploy_table, show
    from dibble_tools.deploy.request import Request, stages_beside
    from dibble_tools.model.host_model import HostModel
    from dibble_tools.node.config import read_config, whole

    opened = HostModel.open(model) if model else None
    stages = stages_beside(model) if model else {}
    given = {"gate.dib": gate, "voice.dib": voice}
    stages |= {name: HostModel.open(path) for name, path in given.items() if path}
    if model and not (dry_run or yes):
        _ask_of_verdict(model)
    request = Request(
        opened,
        config,
        only is not None,
        kernel,
        romfs,
        overwrite_romfs,
        no_model,
        key,
        stages,
    )

    def to_drive(drive: Path) -> None:
        if romfs:
            raise InputError("--romfs: expected a MicroPython board: CircuitPython has no such partition")
        if rollback:
            raise InputError("--rollback: expected a MicroPython board: on CircuitPython, deploy the model of before")
        board, plan = deploy_to_drive(drive, request, dry_run=dry_run)
        console.print(board, deploy_table(plan, not dry_run) if plan else "nothing to do", markup=False)

    drive = drive or (find_drive() if port == "auto" else None)
    if drive:
        to_drive(drive)
        return

    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from dibble_tools.console.remembered import Remembered
    from dibble_tools.deploy.checks import DriveNeeded
    from dibble_tools.deploy.deploying import deploy as run
    from dibble_tools.deploy.transfer import TrialError
    from dibble_tools.link.ports import find_port, speed_at

    found = find_port(port)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        try:
            outcome = run(
                found,
                request,
                rollback=rollback,
                dry_run=dry_run,
                step=lambda text: bar.update(task, description=text),
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except DriveNeeded:
            drive = find_drive()
            if drive is None:
                raise
        except TrialError as error:
            console.print(
                f"the board refuses it, and runs what it ran before: {error}",
                markup=False,
                soft_wrap=True,
            )
            raise typer.Exit(1) from None
    if drive:
        console.print(f"{found} runs CircuitPython: to its drive {drive}", markup=False, soft_wrap=True)
        to_drive(drive)
        return
    remembered = Remembered()
    interval_s = whole(read_config(config))["interval_s"] / speed_at(found) if config else None
    for header in outcome.first_run.headers if outcome.first_run else []:
        remembered.add(header, interval_s)  # the next is many decisions away
    show(console, outcome)
    if outcome.first_run and (outcome.first_run.errors or not outcome.first_run.works):
        raise typer.Exit(1)


def at_a_terminal() -> bool:
    """Tell whether somebody may answer."""
    return bool(sys.stdin and sys.stdin.isatty())


def _ask_of_verdict(model: Path) -> None:
    """Ask before a model goes to a board of which its card says not to rely on it.

    Raises:
        InputError: nobody is there to answer.
        typer.Exit: the answer is no.
    """
    from dibble_tools.model.host_model import card_beside
    from dibble_tools.report.verdict import verdict_of

    try:
        verdict = verdict_of(card_beside(model))
    except (AttributeError, KeyError, TypeError, ValueError):  # a card by another hand
        return
    if verdict is None or verdict.rely:
        return
    if not at_a_terminal():
        raise InputError(f"{model}: its card says: {verdict.words} To deploy it all the same, add --yes")
    console.print(f"[bold red]{escape(verdict.words)}[/]", soft_wrap=True)
    if not typer.confirm("deploy it all the same?", default=False):
        console.print("nothing is written")
        raise typer.Exit(1)
