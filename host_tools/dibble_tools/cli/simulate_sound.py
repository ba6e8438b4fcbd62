"""`dibble simulate --sound`: a node that listens, on the real firmware and a real VM, hears a recording."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from dibble_tools.cli.output import console
from dibble_tools.common.errors import InputError

if TYPE_CHECKING:
    from dibble_tools.model.host_model import HostModel

MOST_SHOWN = 30  # alarms
AFTER_S = 0.5  # the recording, for what ends with it


def simulate_sound(
    model: "HostModel",
    sound: Path,
    *,
    voice: Path | None,
    config: Path | None,
    board: str | None,
    days: float | None,
    seed: int,
    faults: str,
    kind: str,
    console_to: Path | None,
) -> None:
    """Let a node hear a recording; tell its alarms, what became of sounds, and charge by stage.

    Args:
        days: None: once, as long as the recording is.
    Raises:
        InputError: the model or the node doesn't hear, or the board can't be simulated so.
    """
    from rich.progress import Progress

    from dibble_tools.boards.catalogue import board_named, likeness, read_power, runtime_of
    from dibble_tools.boards.energy import listening_budget
    from dibble_tools.boards.listening import Shares, listening_cost, work_us
    from dibble_tools.boards.tables import heard_table
    from dibble_tools.boards.wiring import board_for
    from dibble_tools.data.sound.recordings import at_its_own_rate
    from dibble_tools.model.hearing import sense_of
    from dibble_tools.model.host_model import HostModel
    from dibble_tools.node.config import read_config, whole
    from dibble_tools.simulator.faults import parse_faults
    from dibble_tools.simulator.heard import heard_in
    from dibble_tools.simulator.node.energy import Battery
    from dibble_tools.simulator.season import UP_S, Hearing, Orchard, SimulatedBoard, Simulation
    from dibble_tools.simulator.unkindness import kind_names

    gate = sense_of(model).gate
    settings = read_config(config) if config else {}
    listen = whole(settings)["listen"] if settings else {}
    if not listen or not listen["driver"]:
        raise InputError(
            f"{config or '--config'}: expected `listen` with a microphone's driver, got none: --config FILE"
        )
    name, has = board_named(board_for(board, settings, "pico"))
    kind_of, runtime = runtime_of(name, has, None)
    if kind_of != "micropython" or runtime.node != "full" or listen["driver"] not in runtime.hears:
        raise InputError(f"--board: expected one that listens by {listen['driver']} under MicroPython, got {name}")
    first = HostModel.open(voice) if voice else None
    samples, rate_hz = at_its_own_rate(sound)
    seconds = UP_S + (days * 86_400 if days else len(samples) / rate_hz + AFTER_S)
    costs = work_us(model, first, has, runtime, listen)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"{seconds:,.0f} s of {sound.name}", total=1.0)
        simulation = Simulation(
            model,
            SimulatedBoard(read_power(name), likeness(name, kind_names(kind))),
            replace(Orchard(), seed=seed),
            days=seconds / 86_400,
            faults=parse_faults(faults),
            config=settings,
            hearing=Hearing(samples, rate_hz, first, costs, runtime.viper),
            progress=lambda share: progress.update(task, completed=share),
        )
        start_s = simulation.hardware.now_us / 1e6
        season = simulation.run()
    heard = heard_in(season, start_s + UP_S, seconds - UP_S, each_hop=gate is None)
    for text in dict.fromkeys(
        event.text for _, event in season.events if event.kind in ("boot", "error", "log", "lost")
    ):
        console.print(f"the node said: {text}", markup=False, emoji=False, soft_wrap=True)
    for at_s, text in heard.alarms[:MOST_SHOWN]:
        console.print(f"{at_s:9,.0f} s  {text}", markup=False, soft_wrap=True)
    if len(heard.alarms) > MOST_SHOWN:
        console.print(f"and {len(heard.alarms) - MOST_SHOWN} more: --console FILE has all", markup=False)
    if console_to:
        console_to.write_text(season.console, encoding="utf-8")
    if not heard.hops:
        raise InputError(f"{config}: the node heard nothing: it says why above")
    passed = heard.sounds - heard.stopped
    shares = Shares(
        heard.frames / heard.hops, heard.sounds / heard.hops, passed / heard.hops, "the simulated node's own counts"
    )
    cost = listening_cost(model, first, has, runtime, listen, shares)
    spent, uncut = (listening_budget(has, runtime, whole(settings), stages) for stages in (cost.stages, cost.uncut))
    title = f"{model.content.name} on {name}, {seconds:,.0f} s of {sound.name}: {heard.hops:,} hops"
    Console(width=max(Console().width, 110)).print(heard_table(title, heard, cost, (spent, uncut), Battery()))
    if season.tracebacks or heard.lost:
        raise typer.Exit(1)
