"""A model applied to a file of readings: rows in, decisions out."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dibble.inference.decision import NO_CLASS
from dibble.inference.fixed_point import MISSING

from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import to_readings
from dibble_tools.data.datasets import Dataset, read_dataset
from dibble_tools.data.feature_spec import elapsed_of
from dibble_tools.model.decisions import FLAG_NAMES, Decisions, flag_text
from dibble_tools.model.host_model import HostModel

MADE_UP_ROWS = 500


@dataclass(frozen=True)
class Rows:
    """A file as the model sees it: integer readings (rows, channels), and the time since the row before."""

    ds: Dataset
    readings: np.ndarray
    elapsed_ms: np.ndarray | None


def read_rows(
    model: HostModel, path: Path, *, label: str | None = None, time: str | None = None, group: str | None = None
) -> Rows:
    """Read the columns that the model's channels are named for."""
    ds = read_dataset(path, label=label, time=time, group=group, columns=[channel.name for channel in model.channels])
    if model.content.interval_ms and time is None:
        ds.notes.append(
            f"the model takes a reading every {model.content.interval_ms / 1000:g} s: rows are taken as one unbroken "
            "series, give --time (and --group) if they aren't"
        )
    if not model.content.interval_ms:
        return Rows(ds, to_readings(ds.values, model.channels), None)
    elapsed = elapsed_of(ds.times_ms, ds.groups, len(ds.values))
    return Rows(ds, to_readings(ds.values, model.channels), elapsed)


def made_up_rows(model: HostModel, seed: int = 0) -> tuple[np.ndarray, np.ndarray | None]:
    """Return random rows within, at and beyond each channel's range, some missing, with gaps in time."""
    rng = np.random.default_rng(seed)
    shape = (MADE_UP_ROWS, len(model.channels))
    low = np.array([channel.low for channel in model.channels])
    high = np.array([channel.high for channel in model.channels])
    readings = rng.integers(low, high, shape, endpoint=True)
    edge = rng.random(shape)
    rare = 0.4 / shape[1]  # a row in a few has something odd
    readings = np.where(edge < rare, low, np.where(edge > 1 - rare, high, readings))
    odd = rng.random(shape)
    readings = np.where(odd < rare / 2, low - 1, np.where(odd > 1 - rare / 2, high + 1, readings))
    readings = np.where(rng.random(shape) < rare / 2, MISSING, readings)
    interval = model.content.interval_ms
    if not interval:
        return readings, None
    return readings, rng.choice([interval, interval, interval, 3 * interval, interval // 4], MADE_UP_ROWS)


def decide(model: HostModel, rows: Rows, vm: str | None = None) -> Decisions:
    """Return the decisions on all rows, computed by NumPy or on a VM."""
    if vm is None:
        return model.decide(rows.readings, rows.elapsed_ms)
    from dibble_tools.machines.microbit_replay import on_microbit
    from dibble_tools.machines.replay import on_unix, on_wasi

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
            found.append((model.channels[channel].name, str(amount)))
    node.restart()
    return found


def decisions_csv(
    model: HostModel, rows: Rows, decisions: Decisions, why: Sequence[tuple[str, str]] | None = None
) -> str:
    """Return the decisions as CSV: line in the file, class, margin, flag, channel at fault, held class; and why."""
    names = {NO_CLASS: "", **dict(enumerate(model.classes))}
    flags = [flag_text(bits) for bits in range(1 << len(FLAG_NAMES))]
    channels = ["", *(channel.name for channel in model.channels)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["line", "class", "margin", "flag", "channel", "held", *(["because", "push"] if why else [])])
    table = np.column_stack([rows.ds.lines, decisions.columns()]).tolist()
    for i, (line, c, m, f, ch, h) in enumerate(table):
        writer.writerow([line, names[c], m, flags[f], channels[ch + 1], names[h], *(why[i] if why else ())])
    return out.getvalue()
