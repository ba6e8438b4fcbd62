"""`dibble import`: recordings of other programs made into a table that trains."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dibble_tools.cli.output import console, note
from dibble_tools.common.errors import InputError

if TYPE_CHECKING:
    from dibble_tools.data.heater_scans.profiles import Profile
    from dibble_tools.data.heater_scans.table import Taken

bring = typer.Typer(no_args_is_help=True)


@bring.callback()
def options() -> None:
    """Take what stands before the kind of recording."""


@bring.command()
def bme(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help=".bmerawdata, .bmelabelinfo, .bmeconfig, project.db, or folders of them"),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="CSV to write")] = Path("scans.csv"),
    scans: Annotated[str, typer.Option(help="since the sensor slept: first, last, all, or such as 2..5")] = "all",
    profile: Annotated[
        str, typer.Option(help="heater profile, by name or steps, where several are there  [the most frequent]")
    ] = "",
    sensors: Annotated[str, typer.Option(help="places on the board, such as 0,2-4  [all]")] = "",
    by: Annotated[str, typer.Option(help="what the label is: tag, folder or file")] = "tag",
    label: Annotated[str, typer.Option(help="class of what has no label")] = "",
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="LABEL=CLASS; LABEL= leaves it out; may be repeated")
    ] = None,
    air: Annotated[
        bool, typer.Option("--air", help="with temperature, humidity and pressure, which often tell the day instead")
    ] = False,
    config: Annotated[Path | None, typer.Option(help="the node's config.json: its bme680 gets the profile")] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite --out")] = False,
) -> None:
    """Make a table of BME AI-Studio's recordings of heater scans; every scan is taken or told why not.

    It trains as it is: dibble train scans.csv. Labels beside a recording are found by themselves.

    Example: dibble import bme recordings/*.bmerawdata --scans last --out scans.csv
    """
    from dibble_tools.common.files import write_atomically
    from dibble_tools.data.heater_scans.assemble import assemble
    from dibble_tools.data.heater_scans.importing import read_files_of_studio
    from dibble_tools.data.heater_scans.profiles import named_profile
    from dibble_tools.data.heater_scans.table import (
        LABELLED_BY,
        Choice,
        counts_by_class,
        csv_of,
        parse_places,
        parse_sensors,
        take,
    )

    if by not in LABELLED_BY:
        raise InputError(f"--by: expected one of {', '.join(LABELLED_BY)}, got {by!r}")
    parse_places(scans)
    choice = Choice(
        scans,
        named_profile(profile) if profile else None,
        parse_sensors(sensors),
        by,
        label,
        _classes(classes or []),
        air,
    )
    found = read_files_of_studio(files)
    for text in [*found.problems, *found.notes]:
        note(text)
    if not found.recordings:
        for one in found.configured:
            _say_profile(one, "", 1)
        return
    if out.exists() and not force:
        raise InputError(f"{out}: expected a file that isn't there yet, got one: choose another name, or add --force")
    taken = take(assemble(found.recordings), choice)
    write_atomically(out, csv_of(taken, air=air).encode())
    _say_counts(taken, counts_by_class(taken.scans))
    for network in found.networks:
        console.print(
            f"AI-Studio's own {network.name}: {network.accuracy:.1%} on rows drawn at random, confusion "
            f"{network.confusion}",
            markup=False,
        )
    for text in taken.notes:
        note(text)
    console.print(f"{out}: {len(taken.scans):,} scans of {taken.profile.text}; next: dibble train {out}", markup=False)
    per_wake = max(scan.place for scan in taken.scans) if scans != "all" else 1
    _say_profile(taken.profile, scans, min(per_wake, 10))
    if config:
        _set_profile(config, taken.profile, min(per_wake, 10))


def _classes(texts: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        old, equals, new = (part.strip() for part in text.partition("="))
        if not old or not equals:
            raise InputError(f"--class: expected LABEL=CLASS, or LABEL= to leave it out, got {text!r}")
        found[old] = new
    return found


def _say_counts(taken: "Taken", rows: list[tuple[str, int, list[int]]]) -> None:
    from rich.table import Table

    from dibble_tools.cli.output import escape
    from dibble_tools.data.heater_scans.table import GROUPS

    table = Table(title="scans taken", title_justify="left")
    for heading in ("class", "scans", *(f"{group}s" for group in GROUPS)):
        table.add_column(heading, overflow="fold", justify="left" if heading == "class" else "right")
    for name, count, groups in rows:
        table.add_row(escape(name), f"{count:,}", *(f"{one:,}" for one in groups))
    console.print(table)
    for reason, count in taken.dropped.most_common():
        console.print(f"left out: {count:,}: {reason}", markup=False)
    total = len(taken.scans) + sum(taken.dropped.values())
    console.print(f"counted: {total:,} scans, {len(taken.scans):,} taken", markup=False)


def _say_profile(profile: "Profile", scans: str, per_wake: int) -> None:
    if why := profile.refused():
        note(f"{profile.title}: a node can't run it: {why}")
        return
    more = f', "scans": {per_wake}' if per_wake > 1 else ""
    console.print(
        f'for config.json ({profile.title}, {profile.seconds:.1f} s): {{"driver": "bme680", "profile": '
        f'"{profile.text}"{more}}}',
        markup=False,
    )


def _set_profile(path: Path, profile: "Profile", per_wake: int) -> None:
    from dibble_tools.project.retune import Config

    if why := profile.refused():
        raise InputError(f"--config: {profile.title}: a node can't run it: {why}")
    config = Config(path)
    sensor = config.sensor(["bme680"], None)
    config.set(["sensors", sensor.index, "profile"], profile.text)
    if per_wake > 1:
        config.set(["sensors", sensor.index, "scans"], per_wake)
    for line in config.difference():
        console.print(line, markup=False)
    kept = config.save()
    console.print(f"{path}: written; what it was is {kept.name}", markup=False)


@bring.command()
def motion(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSV, a sample a row; a file is a recording")],
    out: Annotated[Path, typer.Option(help="table to write")],
    axes: Annotated[str, typer.Option(help="columns of the axes, with commas; three at most")] = "x,y,z",
    scale: Annotated[float, typer.Option(help="mg that one of these is worth: 1000 for g, 101.97 for m/s2")] = 1.0,
    rate: Annotated[float, typer.Option(min=1, max=1000, help="samples a second")] = 25.0,
    every: Annotated[float, typer.Option(min=1, max=600, help="seconds of a reading, as the node's interval_s")] = 10.0,
    label: Annotated[str | None, typer.Option(help="column of what it was")] = None,
    group: Annotated[str | None, typer.Option(help="column of the animal or place  [the file's name]")] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite --out")] = False,
) -> None:
    """Make a table of an accelerometer's raw samples: what the driver lis3dh tells of each interval, bit for bit.

    It trains as it is; the node has the same interval, rate and axes.

    Example: dibble import motion collars/*.csv --scale 1000 --label behaviour --group cow --out field.csv
    """
    from dibble.senses.motion import AXES

    from dibble_tools.data.motion import readings_of_recordings

    names = [name.strip() for name in axes.split(",") if name.strip()]
    if not 1 <= len(names) <= AXES:
        raise InputError(f"--axes: expected one to {AXES} columns, got {len(names)}")
    if not scale > 0:
        raise InputError(f"--scale: expected a number above 0, got {scale:g}")
    if out.exists() and not force:
        raise InputError(f"--out: {out} is there already; name another file, or add --force")
    count = readings_of_recordings(
        files, out, axes=names, unit="mg", scale=scale, each=round(rate * every), label=label, group=group
    )
    console.print(f"wrote {out}: {count} readings of {every:g} s", markup=False, soft_wrap=True)
    if label:
        held = group or "recording"
        console.print(f"next: dibble train {out} --label {label} --group {held}", markup=False, soft_wrap=True)
