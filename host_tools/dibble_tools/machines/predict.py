"""A model's decisions on rows, by NumPy or on a VM, and why; as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from dibble.inference.decision import NO_CLASS
from dibble.inference.fixed_point import MISSING

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import cell
from dibble_tools.data.channels import steps_to_text, to_values
from dibble_tools.machines.microbit_replay import on_microbit
from dibble_tools.machines.replay import on_unix, on_wasi
from dibble_tools.model.decisions import FLAG_NAMES, Decisions, flag_text
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.number import Quantity
from dibble_tools.model.rows import Rows, read_rows

if TYPE_CHECKING:
    from dibble_tools.data.datasets import CsvOptions, Dataset


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


def _numbers(number: Quantity, decisions: Decisions) -> list[str]:
    """Return each decision's number in its unit, with no more digits than it has; "" where a reading is missing."""
    alone = replace(number.channel, unit="")
    return ["" if s == MISSING else steps_to_text(s, alone) for s in number.steps(decisions).tolist()]


def decisions_csv(
    model: HostModel, rows: Rows, decisions: Decisions, why: Sequence[tuple[str, str]] | None = None
) -> str:
    """Return the decisions as CSV: line in the file, class, margin, flag, channel at fault, held class; and why.

    Of a model that tells a number, that comes after the line, in its unit.
    """
    names = {NO_CLASS: "", **dict(enumerate(map(cell, model.classes)))}
    flags = [flag_text(bits) for bits in range(1 << len(FLAG_NAMES))]
    channels = ["", *(cell(channel.name) for channel in model.channels)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    number = model.content.number
    told = [cell(number.channel.name)] if number else []
    head = ["line", *told, "class", "margin", "flag", "channel", "held", *(["because", "push"] if why else [])]
    writer.writerow(head)
    texts = _numbers(number, decisions) if number else []
    table = np.column_stack([rows.ds.lines, decisions.columns()]).tolist()
    for i, (line, c, m, f, ch, h) in enumerate(table):
        more = why[i] if why else ()
        writer.writerow([line, *texts[i : i + 1], names[c], m, flags[f], channels[ch + 1], names[h], *more])
    return out.getvalue()


def evaluate_number(
    model: HostModel,
    path: Path,
    column: str,
    time: str | None,
    group: str | None,
    options: "CsvOptions",
    vm: str | None = None,
    until: str = "",
) -> dict[str, Any]:
    """Return how far off a model's numbers are on the rows of a file, as JSON-ready values.

    Args:
        column: of the true numbers, of the moments that the model tells of.
        until: the condition of which the model tells how long it takes to hold, in the column's place.
    Raises:
        InputError: there are none.
    """
    from dibble_tools.data.future import (
        MINUTE_MS,
        TIME_TO,
        minutes_until,
        parse_condition,
        rows_later,
        time_name,
    )  # not before: pandas and scikit-learn come with them
    from dibble_tools.model.metrics import number_figures

    number = model.content.number
    assert number is not None
    if until:
        when = parse_condition(until, "--until")
        if time_name(when) != number.channel.name:
            raise InputError(f"--until: expected the condition of the model's {number.channel.name}, got {until!r}")
    elif number.channel.name.startswith(TIME_TO) and column == "label":
        raise InputError(
            f"--until: expected the condition until which the model's {number.channel.name} is, as in training, "
            "or --label with a column of such minutes"
        )
    shared = bool(until) or column in [channel.name for channel in model.channels]
    if shared and not number.ahead_s and not until:
        raise InputError(f"--label {column}: expected another column than a channel of the model")
    rows = read_rows(model, path, label=None if shared else column, time=time, group=group, options=options)
    if until:
        y = minutes_until(rows.ds, when, MINUTE_MS * number.channel.high)
    elif number.ahead_s:
        if rows.ds.times_ms is None:
            raise InputError("--time: expected the column of times, as the model tells of the time ahead")
        later = rows_later(rows.ds, 1000 * number.ahead_s)
        values = rows.ds.values[:, rows.ds.columns.index(column)] if shared else _parsed(rows.ds, column)
        y = np.where(later >= 0, values[later], np.nan)
    else:
        y = _parsed(rows.ds, column)
    said = to_values(number.steps(decide(model, rows, vm)), number.channel)
    known = ~np.isnan(y) & ~np.isnan(said)
    if not known.any():
        raise InputError(f"{path}: expected rows whose number is known, got none")
    spread = float(to_values(np.array(number.spread), number.channel))
    return {
        "name": number.channel.name,
        "unit": number.channel.unit,
        "ahead_s": number.ahead_s,
        "spread": spread,
        **number_figures(y[known], said[known], spread),
    }


def _parsed(ds: "Dataset", column: str) -> np.ndarray:
    assert ds.labels is not None
    texts = np.char.replace(ds.labels, ",", ".")
    try:
        return texts.astype(np.float64)
    except ValueError:
        raise InputError(f"{ds.name}, column {column!r}: expected numbers, as the model tells one") from None
