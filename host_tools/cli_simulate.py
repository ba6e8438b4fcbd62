"""`dibble simulate`: a season of a node, on the real firmware and a real VM, in minutes."""

import json
from pathlib import Path
from typing import Annotated

import typer
from dibble import ConfigError
from dibble.config import check
from dibble.drivers import driver

from host_tools.cli_train import console
from host_tools.errors import InputError
from host_tools.field.verdict import VERDICTS, Verdict, judge

VERDICT_MEANS = {
    "right": "held the field's state",
    "late": "still held the state before, within two hours",
    "unsure": "said itself that it didn't know",
    "near": "wrong, but a sensor's error away from right",
    "wrong": "none of these",
}


def simulate(
    model: Annotated[
        Path | None, typer.Argument(metavar="[MODEL]", help="model.dib, or the folder it lies in; not with --csv")
    ] = None,
    board: Annotated[str, typer.Option(help="whose currents and speed: dibble's boards/*.toml")] = "pico",
    days: Annotated[float, typer.Option(min=0.1, max=1500, help="how long")] = 30.0,
    seed: Annotated[int, typer.Option(help="of noise, fruit and faults; another one is another season")] = 0,
    faults: Annotated[
        str, typer.Option(help="of nack, stuck, spike, disconnect, clock, ticks, full, brownout; or all")
    ] = "",
    gate: Annotated[
        Path | None, typer.Option(help="a cheap model of the first stage: its class `skip` saves the costly reading")
    ] = None,
    soil: Annotated[
        str, typer.Option(help="sand, loamy_sand, sandy_loam, loam, silt_loam, clay_loam or silty_clay")
    ] = "loam",
    station: Annotated[str, typer.Option(help="whose weather: EWR, JFK or LGA")] = "EWR",
    start: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="first day, from 2024 on")] = "2026-01-01",
    interval: Annotated[int, typer.Option(min=60, help="seconds of a cycle, where the model has no interval")] = 600,
    config: Annotated[Path | None, typer.Option(help="the node's config.json; else one that suits the model")] = None,
    plot: Annotated[Path | None, typer.Option(help="write the season as a PNG")] = None,
    console_to: Annotated[Path | None, typer.Option("--console", help="write all that the node printed")] = None,
    csv: Annotated[
        Path | None, typer.Option(help="no node: write labelled readings to train on, marked simulated")
    ] = None,
    nodes: Annotated[int, typer.Option(min=1, max=100, help="nodes in the --csv")] = 9,
) -> None:
    """Simulate a node's season: the firmware's own files on a real MicroPython VM, with sensors simulated down to their
    registers, in real weather. Virtual time: a year takes minutes.

    Exit status 1 where the node raised an error, watered a wet soil or lost an acknowledged record.

    Examples:

      dibble simulate models/orchard --days 90 --plot season.png

      dibble simulate models/orchard --start 2026-06-01 --faults all --seed 3

      dibble simulate --csv field.simulated.csv --days 365
    """
    if csv:
        _write_csv(csv, days, seed, nodes, interval, soil)
        return
    if model is None:
        raise InputError("expected a MODEL to simulate, or --csv FILE to write readings to train one on")
    _live(model, gate, board, days, seed, faults, soil, station, start, interval, config, plot, console_to)


def _write_csv(path: Path, days: float, seed: int, nodes: int, interval: int, soil: str) -> None:
    from host_tools.field.field_csv import write_field_csv

    if path.exists():
        raise InputError(f"--csv: {path} is there already; name another file or remove it")
    with console.status(f"simulating {nodes} nodes for {days:g} days"):
        write_field_csv(path, days=max(1, round(days)), seed=seed, nodes=nodes, interval_s=interval, soil=soil)
    console.print(f"wrote {path}: simulated readings, labelled with the simulated field's own state.")
    console.print(f"next: dibble train {path} --label state --time time --group node")


def _live(
    model: Path,
    gate: Path | None,
    board: str,
    days: float,
    seed: int,
    faults: str,
    soil: str,
    station: str,
    start: str,
    interval: int,
    config: Path | None,
    plot: Path | None,
    console_to: Path | None,
) -> None:
    from rich.progress import Progress

    from host_tools.boards import read_board, read_power
    from host_tools.field.faults import parse_faults
    from host_tools.field.season import Simulation
    from host_tools.host_model import HostModel

    host_model = HostModel.open(model)
    names = parse_faults(faults)
    power = read_power(board)
    start_s = _start_s(start)
    settings = _read_config(config)
    predict_us = _predict_us(host_model, read_board(board)["us_per_instruction"])
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"{days:g} days", total=1.0)
        season = Simulation(
            host_model,
            gate=HostModel.open(gate) if gate else None,
            days=days,
            power=power,
            seed=seed,
            start_s=start_s,
            faults=names,
            soil=soil,
            station=station,
            bent_adc=board.startswith("esp32"),
            predict_us=predict_us,
            config=settings,
            interval_s=host_model.model.interval_ms // 1000 or interval,
            progress=lambda share: progress.update(task, completed=share),
        ).run()
    verdict = judge(season, tuple(host_model.model.classes))
    _print(season, verdict, days, board)
    if console_to:
        console_to.write_text(season.console, encoding="utf-8")
    if plot:
        from host_tools.field.season_plot import plot_season

        plot_season(season, plot, f"{host_model.model.name} on {board}, {days:g} days, {station}, {soil}, seed {seed}")
        console.print(f"plot: {plot}")
    if verdict.errors or verdict.lost or verdict.needless:
        raise typer.Exit(1)


def _start_s(text: str) -> int:
    """Return a day as seconds since 2000."""
    from datetime import UTC, datetime

    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"--start: expected a day such as 2026-06-01, got {text!r}") from None
    if not 2024 <= day.year < 2034:
        raise InputError(f"--start: expected a day of 2024 to 2033, got {text}")
    return int((day - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds())


def _read_config(path: Path | None) -> dict[str, object] | None:
    if path is None:
        return None
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"--config: expected a JSON file, got {error}") from None
    if not isinstance(table, dict):
        raise InputError(f"--config: expected a table in {path}, got {type(table).__name__}")
    try:
        check(table, lambda name: driver(name).SETTINGS)
    except ConfigError as error:
        raise InputError(f"{path}: {error}") from None
    return table


def _predict_us(host_model, us_per_instruction: float) -> float:  # type: ignore[no-untyped-def]
    """Return what one prediction takes on the board, by the instructions of the 32-bit VM."""
    import numpy as np

    from host_tools.replay import cost

    middle = np.array([[(channel.low + channel.high) // 2 for channel in host_model.channels]] * 3, dtype=np.int64)
    return cost(host_model, middle).instructions * us_per_instruction


def _print(season, verdict: Verdict, days: float, board: str) -> None:  # type: ignore[no-untyped-def]
    from rich.table import Table

    table = Table(title=f"{len(season.moments):,} decisions in {days:g} days", title_justify="left")
    table.add_column("what")
    table.add_column("", justify="right")
    table.add_column("meaning")
    for name in VERDICTS if verdict.shares else ():
        table.add_row(name, f"{verdict.shares[name]:.1%}", VERDICT_MEANS[name])
    for state, (moments, share) in verdict.by_state.items():
        table.add_row(f"  {state}", f"{share:.1%}", f"of {moments:,} moments held")
    hours = sum(watering.hours for watering in season.waterings)
    table.add_row("waterings", str(len(season.waterings)), f"{hours:.1f} h; {verdict.needless} of a wet soil")
    rows, missing = len(season.records.rows), season.records.missing_count()
    table.add_row(
        "records kept", f"{rows:,}", f"{verdict.lost} acknowledged ones lost, {missing} numbers never written"
    )
    restarts = ", ".join(f"{count} {name}" for name, count in verdict.restarts.items()) or "none"
    table.add_row("restarts", str(len(season.lives) - 1), restarts)
    table.add_row("errors", str(verdict.errors), "uncaught exceptions and failed cycles")
    if season.fault_episodes:
        table.add_row("faults", "", ", ".join(f"{n} {name}" for name, n in season.fault_episodes.items()))
    for name, mah in season.energy.mah().items():
        table.add_row(f"mAh: {name}", f"{mah:.1f}", f"{mah / days:.2f} a day")
    total = season.energy.total_mah
    table.add_row("mAh", f"{total:.1f}", f"a 2,500 mAh cell lasts {2500 / (total / days):.0f} days; {board}'s currents")
    console.print(table)
