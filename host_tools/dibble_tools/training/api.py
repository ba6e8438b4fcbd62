"""Training from Python: the options of `dibble train` as keywords."""

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dibble_tools.boards.limits import limits_of
from dibble_tools.common.durations import parse_seconds
from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import CsvOptions
from dibble_tools.data.prepare import DataOptions
from dibble_tools.data.roles import roles_of
from dibble_tools.data.times import TimeOptions
from dibble_tools.training import train as trainer
from dibble_tools.training.result import DEFAULT_BYTES, Progress, Trained, TrainOptions

if TYPE_CHECKING:
    import pandas as pd


def train(
    data: "str | Path | Sequence[str | Path] | pd.DataFrame",
    label: str | None = None,
    *,
    usual: bool = False,
    target: str | None = None,
    when: str = "",
    until: str = "",
    ahead: str | None = None,
    time: str | None = None,
    group: str | None = None,
    test_groups: Sequence[str] = (),
    test_after: str | None = None,
    channels: Sequence[str] = (),
    ignore: Sequence[str] = (),
    time_format: str = "",
    time_zone: str = "",
    na: Sequence[str] = (),
    features: str | Path | None = None,
    family: str = "auto",
    recipe: str | None = None,
    max_bytes: int = DEFAULT_BYTES,
    board: str | None = None,
    max_heap: int | None = None,
    max_us: float | None = None,
    budget_s: float = 60.0,
    jobs: int | None = None,
    costs: Sequence[str] = (),
    optimize: str = "auto",
    balance: float | None = None,
    sure: float = 0.6,
    novelty: float | None = None,
    hysteresis: int | None = None,
    tolerate_missing: bool = False,
    refit: bool = True,
    seed: int = 0,
    name: str | None = None,
    progress: Progress = lambda step, share: None,
) -> Trained:
    """Return the best tiny classifier for labelled readings, as `dibble train` finds it; write nothing.

    Args:
        data: path of a CSV file with a header, gzip or not; several, whose columns are lined up by name; or a
            DataFrame, whose index is left out. A row is a moment; each column that has no role is a channel, numbers
            in one unit, NaN or an empty cell a missing reading.
        label: column that says what the readings meant, as names of classes; None: the one named label. In dibble's
            own files the roles of time, node and battery_mv are known, too.
        usual: no labels: learn what is usual and flag the rest, `novelty` being the rate of false alarms, else 0.01.
        target: column of a number to predict, instead of a label; with `ahead`, what it will be then.
        when: makes the labels instead: "dry: soil < 200" is class dry where that holds at some time within `ahead`.
        until: makes the number to predict: how many minutes until "dry: soil < 200" holds, `ahead` at most.
        ahead: learn what comes so much later, such as "6h"; needs time.
        time: column of times (ISO 8601, or seconds): rows are a series, features are windows.
        group: column of recording, day or node, kept whole when splitting; test_groups: the ones to hold out.
        test_after: hold out the rows from this time on.
        channels: NAME=UNIT:RESOLUTION[:MIN:MAX] each, such as "soil=permille:1"; others are found from the data.
        ignore: columns that are no readings.
        time_format: of times, such as "%d/%m/%Y %H:%M", where it can't be told from them.
        time_zone: of times without one, such as "Europe/Berlin"; "": UTC.
        na: cells that mean no reading, such as "-999".
        features: path of a features.toml; needs time.
        family: "auto", "forest", "additive" or "mlp".
        recipe: make just this one, such as "additive:16+3@8", instead of searching.
        max_bytes: of the model file.
        board: keep this board's limits, by its name in `dibble boards`.
        max_heap: bytes of heap for the loaded model, estimated.
        max_us: microseconds a prediction, estimated; needs board.
        budget_s: seconds to spend.
        jobs: processes at once; None: all cores.
        costs: "frost:ok=5" each: a frost decided ok costs five other errors.
        optimize: choose by "accuracy", "macro-f1" (each class alike) or "cost"; "auto": as costs and classes suggest.
        balance: 0: classes as they come; 1: rare ones weigh as much; None: 0, or 0.3 if chosen by macro-f1.
        sure: chance of being right, 0 to 1, below which the node says unsure.
        novelty: rate of false alarms, up to 0.5, at which to flag combinations never seen; None: none are.
        hysteresis: decisions in a row that change the held class; None: 2 with time, else 1.
        tolerate_missing: decide without a reading, too, where that is better than one answer for all; flagged.
        refit: return the recipe fitted again on all rows, once the rows held out have judged it.
        seed: for all that is drawn by chance.
        name: the model's; None: the file's.
        progress: called with a few words and the share of the work that is done, 0 to 1.
    Returns:
        Trained: `model` (a HostModel), `card` (a dict, JSON-ready: accuracies on the rows held out, and more), `notes`
        on the data; `save(folder)` writes model.dib, card.json and report.html.
    Raises:
        InputError: something in the data or the options has to change; the message says what.
    """
    with tempfile.TemporaryDirectory(prefix="dibble-") as folder:
        files = _files(data, Path(folder), name)
        roles = roles_of(files, label, time, group, ignore, labelled=not (when or until or usual) and target is None)
        options = TrainOptions(
            DataOptions(
                label=roles.label,
                time=roles.time,
                group=roles.group,
                profile=roles.profile,
                test_groups=test_groups,
                test_after=test_after,
                channels=channels,
                ignore=roles.ignore,
                more=files[1:],
                features=None if features is None else Path(features),
                csv=CsvOptions(TimeOptions(time_format, time_zone), na),
                seed=seed,
                usual=usual,
                target=target,
                when=when,
                until=until,
                ahead_ms=round(1000 * parse_seconds(ahead, "ahead")) if ahead else 0,
                tolerate=tolerate_missing,
            ),
            family=family,
            recipe=recipe,
            limits=limits_of(board, max_bytes=max_bytes, max_heap=max_heap, max_us=max_us),
            budget_s=budget_s,
            jobs=jobs or os.cpu_count() or 1,
            costs=costs,
            balance=balance,
            optimize=optimize,
            refit=refit,
            sure=sure,
            novelty=novelty,
            hysteresis=hysteresis,
            name=name,
        )
        trained = trainer.train(files[0], options, progress)
    trained.notes[:0] = roles.notes
    return trained


def _files(data: "str | Path | Sequence[str | Path] | pd.DataFrame", folder: Path, name: str | None) -> list[Path]:
    """Return the files to read; a frame's is written to `folder`."""
    if isinstance(data, str | Path):
        return [Path(data)]
    if isinstance(data, Sequence) and data and all(isinstance(path, str | Path) for path in data):
        return [Path(path) for path in data]
    if isinstance(data, Sequence) or not hasattr(data, "to_csv"):
        raise InputError(f"expected paths of CSV files or a DataFrame, got {data!r:.60}")
    file = folder / f"{re.sub(r'[^A-Za-z0-9_-]', '_', name or 'model')}.csv"
    data.to_csv(file, index=False)
    return [file]
