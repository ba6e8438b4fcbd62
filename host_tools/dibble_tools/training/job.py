"""`dibble train` around the training: progress on the terminal, a Dask cluster, files written at the end."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import joblib
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from dibble_tools.common.errors import InputError
from dibble_tools.common.terminal import Console
from dibble_tools.model.host_model import MODEL_FILE
from dibble_tools.report.frame_pictures import examples_png
from dibble_tools.report.html import EXAMPLES_FILE
from dibble_tools.report.tables import image_tables, number_tables, sound_tables, training_tables, usual_tables
from dibble_tools.training.images import ImageOptions, train_images
from dibble_tools.training.result import CARD_FILE, Trained, TrainOptions
from dibble_tools.training.result import Progress as TrainProgress
from dibble_tools.training.sound import train_sound
from dibble_tools.training.sound_options import SoundOptions
from dibble_tools.training.train import train


def run(file: Path, options: TrainOptions, out: Path | None, dask: str | None, console: Console) -> Trained:
    """Train with a progress bar, write everything into a folder, print the result.

    Args:
        out: the folder; by default models/ and the model's name.
        dask: address of a Dask scheduler to search on.
        console: of progress and notes; the result goes to stdout.
    """
    with cluster(dask):
        trained, folder = _with_bar(lambda progress: train(file, options, progress), out, console)
    _tell_notes(trained, console)
    screen = Console()
    if "number" in trained.card:
        screen.print(*number_tables(trained.card))
    elif "usual" in trained.card:
        screen.print(*usual_tables(trained.card))
    else:
        screen.print(*training_tables(trained.card, screen.width))
    _tell_files(trained, folder, console)
    return trained


def run_sound(folder: Path, options: SoundOptions, out: Path | None, console: Console) -> Trained:
    """Train on a folder of clips, as `run` does on a file."""
    trained, place = _with_bar(lambda progress: train_sound(folder, options, progress), out, console)
    _tell_notes(trained, console)
    Console().print(*sound_tables(trained.card))
    _tell_files(trained, place, console)
    return trained


def run_images(path: Path, options: ImageOptions, out: Path | None, console: Console) -> Trained:
    """Train on labelled frames, as `run` does on a file; examples.png shows what decisions look at."""

    def work(progress: TrainProgress) -> Trained:
        trained, shown = train_images(path, options, progress)
        picture = examples_png(shown.frames, shown.maps, shown.true, shown.decided, shown.names)
        return replace(trained, examples=picture)

    trained, place = _with_bar(work, out, console)
    _tell_notes(trained, console)
    Console().print(*image_tables(trained.card))
    _tell_files(trained, place, console)
    console.print(f"{place / EXAMPLES_FILE}: frames held out, and what each decision looked at", markup=False)
    return trained


def _with_bar(work: Callable[[TrainProgress], Trained], out: Path | None, console: Console) -> tuple[Trained, Path]:
    """Return what was trained, and the folder that it was written to."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        trained = work(lambda step, share: bar.update(task, description=step, completed=share))
        bar.update(task, description="drawing the report", completed=1.0)
        folder = out or Path("models") / trained.model.content.name
        trained.save(folder)
    return trained, folder


def _tell_notes(trained: Trained, console: Console) -> None:
    for text in trained.notes:
        console.print("[yellow]note:[/]", end=" ")
        console.print(text, markup=False, soft_wrap=True)
    if trained.card.get("shortcut"):
        console.print("[yellow]check:[/]", end=" ")
        console.print(trained.card["shortcut"], markup=False, soft_wrap=True)


def _tell_files(trained: Trained, folder: Path, console: Console) -> None:
    text = f"wrote {folder / MODEL_FILE} ({len(trained.model.blob)} bytes), {CARD_FILE}, report.html and plots/"
    console.print(text, markup=False, soft_wrap=True)
    if verdict := trained.verdict:
        Console().print(Text(verdict.words, "bold" if verdict.rely else "bold red"), soft_wrap=True)


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Make joblib work on a Dask cluster while the context lasts; on this machine where there is no address."""
    if address is None:
        yield
        return
    from distributed import Client

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other versions of packages: what matters fails by itself
        try:
            client = Client(address, timeout="5s")
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(f"--dask {address}: expected a Dask scheduler there: {error}") from None
        with client, joblib.parallel_config(backend="dask"):
            yield
