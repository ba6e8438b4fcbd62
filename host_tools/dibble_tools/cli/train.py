"""`dibble train`: its arguments; the work is training_job.run's."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dibble_tools.cli.csv_options import NoReading, TimeFormat, TimeZone, csv_options
from dibble_tools.cli.given import refuse_others, refuse_without
from dibble_tools.cli.output import console, note

if TYPE_CHECKING:
    from dibble_tools.model.limits import Limits

BYTES = 2048
ALWAYS = {"files", "max_bytes", "board", "max_heap", "max_us", "budget", "sure", "seed", "name", "out", "test_group"}
OF_IMAGES = ALWAYS | {"images", "size", "grey", "flip"}
OF_SOUND = ALWAYS | {"sound", "own", "speaker", "rate", "family", "teacher", "hysteresis", "refit"}
NOT_OF_TABLES = (OF_IMAGES | OF_SOUND) - ALWAYS - {"family", "hysteresis", "refit"}


def train(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE.csv…",
            help="readings with a header line; gzip is fine; several are lined up by name. With --sound: one folder",
        ),
    ],
    label: Annotated[str | None, typer.Option(help="column that says what the readings meant  [label]")] = None,
    usual: Annotated[
        bool,
        typer.Option("--usual", help="no labels: learn what is usual, flag the rest, --novelty being the rate"),
    ] = False,
    target: Annotated[
        str | None, typer.Option(help="column of a number to predict, not a label; with --ahead, as it'll be then")
    ] = None,
    when: Annotated[
        str, typer.Option(help='make the labels: "dry: soil < 200" is class dry where that holds within --ahead')
    ] = "",
    until: Annotated[
        str, typer.Option(help='the number to predict is how long until this holds, --ahead at most: "dry: soil < 200"')
    ] = "",
    ahead: Annotated[str | None, typer.Option(help="learn what comes so much later, such as 6h; needs --time")] = None,
    time: Annotated[str | None, typer.Option(help="column of times: rows are a series, features are windows")] = None,
    group: Annotated[
        str | None, typer.Option(help="column of recording, day or node: kept whole when splitting")
    ] = None,
    test_group: Annotated[list[str] | None, typer.Option(help="hold out this group; may be repeated")] = None,
    test_after: Annotated[str | None, typer.Option(help="hold out the rows from this time on")] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(help="NAME=UNIT:RESOLUTION[:MIN:MAX], such as soil=permille:1; else found from the data"),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="a column that is no reading; may be repeated")] = None,
    time_format: TimeFormat = "",
    time_zone: TimeZone = "",
    na: NoReading = None,
    features: Annotated[Path | None, typer.Option(help="features.toml; needs --time")] = None,
    family: Annotated[
        str, typer.Option(help="auto, forest, additive or mlp; with --sound: mlp (single sounds) or stream")
    ] = "auto",
    recipe: Annotated[
        str | None,
        typer.Option(help="make just this one, such as mlp:8@5, additive:16+3@8, boosted:10x6@8, voting:10x32@12"),
    ] = None,
    max_bytes: Annotated[int, typer.Option(min=64, help="largest model file  [2048; with --images 6144]")] = BYTES,
    board: Annotated[str | None, typer.Option(help="keep this board's limits: see boards/")] = None,
    max_heap: Annotated[int | None, typer.Option(min=1, help="bytes of heap for the loaded model, estimated")] = None,
    max_us: Annotated[
        float | None, typer.Option(min=0, help="microseconds a prediction, estimated for --board")
    ] = None,
    budget: Annotated[str, typer.Option(help="time to spend, such as 60s or 10m")] = "60s",
    jobs: Annotated[int | None, typer.Option(min=1, help="processes at once  [all cores]")] = None,
    dask: Annotated[str | None, typer.Option(help="search on this Dask cluster, such as tcp://10.0.0.5:8786")] = None,
    cost: Annotated[
        list[str] | None, typer.Option(help="frost:ok=5: a frost decided ok costs 5 other errors; may be repeated")
    ] = None,
    optimize: Annotated[
        str,
        typer.Option(
            help="choose by accuracy, macro-f1 (each class alike) or cost; auto: as costs and classes suggest"
        ),
    ] = "auto",
    balance: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="0: classes as they come, 1: rare ones weigh as much  [0; 0.3 if chosen by macro-f1]"
        ),
    ] = None,
    sure: Annotated[
        float, typer.Option(min=0, max=1, help="chance of being right below which the node says unsure")
    ] = 0.6,
    novelty: Annotated[
        float | None,
        typer.Option(min=0, max=0.5, help="flag combinations never seen, at this rate of false alarms, such as 0.01"),
    ] = None,
    hysteresis: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="decisions in a row that change the held class [2 with --time, else 1]"),
    ] = None,
    tolerate_missing: Annotated[
        bool,
        typer.Option(
            "--tolerate-missing",
            help="decide without a sensor, too: flagged, its accuracy stated for each channel",
        ),
    ] = False,
    refit: Annotated[
        bool, typer.Option(help="ship the recipe fitted again on all rows, once the rows held out have judged it")
    ] = True,
    seed: Annotated[int, typer.Option(help="for all that is drawn by chance")] = 0,
    name: Annotated[str | None, typer.Option(help="the model's name  [the file's]")] = None,
    out: Annotated[Path | None, typer.Option(help="folder to write  [models/NAME]")] = None,
    sound: Annotated[
        bool, typer.Option("--sound", help="a folder of recordings, a folder a class: WAV; FLAC, OGG with soundfile")
    ] = False,
    own: Annotated[
        bool, typer.Option("--own", help="with --sound: few takes of one voice or machine, judged take by take")
    ] = False,
    speaker: Annotated[
        str | None,
        typer.Option(help="with --sound: pattern that finds in a file's name whose it is, as in '^([a-z]+)_'"),
    ] = None,
    images: Annotated[
        bool,
        typer.Option("--images", help="frames: a folder of PNG or JPEG for each class, an .npz, or a CSV of --size"),
    ] = False,
    size: Annotated[
        str | None, typer.Option(help="with --images: HEIGHTxWIDTH to bring pictures to, or that a CSV's rows have")
    ] = None,
    grey: Annotated[bool, typer.Option("--grey", help="with --images: colour pictures become grey ones")] = False,
    flip: Annotated[bool, typer.Option(help="with --images: a frame's mirror image means the same")] = True,
    teacher: Annotated[
        Path | None,
        typer.Option(help="with --sound: a keyword spotter of MLPerf Tiny, .tflite, whose soft labels are learned too"),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(
            min=4000, max=48000, help="with --sound: samples a second on the node [the recordings', 16000 at most]"
        ),
    ] = None,
) -> None:
    """Find the best tiny classifier for a CSV of readings; write model.dib, card.json and report.html.

    Every column but the label, time, group and ignored ones is a channel. Rows are held out by
    group or time where one is given. A teacher without limits is fitted first; then students of
    three families (decision forest, additive tables, small neural network) compete, by
    cross-validation inside the training part, and the best within the limits is the model. The
    rows held out judge it once; then the recipe is fitted again on all rows, unless --no-refit.
    Ctrl-C ends the search and keeps the best so far. The last line is the verdict; exit status 1 says
    that the rows held out don't show the model to be of use: too few recordings, or no better than one answer for all.

    With --images the model sees: a folder of pictures with a folder for each class, an .npz (frames, labels, groups) or
    a CSV with a frame a row. Frames of one recording are kept whole when splitting: a folder in the class's, or what
    stands before the number in a picture's name.

    With --sound it is a folder of recordings with a folder for each sound, and the model hears it. Whose a recording
    is (speaker, machine) is kept whole when splitting: what stands before _NUMBER in its name, or --speaker, or
    groups.csv. Folders that begin with _ are what nothing is done about; _background_ is noise to mix in.
    From 150 clips on a short trial on the training clips tells whether single sounds (--family mlp) are known best or a
    network over the stream is (--family stream), which decides at each frame: give that one --max-bytes 8500 and
    --budget 10m for ten words of anybody.

    Example: dibble train field.csv --label state --time when --group node --max-bytes 1000

    Ahead of time: dibble train field.csv --time when --ahead 6h --when "dry: soil < 200" tells whether the soil will
    be dry within 6 hours; with --label state --ahead 6h what the state will be then.

    How long until then: dibble train field.csv --time when --until "dry: soil < 200" --ahead 48h, "dry in 18 h".

    A number instead of a class: --target soil --time when --ahead 6h, "soil 23 % ± 3 in 6 hours".

    --tolerate-missing: a node whose sensor is dead goes on deciding, flagged as a sensor fault; the card states how
    often it is right without each channel. Where that is no better than one answer for all, it decides nothing.

    Without labels: dibble train field.csv --usual --time when learns what is usual; the node flags as novel what isn't.

    What `dibble collect` and `label` write trains as it is: dibble train field.csv. Loggers' files (Campbell, HOBO,
    ZENTRA, ThingSpeak) and exports of Home Assistant and InfluxDB are read as they are, too.
    """
    from dibble_tools.boards.limits import limits_of
    from dibble_tools.common.durations import parse_seconds
    from dibble_tools.data.prepare import DataOptions
    from dibble_tools.data.roles import roles_of
    from dibble_tools.training.job import run
    from dibble_tools.training.result import TrainOptions

    if images:
        from dibble_tools.training.images import DEFAULT_BYTES

        refuse_others(context, "--images", OF_IMAGES)
        bytes_most = max_bytes if max_bytes != BYTES else DEFAULT_BYTES
        _train_images(
            files,
            limits_of(board, max_bytes=bytes_most, max_heap=max_heap, max_us=max_us, frames=True),
            size,
            out,
            grey=grey,
            flip=flip,
            test_groups=test_group or (),
            budget_s=parse_seconds(budget, "--budget"),
            sure=sure,
            seed=seed,
            name=name,
        )
        return
    if sound or own or files[0].is_dir():
        refuse_others(context, "--sound" if sound or own else f"a folder ({files[0]}: of recordings)", OF_SOUND)
        _train_sound(
            files,
            own,
            limits_of(board, max_bytes=max_bytes, max_heap=max_heap, max_us=max_us),
            out,
            speaker=speaker,
            rate_hz=rate,
            test_groups=test_group or (),
            budget_s=parse_seconds(budget, "--budget"),
            sure=sure,
            hysteresis=hysteresis,
            family=family,
            teacher=teacher,
            refit=refit,
            seed=seed,
            name=name,
        )
        return
    refuse_without(context, "--images", False, *OF_IMAGES - ALWAYS)
    refuse_without(context, "--sound", False, *NOT_OF_TABLES)
    roles = roles_of(files, label, time, group, ignore or (), labelled=not (when or until or usual) and target is None)
    for text in roles.notes:
        note(text)
    options = TrainOptions(
        DataOptions(
            label=roles.label,
            time=roles.time,
            group=roles.group,
            profile=roles.profile,
            test_groups=test_group or (),
            test_after=test_after,
            channels=channel or (),
            ignore=roles.ignore,
            more=files[1:],
            features=features,
            csv=csv_options(time_format, time_zone, na),
            seed=seed,
            usual=usual,
            target=target,
            when=when,
            until=until,
            ahead_ms=round(1000 * parse_seconds(ahead, "--ahead")) if ahead else 0,
            tolerate=tolerate_missing,
        ),
        family=family,
        recipe=recipe,
        limits=limits_of(board, max_bytes=max_bytes, max_heap=max_heap, max_us=max_us),
        budget_s=parse_seconds(budget, "--budget"),
        jobs=jobs or os.cpu_count() or 1,
        costs=cost or (),
        balance=balance,
        optimize=optimize,
        refit=refit,
        sure=sure,
        novelty=novelty,
        hysteresis=hysteresis,
        name=name,
    )
    trained = run(files[0], options, out, dask, console)
    if trained.verdict and not trained.verdict.rely:
        raise typer.Exit(1)


def _train_images(files: list[Path], limits: "Limits", size: str | None, out: Path | None, **options: Any) -> None:
    from dibble_tools.common.errors import InputError
    from dibble_tools.training.images import ImageOptions
    from dibble_tools.training.job import run_images

    if len(files) > 1:
        raise InputError(f"--images: expected one folder or file of frames, got {len(files)}")
    sides = [int(side) for side in size.lower().split("x") if side.isdecimal()] if size else []
    if size and (len(sides) != 2 or min(sides) < 1):
        raise InputError(f"--size: expected HEIGHTxWIDTH, such as 24x32, got {size!r}")
    sized = (sides[0], sides[1]) if sides else None
    trained = run_images(files[0], ImageOptions(size=sized, limits=limits, **options), out, console)
    if trained.verdict and not trained.verdict.rely:
        raise typer.Exit(1)


def _train_sound(files: list[Path], own: bool, limits: "Limits", out: Path | None, **options: Any) -> None:
    from dibble_tools.common.errors import InputError
    from dibble_tools.training.job import run_sound
    from dibble_tools.training.sound_options import SoundOptions

    if len(files) > 1:
        raise InputError(f"--sound: expected one folder of recordings, got {len(files)} files")
    trained = run_sound(files[0], SoundOptions(own=own, limits=limits, **options), out, console)
    if trained.verdict and not trained.verdict.rely:
        raise typer.Exit(1)
