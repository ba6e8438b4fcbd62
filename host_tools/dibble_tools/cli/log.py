"""Commands on what a node has logged, and on its settings: `dibble fetch`, `dibble label`, `dibble retune`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dibble_tools.cli.console import Captured, Port, console, feed_of, say
from dibble_tools.common.errors import InputError
from dibble_tools.common.quantities import channel_text

if TYPE_CHECKING:
    from dibble_tools.console.feed import Feed
    from dibble_tools.project.retune import Config, Sensor

MEASURE_S = 1.0  # from one reading to the next
retune = typer.Typer(no_args_is_help=True)

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="the node's config.json")]
Which = Annotated[str | None, typer.Option("--sensor", help="its channel or pin, where there are several")]
Readings = Annotated[int, typer.Option("--count", min=1, max=1000, help="readings to take the median of")]


def fetch(
    out: Annotated[Path, typer.Option(help="folder, or FILE.csv, to bring it to; made where it isn't there")],
    port: Port = "auto",
    model: Annotated[
        list[Path] | None, typer.Option(help="a model that decided earlier, for its names; may be repeated")
    ] = None,
) -> None:
    """Bring a node's log home: raw segments, every CRC checked, and a CSV. The node runs on.

    Another fetch to the same place brings only what is new. Exit status 1: records are missing or damaged.
    """
    from dibble_tools.link.ports import find_port
    from dibble_tools.log.fetch import Places
    from dibble_tools.log.fetch import fetch as run

    found = run(find_port(port), out, model or (), lambda text: say([text]))
    records = found.records
    say(found.notes)
    say(f"damaged: {text}" for text in records.damage)
    say(f"missing: records {numbers.start} to {numbers.stop - 1}" for numbers in records.missing)
    table = Places.of(out).table
    say([f"{table}: {len(records.rows)} records, {found.new} of them new; {found.segments} segments came"])
    if records.damage or records.missing:
        raise typer.Exit(1)


def label(
    log: Annotated[Path, typer.Argument(metavar="LOG.csv", help="as `dibble fetch` writes")],
    out: Annotated[Path, typer.Option(help="CSV to write")],
    observations: Annotated[
        Path | None, typer.Argument(metavar="OBSERVATIONS.csv", help="time,label or from,to,label")
    ] = None,
    tolerance: Annotated[str, typer.Option(help="how far a time,label speaks, either way")] = "30m",
    time_zone: Annotated[
        str, typer.Option(help="of the observations' times, such as Europe/Berlin; the log's are UTC")
    ] = "",
    suggest: Annotated[
        int | None,
        typer.Option(min=1, max=10_000, help="write the rows to label next instead, to fill in"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite --out")] = False,
) -> None:
    """Label a log by what was seen at the time; what comes out trains as it is. People rarely write down UTC.

    --suggest 20 writes the twenty rows to label next: fill in their labels, and that file is OBSERVATIONS.csv.
    """
    from dibble_tools.common.durations import parse_seconds
    from dibble_tools.common.files import write_atomically
    from dibble_tools.log.join import join

    if out.exists() and (not force or out.samefile(log) or (observations is not None and out.samefile(observations))):
        raise InputError(f"{out}: expected a file that isn't there yet, got one: choose another name, or add --force")
    if suggest is not None:
        from dibble_tools.log.suggest import reasons
        from dibble_tools.log.suggest import suggest as run

        found = run(log, suggest, observations, parse_seconds(tolerance, "--tolerance"), time_zone)
        if not found.rows:
            raise InputError(f"{log}: expected rows without a label, got none that has all its readings")
        write_atomically(out, found.csv())
        say([f"{out}: {len(found.rows)} of {found.free} rows: {reasons(found.rows)}"])
        say([f"next: fill in the column label, then: dibble label {log} {out} --out labelled.csv"])
        return
    if observations is None:
        raise InputError("expected OBSERVATIONS.csv, or --suggest N for a file to begin one with")
    joined = join(log, observations, parse_seconds(tolerance, "--tolerance"), time_zone)
    if joined.unused:
        lines = ", ".join(map(str, joined.unused[:20])) + (", …" if len(joined.unused) > 20 else "")
        say([f"{len(joined.unused)} observations speak of no row of the log: line {lines}"])
    if joined.untimed:
        say([f"{joined.untimed} rows of the log have no time: the node's clock wasn't set"])
    if joined.unlabelled:
        say([f"{joined.unlabelled} rows of the log have no observation: left out"])
    if not joined.rows:
        raise InputError(f"{observations}: expected observations of the time of {log}, got none: same zone, same days?")
    write_atomically(out, joined.csv())
    say([f"{out}: " + ", ".join(f"{name} {rows}" for name, rows in sorted(joined.counts.items()))])
    say([f"next: dibble train {out} --label label --time time {joined.training()}".rstrip()])


@retune.command()
def soil(
    config: ConfigPath,
    dry: Annotated[int | None, typer.Option(help="mV in dry soil (a STEMMA probe: its touch)")] = None,
    wet: Annotated[int | None, typer.Option(help="mV in saturated soil")] = None,
    measure: Annotated[str | None, typer.Option(help="dry or wet: the node's probe stands in it now")] = None,
    sensor: Which = None,
    port: Port = "auto",
    captured: Captured = None,
    count: Readings = 5,
) -> None:
    """Set a soil probe's curve by two points, given or measured through the running node."""
    from dibble_tools.project.measure import WHOLE_CURVE, median_reading, probe_value
    from dibble_tools.project.retune import SOIL, Config, set_soil

    if measure not in (None, "dry", "wet"):
        raise InputError(f"--measure: expected dry or wet, got {measure!r}")
    if (dry, wet, measure) == (None, None, None) or {"dry": dry, "wet": wet}.get(measure or "") is not None:
        raise InputError("expected --dry MV, --wet MV or --measure dry|wet, each end once")
    opened = Config(config)
    chosen = opened.sensor(SOIL, sensor)
    if measure:
        curve = chosen.settings["probe_curve"] if captured else WHOLE_CURVE[chosen.settings["driver"]]
        feed = _measured(port, captured, chosen, {"probe_curve": list(curve)})
        value = probe_value(median_reading(feed, opened, chosen, count), curve)
        unit = "mV" if chosen.settings["driver"] == "soil_adc" else "counts of touch"
        say([f"{channel_text(chosen.channel, 'permille')}: the probe gives {value} {unit}"])
        dry, wet = (value, wet) if measure == "dry" else (dry, value)
    set_soil(opened, chosen, dry, wet)
    _save(opened)


@retune.command()
def gas(
    config: ConfigPath,
    zero_uv: Annotated[int | None, typer.Option(help="uV of the cell's amplifier in clean air")] = None,
    measure: Annotated[bool, typer.Option("--measure", help="the node stands in clean air now")] = False,
    sensor: Which = None,
    port: Port = "auto",
    captured: Captured = None,
    count: Readings = 5,
) -> None:
    """Set an electrochemical cell's zero. A metal-oxide sensor (mox_adc) finds its baseline by itself."""
    from dibble_tools.project.measure import median_reading, zero_of
    from dibble_tools.project.retune import GAS, Config, set_gas_zero

    if (zero_uv is None) != measure:
        raise InputError("expected either --zero-uv UV or --measure")
    opened = Config(config)
    chosen = opened.sensor(GAS, sensor)
    if zero_uv is None:
        before = chosen.settings["zero_uv"] if captured else 0
        ppb = median_reading(_measured(port, captured, chosen, {"zero_uv": before}), opened, chosen, count)
        zero_uv = zero_of(ppb, before, chosen.settings["uv_per_ppm"])
        say([f"{channel_text(chosen.channel, 'ppb')}: the amplifier gives {zero_uv / 1000:.1f} mV in this air"])
    set_gas_zero(opened, chosen, zero_uv)
    _save(opened)


@retune.command()
def margin(
    config: ConfigPath,
    least: Annotated[int, typer.Argument(metavar="MARGIN", help="smaller ones are unsure; 0: as the model has it")],
    log: Annotated[Path | None, typer.Option(help="say what it would have meant for this log")] = None,
) -> None:
    """Make a node more cautious: decisions with a smaller margin count as unsure and switch nothing."""
    from dibble_tools.project.retune import Config, set_margin, unsure_share

    opened = Config(config)
    set_margin(opened, least)
    if log is not None:
        unsure, decisions = unsure_share(log, least)
        say([f"{log}: {unsure} of {decisions} decisions have a smaller margin"])
    _save(opened)


def _measured(port: str, captured: Path | None, sensor: "Sensor", instead: dict[str, object]) -> "Feed":
    """Return readings of a sensor : captured ones, or from the board at once, on other settings."""
    if captured:
        return feed_of(port, captured)[0]
    from dibble_tools.console.feed import Feed
    from dibble_tools.console.on_demand import from_board
    from dibble_tools.link.ports import find_port

    say(["its sensors are read now; the node stands still meanwhile"])
    return Feed(from_board(find_port(port), MEASURE_S, {sensor.index: instead}))


def _save(config: "Config") -> None:
    """Show what changes, and write it."""
    difference = config.difference()
    if not difference:
        say([f"{config.path}: it says so already"])
        return
    for line in difference[2:]:
        console.print(line, markup=False, soft_wrap=True, style={"-": "red", "+": "green"}.get(line[:1], "dim"))
    kept = config.save()
    say([f"{config.path}: written; the one before is {kept.name}. Next: dibble deploy --config {config.path}"])
