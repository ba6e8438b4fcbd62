"""The command `dibble`: what there is, in the order of a grower's way; each cli_*.py holds arguments only."""

import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from dibble import __version__
from typer import rich_utils

from dibble_tools.cli.bench import bench
from dibble_tools.cli.board import board
from dibble_tools.cli.boards import boards, drivers, estimate
from dibble_tools.cli.bring import bring
from dibble_tools.cli.console import collect, monitor
from dibble_tools.cli.convert import convert
from dibble_tools.cli.deploy import deploy
from dibble_tools.cli.doctor import doctor
from dibble_tools.cli.export import export
from dibble_tools.cli.fleet import fleet
from dibble_tools.cli.hear import hear
from dibble_tools.cli.log import fetch, label, retune
from dibble_tools.cli.model import adapt, evaluate, inspect, pack, predict, unpack, verify
from dibble_tools.cli.node import library, lorawan, microbit, sign, unroll
from dibble_tools.cli.output import console, escape
from dibble_tools.cli.project import new
from dibble_tools.cli.send import downlinks, send
from dibble_tools.cli.simulate import simulate
from dibble_tools.cli.studio import studio
from dibble_tools.cli.train import train
from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import extras_named
from dibble_tools.common.terminal import Console

app = typer.Typer(
    name="dibble",
    help="Plant tiny classifiers in the field: train on a PC, decide on a MicroPython or CircuitPython node.\n\n"
    "Exit status: 0 all is well, 1 it ran and the result is bad, 2 something in the input has to change.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

SIGNALLED = 128  # exit status of who was ended by a signal, less its number


def _show_version(asked: bool) -> None:
    if asked:
        print(f"dibble {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="show it and end")
    ] = False,
) -> None:
    """Take what stands before a command; its text is the app's help."""


def main() -> None:
    """Run the command; an InputError is one paragraph on stderr and exit status 2.

    Whoever ends it, or closes its terminal's window, ends it as Ctrl-C does: what is begun is left whole.
    """
    ended: list[int] = []

    def end(number: int, frame: object) -> None:
        ended.append(number)
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has but one
            signal.signal(getattr(signal, name), end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a pipe of Windows' can't hold every letter
            stream.reconfigure(errors="backslashreplace")
    vars(rich_utils)["Console"] = Console  # typer's complaints repeat what was typed
    try:
        with extras_named():
            app()
    except InputError as error:
        console.print(f"[bold red]dibble:[/] {escape(str(error))}", soft_wrap=True, emoji=False)
        sys.exit(2)
    finally:
        if ended:
            sys.exit(SIGNALLED + ended[0])


@extras_named("demo")
def demo(
    station: Annotated[str, typer.Option(help="hold out this airport: EWR, JFK or LGA")] = "JFK",
    out: Annotated[Path, typer.Option(help="folder to write")] = Path("build/demo"),
) -> None:
    """Do the whole job: train on a year of real weather, compare with persistence, prove on the VMs; then bring a
    node to a virtual board, watch it, and fetch its log."""
    from dibble_tools.demo import board_demo, weather_demo
    from dibble_tools.machines.vms import unix_can_exist
    from dibble_tools.virtual_board import registry

    held = weather_demo.run(station, out, console)
    if unix_can_exist() and registry.can_exist():
        held &= board_demo.run(console)
    else:
        console.print("the virtual board runs on Linux on x86-64 only: left out")
    console.print("nodes listen, too: dibble hear models/four_words RECORDING.wav (README, By ear)")
    if not held:
        raise typer.Exit(1)


PANELS = {
    "The way to the field and back": (new, collect, train, deploy, send, sign, doctor, monitor, fetch, label, studio),
    "Boards, and fields that are simulated": (boards, drivers, estimate, simulate),
    "A model": (
        inspect,
        predict,
        evaluate,
        adapt,
        hear,
        verify,
        pack,
        unpack,
        export,
        convert,
        unroll,
        bench,
        library,
        microbit,
        lorawan,
        downlinks,
    ),
    "All of it at once": (demo,),
}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(
    bring,
    name="import",
    help="Make a table that trains of other programs' recordings: BME AI-Studio's heater scans.",
    rich_help_panel="The way to the field and back",
)
app.add_typer(fleet, name="fleet", rich_help_panel="The way to the field and back")
app.add_typer(board, name="board", rich_help_panel="Boards, and fields that are simulated")
app.add_typer(
    retune,
    name="retune",
    help="Set a node's sensors and caution anew in its config.json, without training.",
    rich_help_panel="The way to the field and back",
)
