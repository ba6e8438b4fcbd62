"""`dibble new`: its arguments; the work is project.new's."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.output import console, note


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
    sensor: Annotated[
        list[str] | None,
        typer.Option(
            help="a driver of `dibble drivers`, with its pin or address if you like: soil_adc:26, bme680:0x76; "
            "may be repeated  [asked for if a person is there, else sht4x and soil_adc]"
        ),
    ] = None,
    action: Annotated[
        str | None,
        typer.Option(
            help="CLASS or CLASS:PIN that switches a relay; novel: readings unlike those learned from do; "
            "none: no relay  [dry, beside a soil probe]"
        ),
    ] = None,
    wifi: Annotated[
        bool | None, typer.Option("--wifi/--no-wifi", help="reports by MQTT over Wi-Fi  [as the board can]")
    ] = None,
) -> None:
    """Make a project folder for a node: config.json for its sensors on the board's pins, the wiring in words and as
    wiring.svg, features.toml, a README of the next steps.

    Examples:

      dibble new orchard-1 --board pico_w

      dibble new bed-1 --sensor bme680 --sensor soil_adc:26 --wifi --board pico_w
    """
    from dibble_tools.boards.catalogue import board_named
    from dibble_tools.boards.example import USUAL, awake_days, configured
    from dibble_tools.project.new import check_name, new_project

    check_name(name)
    board, _ = board_named(board)
    sensors = tuple(sensor or ())
    if not sensors and sys.stdin.isatty():
        console.print("`dibble drivers` lists the sensors that there are", markup=False)
        said = typer.prompt("sensors, with commas", default=", ".join(USUAL))
        sensors = tuple(filter(None, (part.strip() for part in said.split(","))))
    asked = "" if action == "none" else action
    config, notes = configured(board, runtime, sensors or USUAL, asked, wifi)
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
    for text in notes:
        note(text)
    for path in new_project(name, board, config, circuitpython=circuitpython):
        console.print(f"wrote {path}", markup=False, soft_wrap=True)
    if "mqtt" in config:
        where = "settings.toml" if circuitpython else "secrets.py"
        console.print(f"for reports by Wi-Fi: mqtt.host in config.json, and {where}", markup=False, soft_wrap=True)
    console.print(
        f"next: cd {name}, and read its README.md; wiring.svg shows where the wires go", markup=False, soft_wrap=True
    )
