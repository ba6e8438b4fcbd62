"""`dibble board`: virtual boards, for the whole journey without hardware."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.output import console, note
from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import json_text
from dibble_tools.common.terminal import write

board = typer.Typer(help="Virtual boards: a real MicroPython VM behind a serial port.", no_args_is_help=True)
USUAL = "pico_w"  # what a virtual board is like where none is named
Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="of the board, where several run")]


@board.command()
def start(
    runtime: Annotated[str, typer.Option(help="micropython; CircuitPython can't be run on a computer")] = "micropython",
    flash: Annotated[
        str | None, typer.Option(help="size of a new image  [1408k, as on a Pico]", show_default=False)
    ] = None,
    heap: Annotated[
        str | None,
        typer.Option(
            help="as a 32-bit board has it; the VM's words, and so its heap, are twice as large  [--board's, else a "
            "Pico W's, 180000]",
            show_default=False,
        ),
    ] = None,
    sensors: Annotated[bool, typer.Option("--sensors", help="attach the simulated orchard's")] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            help="with --sensors: as whose they are wired  [config.json here; else all, and a config that reads them]"
        ),
    ] = None,
    sound: Annotated[
        Path | None,
        typer.Option(metavar="FILE.wav", help="played again and again to the microphone, at whichever pin it is"),
    ] = None,
    seed: Annotated[int, typer.Option(help="of their noise")] = 0,
    speed: Annotated[float, typer.Option(help="of time while it sleeps: 600 is ten minutes in a second")] = 1.0,
    name: Annotated[str, typer.Option(help="that no running board has")] = "virtual",
    image: Annotated[Path | None, typer.Option(help="file of its flash, made where it isn't  [NAME.flash]")] = None,
    romfs: Annotated[str | None, typer.Option(help="size of a ROMFS partition, kept in IMAGE.romfs")] = None,
    kind: Annotated[
        str, typer.Option(help="unkindnesses of real boards that it is without, with commas: dibble simulate --help")
    ] = "",
    like: Annotated[
        str | None,
        typer.Option("--board", metavar="NAME", help="of `dibble boards`: its pins, its radio, its unkindnesses"),
    ] = None,
    background: Annotated[bool, typer.Option("--background", help="return when it runs")] = False,
) -> None:
    """Give a board power, until Ctrl-C. mpremote, and the commands of dibble with --port, find it as they find a Pico.

    Its clock shows 2021-01-01 after each power-on until somebody sets it, as `dibble deploy` and `fetch` do; its sleep
    is a board's. Linux on x86-64 is needed; whatever kills it, the flash image stays as the chip would.

      dibble board start --sensors --speed 600 --background

      dibble board cut
    """
    from dibble_tools.boards.catalogue import heap_bytes, likeness
    from dibble_tools.node.config import read_config
    from dibble_tools.virtual_board.board import VirtualBoard

    if sound and not sound.is_file():
        raise InputError(f"--sound: expected a recording, got {sound}, which isn't there")
    if config and not sensors:
        raise InputError("--config: expected it with --sensors, which it tells where to be, got it alone")
    own = config or (Path("config.json") if sensors and Path("config.json").is_file() else None)
    settings = read_config(own) if own else None
    made = VirtualBoard.start(
        image or Path(f"{name}.flash"),
        name=name,
        runtime=runtime,
        flash=flash,
        heap=heap or str(heap_bytes(like or USUAL)),
        speed=speed,
        sensors=sensors,
        seed=seed,
        romfs=romfs,
        kind=kind,
        sound=sound,
        like=likeness(like) if like else None,
        config=settings,
        background=background,
    )
    console.print(f"{name} runs at {made.port} (now {os.path.realpath(made.port)})", markup=False, soft_wrap=True)
    if own and settings:
        from dibble_tools.virtual_board.settings import unsimulated

        console.print(f"its sensors are wired as {own} has them", markup=False, soft_wrap=True)
        for driver in unsimulated(settings):
            note(f"{driver} isn't simulated: there it is a sensor that doesn't answer")
    elif made.config:
        path = Path(f"{name}.config.json")
        if not path.exists():
            path.write_text(json.dumps(made.config, indent=1) + "\n", encoding="utf-8")
            console.print(f"wrote {path}, which reads its sensors", markup=False, soft_wrap=True)
    for line in ("ls", "repl", "mount ."):
        console.print(f"  mpremote connect {made.port} {line}", markup=False, highlight=False, soft_wrap=True)
    if not background:
        console.print("Ctrl-C ends it")
        try:
            made.process.wait()
        except KeyboardInterrupt:
            made.stop()


@board.command("list")
def list_boards(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """Show the virtual boards that run."""
    from dataclasses import asdict

    from rich.table import Table

    from dibble_tools.virtual_board import registry

    boards = registry.running()
    if as_json:
        write(json_text([asdict(found) for found in boards], indent=1) + "\n")
        return
    table = Table("name", "port", "pid", "flash")
    for found in boards:
        table.add_row(found.name, found.port, str(found.pid), found.image)
    console.print(table if boards else "no virtual board runs: start one with dibble board start")


@board.command()
def cut(
    name: Name = None,
    after: Annotated[int | None, typer.Option(min=1, help="at this write to the flash from now, not at once")] = None,
    torn: Annotated[float, typer.Option(min=0, max=1, help="share of that write that still happens")] = 0.0,
) -> None:
    """Cut a board's power."""
    _order(name, "cut", **({} if after is None else {"after": after, "torn": torn}))


@board.command()
def power(name: Name = None) -> None:
    """Give a board its power back."""
    _order(name, "power")


@board.command()
def reset(name: Name = None) -> None:
    """Press a board's reset button."""
    _order(name, "reset")


@board.command()
def stop(name: Name = None) -> None:
    """End a board; its flash image stays."""
    _order(name, "stop")


def _order(name: str | None, kind: str, **more: float) -> None:
    from dibble_tools.virtual_board import registry
    from dibble_tools.virtual_board.control import order

    order(registry.folder_of(registry.find(name).name) / registry.CONTROL, kind, **more)
