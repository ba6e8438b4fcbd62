"""Training from Python: the options of `dibble train` as keywords."""

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dibble_tools.boards.limits import limits_of
from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import DataOptions
from dibble_tools.training import train as trainer
from dibble_tools.training.result import DEFAULT_BYTES, Progress, Trained, TrainOptions

if TYPE_CHECKING:
    import pandas as pd


def train(
    data: "str | Path | pd.DataFrame",
    label: str,
    *,
    time: str | None = None,
    group: str | None = None,
    test_groups: Sequence[str] = (),
    test_after: str | None = None,
    channels: Sequence[str] = (),
    ignore: Sequence[str] = (),
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
    balance: float = 0.0,
    sure: float = 0.6,
    novelty: float | None = None,
    hysteresis: int | None = None,
    seed: int = 0,
    name: str | None = None,
    progress: Progress = lambda step, share: None,
) -> Trained:
    """Return the best tiny classifier for labelled readings, as `dibble train` finds it; write nothing.

    Args:
        data: path of a CSV file with a header, gzip or not; or a DataFrame, whose index is left out. A row is a
            moment; each column that has no role is a channel, numbers in one unit, NaN or an empty cell a missing
            reading.
        label: column that says what the readings meant, as names of classes.
        time: column of times (ISO 8601, or seconds): rows are a series, features are windows.
        group: column of recording, day or node, kept whole when splitting; test_groups: the ones to hold out.
        test_after: hold out the rows from this time on.
        channels: NAME=UNIT:RESOLUTION[:MIN:MAX] each, such as "soil=permille:1"; others are found from the data.
        ignore: columns that are no readings.
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
        balance: 0: classes as they come; 1: rare ones weigh as much.
        sure: chance of being right, 0 to 1, below which the node says unsure.
        novelty: rate of false alarms, up to 0.5, at which to flag combinations never seen; None: none are.
        hysteresis: decisions in a row that change the held class; None: 2 with time, else 1.
        seed: for all that is drawn by chance.
        name: the model's; None: the file's.
        progress: called with a few words and the share of the work that is done, 0 to 1.
    Returns:
        Trained: `model` (a HostModel), `card` (a dict, JSON-ready: accuracies on the rows held out, and more), `notes`
        on the data; `save(folder)` writes model.dib, card.json and report.html.
    Raises:
        InputError: something in the data or the options has to change; the message says what.
    """
    options = TrainOptions(
        DataOptions(
            label=label,
            time=time,
            group=group,
            test_groups=test_groups,
            test_after=test_after,
            channels=channels,
            ignore=ignore,
            features=None if features is None else Path(features),
            seed=seed,
        ),
        family=family,
        recipe=recipe,
        limits=limits_of(board, max_bytes=max_bytes, max_heap=max_heap, max_us=max_us),
        budget_s=budget_s,
        jobs=jobs or os.cpu_count() or 1,
        costs=costs,
        balance=balance,
        sure=sure,
        novelty=novelty,
        hysteresis=hysteresis,
        name=name,
    )
    if isinstance(data, str | Path):
        return trainer.train(Path(data), options, progress)
    if not hasattr(data, "to_csv"):
        raise InputError(f"expected the path of a CSV file or a DataFrame, got {type(data).__name__}")
    with tempfile.TemporaryDirectory(prefix="dibble-") as folder:
        file = Path(folder) / f"{re.sub(r'[^A-Za-z0-9_-]', '_', name or 'model')}.csv"
        data.to_csv(file, index=False)
        return trainer.train(file, options, progress)
