"""`dibble fleet`: many nodes at one broker; arguments only."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dibble_tools.cli.output import console
from dibble_tools.common.durations import parse_seconds
from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import extras_named
from dibble_tools.common.safe_text import json_text
from dibble_tools.common.terminal import Console, write

if TYPE_CHECKING:
    from dibble_tools.fleet.broker import Broker

fleet = typer.Typer(
    help="Many nodes at an MQTT broker: keep what they say, see how they are, bring them a new model.",
    no_args_is_help=True,
)
TURN_S = 1.0  # how long a listener waits before it looks at its end
TOLD_S = 60.0  # between two lines of counts

Place = Annotated[
    str, typer.Option("--db", help="SQLite file, or a URL of PostgreSQL: postgresql+psycopg://user@host/name")
]
Where = Annotated[str, typer.Option("--broker", help="HOST or HOST:PORT")]
User = Annotated[str, typer.Option(help="at the broker; its password is in the environment: MQTT_PASSWORD")]
Authority = Annotated[str, typer.Option("--ca", help="speak TLS: file of the broker's authority, or 'system'")]
Nodes = Annotated[str, typer.Option("--nodes", help="whose names fit, as a shell has it: 'bed-*'")]
Empty = Annotated[int, typer.Option("--empty-mv", min=0, help="the voltage at which a battery counts as empty")]
Learn = Annotated[
    list[Path] | None,
    typer.Option("--model", help="a model that nodes run: its card tells what share of unsure is usual; repeat it"),
]


@fleet.command()
def listen(
    broker: Where = "localhost",
    db: Place = "fleet.db",
    user: User = "",
    ca: Authority = "",
    model: Learn = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0, help="stop after so long")] = None,
) -> None:
    """Keep what nodes publish, each record once, until Ctrl-C. What comes while it is away, the broker keeps for it.

    Set `max_queued_messages 0` and `persistence true` in mosquitto.conf, else a broker keeps a thousand messages only.
    What a broker loses all the same is asked of the nodes again: their logs still have it.

    Example: dibble fleet listen --broker localhost --model models/orchard/model.dib
    """
    with extras_named("fleet"):
        from dibble_tools.fleet.database import open_database
        from dibble_tools.fleet.known_models import learn_models
        from dibble_tools.fleet.listening import Subscriber
        from dibble_tools.fleet.sending import Link
    at = _broker(broker, user, ca)
    with Link(at):  # a broker that isn't there leaves no database
        pass
    engine = open_database(db)
    for line in learn_models(engine, model or ()):
        _say(line)
    end = None if seconds is None else time.monotonic() + seconds
    told = 0.0
    with Subscriber(at, engine, _say) as listener:
        try:
            while end is None or time.monotonic() < end:
                came = listener.turn(TURN_S)
                if came and time.monotonic() - told > TOLD_S:
                    told = time.monotonic()
                    _say(listener.counts.text())
        except KeyboardInterrupt:
            pass
        for line in (*listener.unfit, listener.counts.text()):
            _say(line)


@fleet.command()
def status(
    db: Place = "fleet.db",
    nodes: Nodes = "*",
    empty_mv: Empty = 3300,
    json: Annotated[bool, typer.Option("--json", help="as JSON, for programs")] = False,
    model: Learn = None,
) -> None:
    """Show each node: last seen, battery and its days left, versions, faults, and shares of unsure against training.

    Exit status 1: a node is silent, drifts, lacks records, or its battery ends within two weeks.

    Example: dibble fleet status --nodes 'bed-*'
    """
    from dataclasses import asdict

    with extras_named("fleet"):
        from dibble_tools.fleet.database import open_database
        from dibble_tools.fleet.health import fleet_health
        from dibble_tools.fleet.known_models import learn_models
        from dibble_tools.fleet.view import concerns, status_view
    engine = open_database(db, must_exist=True)
    for line in learn_models(engine, model or ()):
        _say(line)
    now_s = int(time.time())
    found = fleet_health(engine, now_s, nodes, empty_mv)
    if not found:
        raise InputError(f"--nodes {nodes}: expected the name of a node in {db}, got none that fits")
    if json:
        write(json_text([{**asdict(node), "concerns": concerns(node, now_s)} for node in found], 2) + "\n")
    else:
        Console().print(status_view(found, now_s))
    if any(concerns(node, now_s) for node in found):
        raise typer.Exit(1)


@fleet.command()
def watch(
    db: Place = "fleet.db",
    nodes: Nodes = "*",
    empty_mv: Empty = 3300,
    every: Annotated[str, typer.Option(help="look again so often")] = "5s",
) -> None:
    """Show the same as a live table, until Ctrl-C, while `dibble fleet listen` runs elsewhere."""
    from rich.live import Live

    with extras_named("fleet"):
        from dibble_tools.fleet.database import open_database
        from dibble_tools.fleet.health import fleet_health
        from dibble_tools.fleet.view import status_view
    every_s = parse_seconds(every, "--every")
    engine = open_database(db, must_exist=True)

    def screen():  # type: ignore[no-untyped-def]
        now_s = int(time.time())
        return status_view(fleet_health(engine, now_s, nodes, empty_mv), now_s)

    try:
        with Live(screen(), console=Console(), auto_refresh=False, screen=True) as live:
            while True:
                time.sleep(every_s)
                live.update(screen(), refresh=True)
    except KeyboardInterrupt:
        pass


@fleet.command()
def export(
    out: Annotated[Path, typer.Option(help="CSV to write")],
    db: Place = "fleet.db",
    nodes: Nodes = "*",
    days: Annotated[float | None, typer.Option(min=0, help="of the last so many days only")] = None,
    labelled: Annotated[bool, typer.Option("--labelled", help="only rows that a label speaks of")] = False,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="what the node decided, too; not to learn from")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="overwrite --out")] = False,
) -> None:
    """Write what nodes said as a CSV that trains as it is, with the node as group. Labels are the studio's.

    Example: dibble fleet export --labelled --out fleet.csv && dibble train fleet.csv --group node
    """
    from dibble_tools.common.files import write_atomically

    with extras_named("fleet"):
        from dibble_tools.fleet.database import open_database
        from dibble_tools.fleet.export import export as run
    if out.exists() and not force:
        raise InputError(f"{out}: expected a file that isn't there yet, got one: choose another name, or add --force")
    since_s = 0 if days is None else int(time.time() - 86400 * days)
    made = run(open_database(db, must_exist=True), nodes, since_s, decisions=decisions, labelled=labelled)
    write_atomically(out, made.text.encode())
    _say(f"{out}: {made.rows} rows of {made.nodes} nodes, {made.labelled} with a label")
    if made.undated:
        _say(f"{made.undated} records left out: their node's clock wasn't set")
    if made.labelled:
        _say(f"next: dibble train {out} --label label --time time --group node")
    else:
        _say(f"next: label it by what was seen: dibble label {out} OBSERVATIONS.csv --out labelled.csv")


@fleet.command()
def update(
    nodes: Annotated[str, typer.Option("--nodes", help="to be updated, whose names fit: 'bed-*'")],
    model: Annotated[
        Path | None, typer.Option(help="model file, or a folder with model.dib; gate.dib is a gate")
    ] = None,
    configs: Annotated[Path | None, typer.Option(help="instead: folder with NODE.json for each of them")] = None,
    firmware: Annotated[
        bool, typer.Option("--firmware", help="not --configs, but dibble's own program for nodes under these")
    ] = False,
    broker: Where = "localhost",
    db: Place = "fleet.db",
    user: User = "",
    ca: Authority = "",
    key: Annotated[
        Path | None, typer.Option(help="file of the nodes' key, or a folder with NODE.key; for nodes that have one")
    ] = None,
    canary: Annotated[int, typer.Option(min=1, help="nodes that get it first, and have to confirm it")] = 1,
    then: Annotated[str, typer.Option(help="then so many at a time: a share, or a number")] = "10%",
    patience: Annotated[str, typer.Option(help="how long a wave may take, such as 90m; nodes wake rarely")] = "6h",
    again: Annotated[
        bool, typer.Option("--again", help="though one of them refused this very file before, or went back from it")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="don't ask")] = False,
) -> None:
    """Bring nodes a new model, configuration or firmware by radio: the canary first, then a few at a time.

    The first node that refuses it, falls back to its old one or stays silent ends it: exit status 1. Run again, it goes
    on where it ended: nodes that have the file already are passed over. Firmware goes to nodes with a key only.

    Example: dibble fleet update --model models/orchard --nodes 'bed-*' --canary 1 --then 10%
    """
    with extras_named("fleet"):
        from dibble_tools.fleet.database import open_database
        from dibble_tools.fleet.health import fleet_health
        from dibble_tools.fleet.rollout import Rollout, by_trust, parcels_of, waves
        from dibble_tools.radio.parcel import offer_turn
    at = _broker(broker, user, ca)
    patience_s = parse_seconds(patience, "--patience")
    if firmware and not configs:
        raise InputError("--firmware: expected --configs, which say what the nodes need, got none")
    found = fleet_health(open_database(db, must_exist=True), int(time.time()), nodes)
    names = by_trust(found)
    if not names:
        raise InputError(f"--nodes {nodes}: expected the name of a node in {db}, got none that fits")
    mpy = {node.name: node.mpy for node in found} if firmware else None
    parcels = parcels_of(names, model, configs, key, offer_turn(again), mpy)
    in_waves = waves(names, canary, then)
    first = parcels[names[0]]
    _say(f"{first.kind} {first.version}: {len(first.stream)} bytes in {first.count} pieces for {len(names)} nodes")
    _say(f"first {', '.join(in_waves[0])}, then {then} at a time")
    if not yes and not typer.confirm("Go on?", err=True):
        raise typer.Exit(1)
    with Rollout(at, parcels, patience_s, _say) as rollout:
        outcome = rollout.run(in_waves)
    for name, why in outcome.failed.items():
        _say(f"{name}: {why}")
    _say(f"{len(outcome.confirmed)} of {len(names)} nodes run it; {len(outcome.untouched)} were left as they are")
    if outcome.failed:
        raise typer.Exit(1)


def _broker(text: str, user: str, ca: str) -> "Broker":
    with extras_named("fleet"):
        from dibble_tools.fleet.broker import Broker
    return Broker.of(text, user, ca)


def _say(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
