"""Commands at a node's console: `dibble collect`, `dibble monitor`; arguments only."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dibble_tools.cli.given import refuse_others, refuse_without
from dibble_tools.cli.output import console, note
from dibble_tools.common.durations import parse_seconds
from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import json_text
from dibble_tools.common.terminal import Console, write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dibble_tools.console.feed import Feed

Port = Annotated[str, typer.Option(help="serial port, name of a virtual board, or auto: the one board there is")]
Captured = Annotated[Path | None, typer.Option("--from", help="a captured console instead of a port; - is stdin")]
Minutes = Annotated[float | None, typer.Option(min=0, help="stop after so long")]
Count = Annotated[int | None, typer.Option(min=1, help="stop after so many rows")]


OF_SOUND = {"label", "out", "port", "keys", "count", "sound", "speaker", "take"}


def collect(
    context: typer.Context,
    label: Annotated[str, typer.Option(help="what the readings mean from the start, such as dry")],
    out: Annotated[Path, typer.Option(help="CSV to append to; made where it isn't there")],
    port: Port = "auto",
    captured: Captured = None,
    keys: Annotated[str, typer.Option(help="LABEL=KEY,… that switch the label; skip=KEY writes nothing")] = "",
    count: Count = None,
    minutes: Minutes = None,
    every: Annotated[
        str | None,
        typer.Option(
            help="read the sensors this often, such as 10s, while the node stands still; else as the node reads"
        ),
    ] = None,
    frames: Annotated[
        Path | None,
        typer.Option(help="also the frames of a thermal array with `frames` in its configuration: FILE.npz or .csv"),
    ] = None,
    sound: Annotated[
        bool, typer.Option("--sound", help="takes of sounds instead, from the node's microphone; --out is a folder")
    ] = False,
    speaker: Annotated[str, typer.Option(help="with --sound: who, or what machine; its takes stay together")] = "me",
    take: Annotated[float, typer.Option(min=0.3, max=10, help="with --sound: seconds of a take")] = 1.5,
) -> None:
    """Append a node's readings to a CSV as they come, labelled; keys switch the label.

    With --sound each key is a take of its label, FOLDER/LABEL/SPEAKER_N.wav, as `dibble train FOLDER --sound` reads
    them; without a keyboard a take of --label begins with each sound that stands out of the quiet.

    The file trains as it is. A run can be ended at any time and taken up again: no row is written twice.

    Example: dibble collect --label dry --keys dry=d,wet=w,skip=s --out field.csv

    Example: dibble collect --sound --label water --keys water=w,stop=s,_noise=n --out clips
    """
    import time

    from dibble_tools.console.appended_csv import AppendedCsv
    from dibble_tools.console.clock import NodeClock
    from dibble_tools.console.collect import End, keys_pressed
    from dibble_tools.console.collect import collect as run
    from dibble_tools.console.frames import FrameStore
    from dibble_tools.console.labelled_rows import Collector
    from dibble_tools.console.labels import check_label, parse_keys

    chosen = parse_keys(keys, check_label(label))
    refuse_without(context, "--sound", sound, "speaker", "take")
    if sound:
        refuse_others(context, "--sound", OF_SOUND)
        _collect_sound(label, chosen, out, port, count, speaker, take)
        return
    every_s = None if every is None else parse_seconds(every, "--every")
    feed, interval_s = feed_of(port, captured, every_s)
    if every_s:
        note(
            f"a reading each {every_s:g} s; windows of features count readings, so for a model with windows set "
            f"interval_s {every_s:g} in config.json, too, or take --features with `last` only"
        )
    end = End(count, None if minutes is None else 60 * minutes)
    store = FrameStore(frames) if frames else None
    with AppendedCsv(out) as table:
        say(table.notes)
        collector = Collector(table, NodeClock(None if captured else time.time), label)
        with keys_pressed() as pressed:
            run(feed, collector, chosen, end, pressed, console, interval_s, store)
    totals = ", ".join(f"{name} {rows}" for name, rows in sorted(collector.counts.items()))
    say([f"{out}: {collector.written} rows written by this run; in all: {totals or 'none'}"])
    if store:
        say([f"{store.path}: {store.written} frames written by this run"])
        if not store.written and collector.written:
            say(['no frame came: the array\'s entry in config.json takes "frames": 1'])
        say(f"frames not written: {reason}: {number}" for reason, number in store.left_out.most_common())
    say(f"not written: {reason}: {rows}" for reason, rows in collector.left_out.most_common())
    say(filter(None, (collector.hint, collector.in_one_go)))
    say(f"rejected lines: {reason}: {lines}" for reason, lines in feed.reader.rejected.most_common())
    if not collector.written:
        raise typer.Exit(1)
    say([" ".join([f"next: dibble train {out}", *collector.units()])])


def _collect_sound(
    label: str, keys: dict[str, str], out: Path, port: str, count: int | None, speaker: str, take: float
) -> None:
    import sys

    from dibble_tools.console.collect import keys_pressed
    from dibble_tools.console.sound_takes import Takes, check_sound, collect_sound, from_board, to_train
    from dibble_tools.link.ports import find_port

    if out.suffix or out.is_file():
        raise InputError(f"--out: expected a folder for takes of sounds, got {out}")
    for name in (label, *keys.values()):
        check_sound(name)
    takes = Takes(out, speaker, take)
    listed = ", ".join(f"{key}: {name}" for key, name in keys.items())
    with keys_pressed() as pressed:
        typed = pressed if sys.stdin and sys.stdin.isatty() else None
        say([f"press a key and speak: {listed}; q ends it" if typed else f"each sound is a take of {label}"])
        collect_sound(from_board(find_port(port)), takes, keys, label, typed, lambda text: say([text]), count)
    totals = ", ".join(f"{name} {number}" for name, number in sorted(takes.counts.items()))
    say([f"{out}: {takes.written} takes written by this run; in all: {totals or 'none'}"])
    if takes.torn:
        say([f"not written: {takes.torn} takes, of which samples were lost; {takes.lost} samples in all"])
    if not takes.written:
        raise typer.Exit(1)
    say([f"next: {to_train(out, takes.counts)}"])


def monitor(
    port: Port = "auto",
    captured: Captured = None,
    model: Annotated[Path | None, typer.Option(help="the node's model: an additive one tells why")] = None,
    table: Annotated[Path | None, typer.Option("--csv", help="append the decisions to this file too")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="an object a line on stdout, for programs")] = False,
    count: Count = None,
    minutes: Minutes = None,
) -> None:
    """Watch a node: its decision, margin and why, readings, battery, faults and events. Ctrl-C ends it.

    Example: dibble monitor --model models/field --csv decisions.csv
    """
    import sys
    from contextlib import nullcontext

    from dibble_tools.console.monitor import monitor as run
    from dibble_tools.console.reasons import Reasons
    from dibble_tools.console.row_table import RowTable
    from dibble_tools.model.host_model import HostModel

    def speak(spoken: dict[str, object]) -> None:
        write(json_text(spoken) + "\n")

    reasons = Reasons(HostModel.open(model)) if model else None
    feed, interval_s = feed_of(port, captured)
    with RowTable(table) if table else nullcontext() as rows:
        try:
            seen = run(
                feed,
                Console(highlight=False),
                interval_s=interval_s,
                say=speak if as_json else None,
                table=rows,
                reasons=reasons,
                rows=count,
                seconds=None if minutes is None else 60 * minutes,
            )
            if captured is None and seen.header and seen.pace.interval_s:
                from dibble_tools.console.remembered import Remembered

                Remembered().add(seen.header, round(seen.pace.interval_s))
        except BrokenPipeError:  # the pipe's other end has had enough
            sys.stdout = None
        if rows:
            say(rows.notes)
            say(f"not written: {reason}: {number}" for reason, number in rows.left_out.most_common())


def feed_of(port: str, captured: Path | None, every_s: float | None = None) -> "tuple[Feed, float | None]":
    """Return what a node says at a port, or said in a captured console; and how often it reads, where that's known.

    Args:
        every_s: stop the node, and read its sensors so often.
    """
    from dibble_tools.console.feed import Feed, from_file, from_port
    from dibble_tools.console.remembered import Remembered

    if captured is None:
        if every_s:
            from dibble_tools.console.on_demand import from_board
            from dibble_tools.link.ports import find_port

            return Feed(from_board(find_port(port), every_s)), every_s
        remembered = Remembered()
        return Feed(from_port(port), remembered.headers, remembered.add), remembered.interval_s
    if every_s:
        raise InputError("expected --every with a board, got --from: what was captured can't be read anew")
    if port != "auto":
        raise InputError("expected --port or --from, got both: leave one out")
    return Feed(from_file(None if str(captured) == "-" else captured)), None


def say(texts: "Iterable[str]") -> None:
    """Write lines for people."""
    for text in texts:
        console.print(text, markup=False, soft_wrap=True, emoji=False)
