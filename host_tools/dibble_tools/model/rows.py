"""Rows of readings as a model sees them: of a file, or made up."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from dibble.inference.fixed_point import MISSING

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.channels import to_readings
from dibble_tools.data.feature_spec import elapsed_of
from dibble_tools.model.content import Stream
from dibble_tools.model.host_model import HostModel

if TYPE_CHECKING:
    from dibble_tools.data.datasets import CsvOptions, Dataset

MADE_UP_ROWS = 500


@dataclass(frozen=True)
class Rows:
    """A file as the model sees it: integer readings (rows, channels), and the time since the row before."""

    ds: "Dataset"
    readings: np.ndarray
    elapsed_ms: np.ndarray | None


def read_rows(
    model: HostModel,
    path: Path,
    *,
    label: str | None = None,
    time: str | None = None,
    group: str | None = None,
    options: "CsvOptions | None" = None,
) -> Rows:
    """Return the rows of a file, of the columns that the model's channels are named for."""
    from dibble_tools.data.datasets import AS_IT_IS, read_dataset  # not before: pandas comes with it

    columns = [channel.name for channel in model.channels]
    ds = read_dataset(path, label=label, time=time, group=group, columns=columns, options=options or AS_IT_IS)
    if model.content.interval_ms and time is None:
        ds.notes.append(
            f"the model takes a reading every {model.content.interval_ms / 1000:g} s: rows are taken as one unbroken "
            "series, give --time (and --group) if they aren't"
        )
    if not model.content.interval_ms:
        return Rows(ds, to_readings(ds.values, model.channels), None)
    elapsed = elapsed_of(ds.times_ms, ds.groups, len(ds.values))
    return Rows(ds, to_readings(ds.values, model.channels), elapsed)


def check_labels(ds: "Dataset", column: str, classes: Sequence[str]) -> None:
    """Raise InputError where a file's labels aren't the model's classes."""
    assert ds.labels is not None
    unknown = [name for name in np.unique(ds.labels).tolist() if name not in classes]
    if unknown:
        rows = int(np.isin(ds.labels, unknown).sum())
        raise InputError(
            f"{ds.name}, column {column!r}: expected the model's classes, got {', '.join(map(repr, unknown[:5]))} "
            f"in {rows} of {len(ds.labels)} rows; {listed(unknown[0], list(classes))}"
        )


def made_up_rows(model: HostModel, seed: int = 0) -> tuple[np.ndarray, np.ndarray | None]:
    """Return random rows within, at and beyond each channel's range, some missing, with gaps in time."""
    if isinstance(model.content.family, Stream):  # codes: none is missing, none beyond
        rng = np.random.default_rng(seed)
        moving = np.cumsum(rng.normal(0, 12, (MADE_UP_ROWS, len(model.channels))), axis=0) + 128
        return np.clip(np.rint(moving), 0, 255).astype(np.int64), None
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
