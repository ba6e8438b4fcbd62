"""`dibble doctor`: its arguments; the work is deploy.doctor's."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from dibble_tools.cli.output import console
from dibble_tools.common.errors import InputError

# ending of a fact's name -> by what it is divided, decimals, unit
SHOWN = (
    ("noise_uv", 1000, 1, "mV"),
    ("uv", 1_000_000, 2, "V"),
    ("_us", 1000, 1, "ms"),
    ("_ms", 1, 0, "ms"),
    ("_bytes", 1, 0, "bytes"),
)
ENDING = re.compile("_?(uv|us|ms|bytes)$")


def doctor(
    port: Annotated[str, typer.Option(help="of the board: a device, a virtual board's name, or auto")] = "auto",
    config: Annotated[Path | None, typer.Option(help="the node's config.json; else the one on the board")] = None,
    report: Annotated[Path | None, typer.Option(help="write what was found to a file that can be shared")] = None,
) -> None:
    """Look at a board and its sensors: who answers on I2C, voltages and noise of the configured pins, a second of light
    sleep, clock, heap, flash, what in config.json doesn't fit. Sets its clock; the node runs on afterwards.

    Exit status 1: something wants your attention. The report holds no names, passwords or readings of yours.
    """
    from dibble_tools.deploy.doctor import examine
    from dibble_tools.deploy.doctor import report as text_of
    from dibble_tools.link.ports import find_port
    from dibble_tools.link.session import RemoteError, Session
    from dibble_tools.node.config import parsed, read_config, whole

    if report and not report.parent.is_dir():
        raise InputError(f"--report: expected a folder at {report.parent}, found none: make it first")
    settings = whole(read_config(config)) if config else None
    with Session.open(find_port(port)) as session:
        if settings is None:
            try:
                settings = whole(parsed(session.read_file("config.json", 1 << 15)))
            except RemoteError:
                console.print("no config.json, here or on the board: its pins aren't looked at")
        found = examine(session, settings)
        session.set_calendar()
    for name, value in found.facts.items():
        title = name.removesuffix("_bytes").replace("_", " ")
        console.print(f"{title:<12} {_shown(name, value)}", markup=False, emoji=False, highlight=False, soft_wrap=True)
    for text in [*found.remarks, *(f"! {text}" for text in found.advice)]:
        console.print(text, markup=False, emoji=False, highlight=False, soft_wrap=True)
    if report:
        report.write_text(text_of(found), encoding="utf-8")
        console.print(f"wrote {report}", markup=False, soft_wrap=True)
    if found.advice:
        raise typer.Exit(1)
    console.print("all is well")


def _shown(name: str, value: Any) -> str:
    """Return a fact in the units that people use."""
    if isinstance(value, dict):
        shown = ((ENDING.sub("", key).replace("_", " "), _shown(key, inner)) for key, inner in value.items())
        return ", ".join(f"{key}: {text}" if text[:1].isalpha() else f"{key} {text}".strip() for key, text in shown)
    if not isinstance(value, int) or isinstance(value, bool):
        return "-" if value is None else str(value)
    for ending, divisor, decimals, unit in SHOWN:
        if name.endswith(ending):
            return f"{value / divisor:,.{decimals}f} {unit}"
    return str(value)
