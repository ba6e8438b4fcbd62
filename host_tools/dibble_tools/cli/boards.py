"""`dibble boards` and `dibble estimate`: what there is, and what a model takes there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dibble_tools.cli.output import console
from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import json_text
from dibble_tools.common.terminal import Console, write

if TYPE_CHECKING:
    from dibble_tools.boards.listening import Shares
    from dibble_tools.boards.schema import Runtime
    from dibble_tools.model.host_model import HostModel

RuntimeName = Annotated[str | None, typer.Option("--runtime", help="micropython or circuitpython  [the board's first]")]
AsJson = Annotated[bool, typer.Option("--json", help="for programs")]


def boards(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="show all about this one")] = None,
    as_json: AsJson = False,
) -> None:
    """List the boards that dibble knows; or show one: its header, runtimes, limits, and each figure's source."""
    from dibble_tools.boards.catalogue import all_boards, board_named
    from dibble_tools.boards.tables import board_text, boards_table

    if name is not None:
        own, board = board_named(name)
        if as_json:
            write(json_text({"name": own, **board.model_dump()}, indent=1) + "\n")
        else:
            write(board_text(own, board) + "\n")
    elif as_json:
        write(json_text({own: board.model_dump() for own, board in all_boards().items()}) + "\n")
    else:
        Console(width=max(Console().width, 120)).print(boards_table(all_boards()))


def drivers(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="show all about this one")] = None,
    as_json: AsJson = False,
) -> None:
    """List the sensors and streams that a node's config.json may name; or show one: its channels, settings, wires.

    All of it is read from the firmware's drivers. One of your own: firmware/examples/own_driver.
    """
    from dataclasses import asdict

    from dibble_tools.boards.drivers import (
        all_drivers,
        all_streams,
        driver_named,
        driver_text,
        drivers_table,
        streams_table,
    )

    screen = Console(width=max(Console().width, 110))
    if as_json:
        found = {**all_drivers(), **all_streams()} if name is None else {name: driver_named(name)}
        write(json_text({own: asdict(facts) for own, facts in found.items()}, indent=1) + "\n")
    elif name is None:
        screen.print(drivers_table(all_drivers()))
        screen.print(streams_table(all_streams()))
    else:
        from dibble_tools.boards.sensor_choice import energy_text

        one = driver_named(name)
        screen.print(*driver_text(one, "" if one.is_stream else energy_text(one)), sep="\n")


def estimate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="model.dib, or the folder it lies in")],
    board: Annotated[str | None, typer.Option(help="a name of `dibble boards`  [the config's]")] = None,
    runtime: RuntimeName = None,
    config: Annotated[Path | None, typer.Option(help="the node's config.json  [the board's example]")] = None,
    interval: Annotated[
        int | None, typer.Option(min=2, max=86400, help="seconds of a cycle  [the model's, else 600]")
    ] = None,
    voice: Annotated[
        Path | None, typer.Option(help="voice.dib of a node that listens  [voice.dib beside the model]")
    ] = None,
    sound: Annotated[
        Path | None, typer.Option(help="recording of the place: how much of the time there is to hear  [assumed]")
    ] = None,
    seen: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE|FILE.csv",
            help="cycles in which the gate wants costly readings, or what collect wrote of them  [gate.motion: 0.1]",
        ),
    ] = None,
    battery: Annotated[str, typer.Option(help="usable capacity, such as 2500mAh or 2.5Ah")] = "2500mAh",
    as_json: AsJson = False,
) -> None:
    """Tell what a model takes on a board: flash, heap, microseconds, energy, days on a battery, each with its range.

    Exit status 1 where it doesn't fit. Instructions are counted on a real 32-bit VM; times and currents rest on what
    others published: `dibble boards NAME` says on what.

    Of a node that listens: each stage of its cascade, weighed by its share of the time; charge with the cascade and
    without. So of one whose gate asks for costly readings only where a small array sees something: how often that is,
    --seen tells, or the table that `dibble collect` wrote of the node.
    """
    from dataclasses import asdict

    from dibble_tools.boards.catalogue import board_named, runtime_of
    from dibble_tools.boards.estimate import config_for, parse_mah
    from dibble_tools.boards.estimate import estimate as estimated
    from dibble_tools.boards.looks import share_seen
    from dibble_tools.boards.tables import estimate_table
    from dibble_tools.boards.wiring import board_for
    from dibble_tools.model.host_model import HostModel
    from dibble_tools.node.config import read_config
    from dibble_tools.simulator.node.energy import Battery

    cell = Battery(parse_mah(battery))
    settings = read_config(config) if config else None
    own, found = board_named(board_for(board, settings))
    kind, has = runtime_of(own, found, runtime)
    opened = HostModel.open(model)
    beside = (model if model.is_dir() else model.parent) / "voice.dib"
    first = HostModel.open(voice) if voice else HostModel.open(beside) if beside.is_file() else None
    settings = settings or config_for(own, kind, has)
    every = interval or (None if config else opened.content.interval_ms // 1000 or None)
    share = None if seen is None else share_seen(seen, settings)
    with console.status("counting instructions"):
        shares = _heard_in(sound, opened, first, has, settings) if sound else None
        result = estimated(opened, found, kind, has, settings, every, voice=first, shares=shares, seen=share)
    if as_json:
        content = {"board": own, "runtime": kind, "fits": not result.misfits, **asdict(result)}
        if result.budget:
            content |= {"day_mah": asdict(result.budget.day_mah()), "days": asdict(result.budget.days(cell))}
        write(json_text(content, indent=1) + "\n")
    else:
        example = "" if config else ", with the board's example sensors"
        title = f"{opened.content.name} on {own} under {kind}{example}"
        Console(width=max(Console().width, 110)).print(estimate_table(title, result, cell))
        for note in result.notes:
            console.print(f"note: {note}", markup=False, soft_wrap=True)
        for misfit in result.misfits:
            console.print(f"doesn't fit: {misfit}", style="bold red", markup=False, highlight=False, soft_wrap=True)
        if not result.misfits:
            console.print("it fits" + (f", but not surely: {result.doubt}" if result.doubt else ""), style="bold green")
    if result.misfits:
        raise typer.Exit(1)


def _heard_in(
    sound: Path, model: "HostModel", voice: "HostModel | None", runtime: "Runtime", config: dict[str, Any]
) -> "Shares":
    """Return how much of a recording a node's stages look at; raise InputError where it doesn't listen."""
    from dibble_tools.boards.listening import shares_of
    from dibble_tools.data.sound.recordings import read_recording
    from dibble_tools.model.hearing import sense_of
    from dibble_tools.node.config import whole

    listen = whole(config)["listen"]
    if not listen["driver"]:
        raise InputError("--sound: expected a configuration with `listen`, got one of a node that doesn't: --config")
    return shares_of(model, voice, runtime, listen, read_recording(sound, sense_of(model).front_end.rate_hz))
