"""`dibble new`: its arguments; the work is project.new's."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.output import console


def new(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="folder to make; its last part becomes the node's name")],
    board: Annotated[str, typer.Option(help="the board it is for: see `dibble boards`")] = "pico",
    runtime: Annotated[str, typer.Option(help="micropython or circuitpython")] = "micropython",
    watchdog: Annotated[
        bool | None,
        typer.Option(
            "--watchdog/--no-watchdog",
            help="where it costs the battery (an RP2040 up to MicroPython 1.28 stays awake beside it): asked for if a "
            "person is there, else on",
        ),
    ] = None,
) -> None:
    """Make a project folder for a node: config.json for the board's pins, features.toml, a README of the next steps.

    Example: dibble new orchard-1 --board pico_w
    """
    from dibble_tools.boards.catalogue import board_named
    from dibble_tools.boards.example import awake_days, example_config
    from dibble_tools.project.new import new_project

    board, known = board_named(board)
    config = example_config(board, runtime)
    days = awake_days(board, runtime)
    if days:
        costs = f"with a watchdog this board stays awake: some {days[0]:.0f} days on 2,500 mAh, {days[1]:.0f} without"
        if watchdog is None and sys.stdin.isatty():
            console.print(f"{costs}; MicroPython after 1.28 sleeps beside it", markup=False, soft_wrap=True)
            watchdog = typer.confirm("a watchdog, which resets a node that hangs?", default=True)
        elif watchdog is not False:
            console.print(
                f"{costs} (--no-watchdog); MicroPython after 1.28 sleeps beside it", markup=False, soft_wrap=True
            )
    if watchdog is False:
        config["watchdog_ms"] = 0
    circuitpython = runtime == "circuitpython"
    for path in new_project(name, board, known.title, config, circuitpython=circuitpython):
        console.print(f"wrote {path}", markup=False, soft_wrap=True)
    if "mqtt" in config:
        where = "settings.toml" if circuitpython else "secrets.py"
        console.print(f"for reports by Wi-Fi: mqtt.host in config.json, and {where}", markup=False, soft_wrap=True)
    console.print(f"next: cd {name}, and read its README.md", markup=False, soft_wrap=True)
