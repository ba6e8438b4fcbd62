"""A model's decisions on rows, by NumPy or on a VM, and why; as CSV."""

import csv
import io
from collections.abc import Sequence

import numpy as np
from dibble.inference.decision import NO_CLASS

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import cell
from dibble_tools.machines.microbit_replay import on_microbit
from dibble_tools.machines.replay import on_unix, on_wasi
from dibble_tools.model.decisions import FLAG_NAMES, Decisions, flag_text
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.rows import Rows


def decide(model: HostModel, rows: Rows, vm: str | None = None) -> Decisions:
    """Return the decisions on all rows, computed by NumPy or on a VM."""
    if vm is None:
        return model.decide(rows.readings, rows.elapsed_ms)
    if vm == "unix":
        return on_unix(model, rows.readings, rows.elapsed_ms, viper=True).decisions
    if vm == "wasi":
        return on_wasi(model, rows.readings, rows.elapsed_ms).decisions
    if vm != "microbit":
        raise InputError(f"--vm: expected unix, wasi or microbit; got {vm!r}")
    run = on_microbit(model, rows.readings, rows.elapsed_ms)
    if run.note or run.rows < len(rows.readings):
        raise InputError(
            f"--vm microbit: expected at most {run.rows} rows for a model without windows, got "
            f"{len(rows.readings)} rows: `dibble verify` replays what fits there"
        )
    return run.decisions


def reasons(model: HostModel, rows: Rows) -> list[tuple[str, str]]:
    """Return for each row the channel that moved the margin most, and by how much, as the node itself tells.

    Raises:
        InputError: the model isn't additive.
    """
    node = model.model
    if not model.content.tells_why:
        raise InputError("--why: expected an additive model, which alone can tell; train one with --family additive")
    node.restart()
    found = []
    elapsed = [None] * len(rows.readings) if rows.elapsed_ms is None else rows.elapsed_ms.tolist()
    for row, since in zip(rows.readings.tolist(), elapsed, strict=True):
        if node.predict(row, since).class_index == NO_CLASS:
            found.append(("", ""))
        else:
            channel, amount = node.explain()
            found.append((cell(model.content.titles[channel]), str(amount)))
    node.restart()
    return found


def decisions_csv(
    model: HostModel, rows: Rows, decisions: Decisions, why: Sequence[tuple[str, str]] | None = None
) -> str:
    """Return the decisions as CSV: line in the file, class, margin, flag, channel at fault, held class; and why."""
    names = {NO_CLASS: "", **dict(enumerate(map(cell, model.classes)))}
    flags = [flag_text(bits) for bits in range(1 << len(FLAG_NAMES))]
    channels = ["", *(cell(channel.name) for channel in model.channels)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["line", "class", "margin", "flag", "channel", "held", *(["because", "push"] if why else [])])
    table = np.column_stack([rows.ds.lines, decisions.columns()]).tolist()
    for i, (line, c, m, f, ch, h) in enumerate(table):
        writer.writerow([line, names[c], m, flags[f], channels[ch + 1], names[h], *(why[i] if why else ())])
    return out.getvalue()
