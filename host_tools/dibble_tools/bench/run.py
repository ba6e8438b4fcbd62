"""`dibble bench` without its arguments: measure, compare, print, write."""

import contextlib
import json
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import sklearn
from dibble import __version__
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dibble_tools.bench import host_speed, needs
from dibble_tools.bench.aims import ratios
from dibble_tools.bench.cases import DIGITS, Case, cases, opened
from dibble_tools.bench.gas import gas_cases
from dibble_tools.bench.measure import measure
from dibble_tools.bench.plot import draw
from dibble_tools.bench.results import Bench
from dibble_tools.bench.tables import tables
from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically
from dibble_tools.common.terminal import Console
from dibble_tools.report.plot_style import LIGHT, render

WIDE = 120  # columns that the widest table takes
Steps = Callable[[str, int, int], None]  # what is done now; how many of how many models are done


def run(
    models: Sequence[Path], gas: Path | None, out: Path | None, plot: Path | None, quick: bool, console: Console
) -> Bench:
    """Measure the public models, or these; print tables to stdout; write JSON and a picture where that is asked for.

    Args:
        gas: readings of gas sensors to train on and measure, too.
        console: of progress and notes.
    Raises:
        InputError: a model or a file can't be read, or a place can't be written to.
    """
    for path in filter(None, (out, plot)):
        _check_place(path)
    chosen = [opened(path) for path in models] or list(cases())
    with _progress(console) as told:
        if gas is not None:
            chosen += gas_cases(gas, lambda step: told(f"{gas.name}: {step}", 0, 1))
        found = bench(chosen, quick, told)
    screen = Console(width=max(Console().width, WIDE))
    for table in tables(found):
        screen.print(table)
        screen.print()
    for lack in found.missing:
        console.print(f"[yellow]left out:[/] {escape(lack)}", soft_wrap=True)
    if out is not None:
        write_atomically(out, (json.dumps(found.as_json(), indent=1, ensure_ascii=False) + "\n").encode())
        console.print(f"wrote {out}", markup=False, soft_wrap=True)
    if plot is not None:
        drawn = render(draw, found.as_json(), LIGHT)
        if drawn is None:
            raise InputError(f"--plot {plot}: expected figures to draw, got none")
        write_atomically(plot, drawn[0])
        console.print(f"wrote {plot}", markup=False, soft_wrap=True)
    return found


def bench(chosen: Sequence[Case], quick: bool, told: Steps = lambda step, done, of: None) -> Bench:
    """Return all figures of some models, and the ratios that are claimed of them."""
    found = Bench(
        f"dibble {__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        f"{platform.system()} on {platform.machine()}, Python {platform.python_version()}",
        quick=quick,
    )
    for i, case in enumerate(chosen):

        def step(what: str, name: str = case.name, i: int = i) -> None:
            told(f"{name}: {what}", i, len(chosen))

        found.models.append(measure(case, quick, step))
    for case in chosen:
        if case.name == DIGITS and case.shipped and not quick:
            told("a million rows on this computer", len(chosen), len(chosen))
            forest, readings = case.shipped.fitted(), case.shipped.readings(case.model)
            found.host_seconds = host_speed.seconds(case.model, forest, readings, case.shipped.x)
    found.ratios = list(ratios(found.models, found.host_seconds))
    found.missing = [] if quick else needs.missing()
    return found


def _check_place(path: Path) -> None:
    """Find out before all the work whether a file can be written."""
    if path.is_dir():
        raise InputError(f"{path}: expected a file to write, got a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: expected a place to write to: {error.strerror or error}") from None


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[Steps]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda step, done, of: bar.update(task, description=step, completed=done, total=of)
