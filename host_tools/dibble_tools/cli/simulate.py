"""`dibble simulate`: a season of a node, on the real firmware and a real VM, in minutes."""

from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.given import given, refuse_others, refuse_without
from dibble_tools.cli.output import console
from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import extras_named
from dibble_tools.simulator.unkindness import help_lines, kind_names

OF_SOUND = {"model", "board", "days", "seed", "faults", "config", "kind", "console_to", "sound", "voice"}
OF_CSV = {"csv", "days", "seed", "nodes", "interval", "soil", "start"}


@extras_named("simulate")
def simulate(
    context: typer.Context,
    model: Annotated[
        Path | None, typer.Argument(metavar="[MODEL]", help="model.dib, or the folder it lies in; not with --csv")
    ] = None,
    board: Annotated[
        str | None, typer.Option(help="whose currents and speed: dibble's boards/*.toml  [the config's, else pico]")
    ] = None,
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
    kind: Annotated[
        str, typer.Option(help="unkindnesses that this board is without: names with commas, or all; see below")
    ] = "",
    plot: Annotated[Path | None, typer.Option(help="write the season as a PNG")] = None,
    console_to: Annotated[Path | None, typer.Option("--console", help="write all that the node printed")] = None,
    csv: Annotated[
        Path | None,
        typer.Option(help="no node: write labelled readings to train on, marked simulated; --start is 2013-01-01"),
    ] = None,
    nodes: Annotated[int, typer.Option(min=1, max=100, help="nodes in the --csv")] = 9,
    sound: Annotated[
        Path | None,
        typer.Option(help="of a node that listens: the recording that it hears, once; over and over with --days"),
    ] = None,
    voice: Annotated[
        Path | None, typer.Option(help="voice.dib of a node that listens  [voice.dib beside the model]")
    ] = None,
) -> None:
    """Simulate a node's season: the firmware's own files on a real MicroPython VM, with sensors simulated down to their
    registers, in real weather. Virtual time: a year takes minutes.

    Exit status 1 where the node raised an error, watered a wet soil, lost an acknowledged record or samples.

    With --sound a node that listens hears a recording, time passing as its board would take for the work: when it acts,
    what stopped other sounds, what was lost, charge by stage. It takes about a third of the recording's time.

    Examples:

      dibble simulate models/orchard --days 90 --plot season.png

      dibble simulate models/orchard --start 2026-06-01 --faults all --seed 3

      dibble simulate models/four_words --sound yard.wav --config config.json

      dibble simulate --csv field.simulated.csv --days 365
    """
    for option, path in (("--plot", plot), ("--console", console_to), ("--csv", csv)):
        if path and not path.parent.is_dir():
            raise InputError(f"{option}: expected a folder at {path.parent}, found none: make it first")
    if csv:
        refuse_others(context, "--csv", OF_CSV)
        _write_csv(csv, days, seed, nodes, interval, soil, _start_s(start) if "start" in given(context) else None)
        return
    refuse_without(context, "--csv", False, "nodes")
    if model is None:
        raise InputError("expected a MODEL to simulate, or --csv FILE to write readings to train one on")
    from dibble_tools.model.host_model import HostModel

    host_model = HostModel.open(model)
    if sound:
        from dibble_tools.cli.simulate_sound import simulate_sound

        refuse_others(context, "--sound", OF_SOUND)
        beside = (model if model.is_dir() else model.parent) / "voice.dib"
        simulate_sound(
            host_model,
            sound,
            voice=voice or (beside if beside.is_file() else None),
            config=config,
            board=board,
            days=days if "days" in given(context) else None,
            seed=seed,
            faults=faults,
            kind=kind,
            console_to=console_to,
        )
        return
    refuse_without(context, "--sound", False, "voice")
    if host_model.content.sound:
        raise InputError(f"{model}: expected --sound with a recording for it to hear, got none: --sound yard.wav")
    from rich.progress import Progress

    from dibble_tools.boards.catalogue import board_named, likeness, read_power, runtime_of
    from dibble_tools.boards.prediction import prediction_us
    from dibble_tools.boards.wiring import board_for
    from dibble_tools.machines.replay import middle_cost
    from dibble_tools.node.config import read_config
    from dibble_tools.simulator.faults import parse_faults
    from dibble_tools.simulator.season import Orchard, SimulatedBoard, Simulation
    from dibble_tools.simulator.season_table import season_table
    from dibble_tools.simulator.verdict import season_verdict

    name = host_model.content.name
    settings = read_config(config) if config else None
    board = board_for(board, settings, "pico")
    name_of_board, has = board_named(board)
    runtime = runtime_of(name_of_board, has, None)[1]
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"{days:g} days", total=1.0)
        season = Simulation(
            host_model,
            SimulatedBoard(
                power=read_power(board),
                like=likeness(board, kind_names(kind)),
                predict_us=prediction_us(host_model, has, runtime, middle_cost(host_model).instructions).value,
                bent_adc=has.chip.name.startswith("ESP32"),
            ),
            Orchard(soil, station, _start_s(start), seed),
            days=days,
            gate=HostModel.open(gate) if gate else None,
            faults=parse_faults(faults),
            config=settings,
            interval_s=host_model.content.interval_ms // 1000 or interval,
            progress=lambda share: progress.update(task, completed=share),
        ).run()
    verdict = season_verdict(season, tuple(host_model.content.classes))
    console.print(season_table(season, verdict, days, board))
    for text in dict.fromkeys(event.text for _, event in season.events if event.kind in ("boot", "error", "log")):
        console.print(f"the node said: {text}", markup=False, emoji=False, soft_wrap=True)
    if console_to:
        console_to.write_text(season.console, encoding="utf-8")
    if plot:
        from dibble_tools.simulator.season_plot import plot_season

        plot_season(season, plot, f"{name} on {board}, {days:g} days, {station}, {soil}, seed {seed}")
        console.print(f"plot: {plot}", markup=False, soft_wrap=True)
    if verdict.errors or verdict.lost or verdict.needless:
        raise typer.Exit(1)


def _write_csv(path: Path, days: float, seed: int, nodes: int, interval: int, soil: str, start_s: int | None) -> None:
    from dibble_tools.simulator.field_csv import write_field_csv
    from dibble_tools.simulator.orchard.site import TO_UNIX_S
    from dibble_tools.simulator.orchard.weather import YEAR_START_S

    if days != round(days):
        raise InputError(f"--days: expected whole days with --csv, got {days:g}")
    begin = YEAR_START_S if start_s is None else start_s + TO_UNIX_S

    if path.exists():
        raise InputError(f"--csv: {path} is there already; name another file or remove it")
    with console.status(f"simulating {nodes} nodes for {days:g} days"):
        write_field_csv(path, days=round(days), seed=seed, nodes=nodes, interval_s=interval, soil=soil, start_s=begin)
    console.print(
        f"wrote {path}: simulated readings, labelled with the simulated field's own state.",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"next: dibble train {path} --label state --time time --group node", markup=False, soft_wrap=True)


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


simulate.__doc__ = f"{simulate.__doc__}\n\nWhat boards and sensors do to a node, by default:\n\n{help_lines()}"
