"""Commands on a model file: predict, evaluate, adapt, verify, inspect, pack, unpack; arguments only."""

from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.csv_options import CsvPath, NoReading, TimeFormat, TimeZone, csv_options
from dibble_tools.cli.output import console, escape, note
from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import json_text
from dibble_tools.common.terminal import Console, write

ModelPath = Annotated[Path, typer.Argument(metavar="MODEL", help="model.dib, or the folder it lies in")]
TimeColumn = Annotated[str | None, typer.Option("--time", help="column of times, of a model trained with --time")]
GroupColumn = Annotated[str | None, typer.Option("--group", help="column that tells one series from another")]
VmName = Annotated[str | None, typer.Option("--vm", help="compute on this VM: unix, wasi or microbit")]


def predict(
    model: ModelPath,
    file: CsvPath,
    time: TimeColumn = None,
    group: GroupColumn = None,
    time_format: TimeFormat = "",
    time_zone: TimeZone = "",
    na: NoReading = None,
    vm: VmName = None,
    why: Annotated[bool, typer.Option("--why", help="an additive model's reason: channel and push")] = False,
    out: Annotated[Path | None, typer.Option(help="write here instead of to stdout")] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite --out")] = False,
) -> None:
    """Decide on every row: a CSV of line, class, margin, flag, channel and held class; --why adds because and push."""
    from dibble_tools.common.files import write_atomically
    from dibble_tools.machines.predict import decide, decisions_csv, reasons
    from dibble_tools.model.host_model import HostModel
    from dibble_tools.model.rows import read_rows

    opened = HostModel.open(model)
    if out is not None and out.exists() and (not force or out.samefile(file)):
        raise InputError(f"{out}: expected a file that isn't there yet, got one: choose another name, or add --force")
    rows = read_rows(opened, file, time=time, group=group, options=csv_options(time_format, time_zone, na))
    for text in rows.ds.notes:
        note(text)
    text = decisions_csv(opened, rows, decide(opened, rows, vm), reasons(opened, rows) if why else None)
    if out is None:
        write(text)
    else:
        write_atomically(out, text.encode())


def evaluate(
    model: ModelPath,
    file: CsvPath,
    label: Annotated[str, typer.Option(help="column that says what the readings meant")] = "label",
    until: Annotated[
        str, typer.Option(help="of a model that tells how long until then: the condition that it was trained with")
    ] = "",
    time: TimeColumn = None,
    group: GroupColumn = None,
    time_format: TimeFormat = "",
    time_zone: TimeZone = "",
    na: NoReading = None,
    vm: VmName = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    plot: Annotated[Path | None, typer.Option(help="write the confusion matrix as a PNG picture")] = None,
) -> None:
    """Say how often the model is right: accuracy, macro-F1, confusion matrix, and what "unsure" is worth."""
    from dibble_tools.machines.predict import decide, evaluate_number
    from dibble_tools.model.host_model import HostModel
    from dibble_tools.model.metrics import evaluation
    from dibble_tools.model.rows import check_labels, read_rows
    from dibble_tools.report.plots import plot_confusion
    from dibble_tools.report.tables import evaluation_tables, number_evaluation_table

    opened = HostModel.open(model)
    options = csv_options(time_format, time_zone, na)
    if until and not opened.content.number:
        raise InputError("--until: expected a model that tells how long it takes, got one that tells a class")
    if opened.content.number:
        result = evaluate_number(opened, file, label, time, group, options, vm, until)
        write(json_text(result, indent=1) + "\n") if as_json else Console().print(number_evaluation_table(result))
        return
    rows = read_rows(opened, file, label=label, time=time, group=group, options=options)
    assert rows.ds.labels is not None
    check_labels(rows.ds, label, opened.classes)
    result = evaluation(rows.ds.labels, decide(opened, rows, vm), opened.classes)
    for text in rows.ds.notes:
        note(text)
    if plot is not None:
        plot_confusion(result, plot)
    if as_json:
        write(json_text(result, indent=1) + "\n")
    else:
        Console().print(*evaluation_tables(result))


def adapt(
    model: ModelPath,
    file: CsvPath,
    out: Annotated[Path, typer.Option(help="folder to write: model.dib, and the card it came with")],
    label: Annotated[str, typer.Option(help="column of labels, empty cells where nobody said")] = "label",
    time: TimeColumn = None,
    group: GroupColumn = None,
    time_format: TimeFormat = "",
    time_zone: TimeZone = "",
    na: NoReading = None,
) -> None:
    """Fit a trained model to one node by labelled readings of its own, without training: a few of each class will do.

    It raises or lowers each class's score and moves channels, where cross-validation over the labelled rows shows that
    it helps; else nothing is changed, which is said. Label rows as they come: as often as each class happens there.
    The file runs on each firmware that runs the one it came from, for at most some bytes more.

    Example: dibble adapt models/field node7.csv --label state --time time --out models/node7
    """
    from dibble_tools.model.host_model import HostModel, card_beside
    from dibble_tools.training import adapting

    opened, card = HostModel.open(model), card_beside(model)
    options = csv_options(time_format, time_zone, na)
    labelled, notes = adapting.read_labelled(opened, file, label, time=time, group=group, options=options)
    for text in notes:
        note(text)
    found = adapting.adapt(opened, labelled, card.get("unsure", {}).get("margin_unit"))
    for text in adapting.words(found):
        Console().print(text, markup=False, soft_wrap=True)
    if found.how != adapting.NOTHING:
        adapting.save(found, card, file.name, out)
        console.print(f"wrote {out / 'model.dib'}", markup=False, soft_wrap=True)


def verify(
    model: ModelPath,
    data: Annotated[
        Path | None, typer.Option(help="CSV of rows to replay; else rows are made up within the ranges")
    ] = None,
    vm: Annotated[str, typer.Option(help="unix, wasi, microbit or all")] = "all",
    time: TimeColumn = None,
    group: GroupColumn = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Run the firmware and the model on real MicroPython VMs and compare every decision with the host's.

    Class, margin, flags, channel and held class must agree on each row and on the file's golden
    vectors: 100 %, or exit status 1 with the first difference. A VM that isn't installed is an error.
    """
    from dataclasses import asdict

    from dibble_tools.machines.verify import VMS, agreement_table
    from dibble_tools.machines.verify import verify as run
    from dibble_tools.model.host_model import HostModel
    from dibble_tools.model.rows import made_up_rows, read_rows

    if vm not in ("all", *VMS):
        raise InputError(f"--vm: expected one of all, {', '.join(VMS)}; got {vm!r}")
    opened = HostModel.open(model)
    if data is None:
        readings, elapsed = made_up_rows(opened)
    else:
        rows = read_rows(opened, data, time=time, group=group)
        readings, elapsed = rows.readings, rows.elapsed_ms
    with console.status("starting") as status:
        found = run(
            opened, readings, elapsed, vms=VMS if vm == "all" else [vm], progress=lambda step: status.update(step)
        )
    if as_json:
        write(json_text([asdict(agreement) for agreement in found], indent=1) + "\n")
    else:
        Console().print(agreement_table(found))
    for agreement in found:
        if agreement.problem:
            console.print(f"[bold red]{escape(agreement.vm)}:[/] {escape(agreement.problem)}", soft_wrap=True)
    if not all(agreement.ok for agreement in found):
        raise typer.Exit(1)


def inspect(
    model: ModelPath,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Show everything in a model file: channels, features, classes, tables, golden vectors."""
    from dibble_tools.model.host_model import HostModel
    from dibble_tools.model.inspection import describe
    from dibble_tools.report.tables import inspection_tables

    content = describe(HostModel.open(model))
    if as_json:
        write(json_text(content, indent=1) + "\n")
    else:
        Console().print(*inspection_tables(content))


def pack(
    model: ModelPath,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="file to write  [MODEL.dibz]")] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite it")] = False,
) -> None:
    """Huffman-code a model file for a slow radio; the node unpacks it into a free slot.

    `dibble unpack` is the way back.
    """
    from dibble_tools.model.packing import pack_model

    console.print(pack_model(model, out, force).summary, markup=False, soft_wrap=True)


def unpack(
    packed: Annotated[Path, typer.Argument(metavar="FILE.dibz", help="as `dibble pack` writes")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="file to write  [FILE.dib]")] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite it")] = False,
) -> None:
    """Unpack a packed model file with the node's own decoder."""
    from dibble_tools.model.packing import unpack_model

    console.print(unpack_model(packed, out, force).summary, markup=False, soft_wrap=True)
