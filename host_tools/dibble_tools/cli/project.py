"""`dibble new`: its arguments; the work is project.new's."""

from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.output import console


def new(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="folder to make; its last part becomes the node's name")],
    board: Annotated[str, typer.Option(help="the board it is for: see `dibble boards`")] = "pico",
    runtime: Annotated[str, typer.Option(help="micropython or circuitpython")] = "micropython",
) -> None:
    """Make a project folder for a node: config.json for the board's pins, features.toml, a README of the next steps.

    Example: dibble new orchard-1 --board pico_w
    """
    from dibble_tools.boards.catalogue import board_named
    from dibble_tools.boards.example import example_config
    from dibble_tools.project.new import new_project

    board, known = board_named(board)
    for path in new_project(name, board, known.title, example_config(board, runtime)):
        console.print(f"wrote {path}", markup=False, soft_wrap=True)
    console.print(f"next: cd {name}, and read its README.md", markup=False, soft_wrap=True)
