"""The command `dibble bench`: its arguments; the work is bench.run's."""

from pathlib import Path
from typing import Annotated

import typer

from dibble_tools.cli.output import console
from dibble_tools.common.extras import extras_named


@extras_named("bench")
def bench(
    models: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[MODEL]...", help="model.dib, or the folder it lies in  [the public ones]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="write all figures here, as JSON")] = None,
    plot: Annotated[Path | None, typer.Option(help="draw instructions and bytes into this PNG")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="what the 32-bit VM counts, and bytes: nothing timed or compiled")
    ] = False,
    gas: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="train on gas sensors' readings (label, group) and measure that, too"),
    ] = None,
) -> None:
    """Count what a prediction takes: on every VM, as machine code, as C, and through other people's tools.

    [bold]fuel[/]: WebAssembly instructions of MicroPython's 32-bit build.
    [bold]M0[/]: instructions of a Cortex-M0 in QEMU: predict() by the bytecode of a
    micro:bit's VM, the kernel in assembler and viper, and by gcc -O2 for the same
    tables. Both are exact, and the same again on any computer.
    [bold]µs here[/]: this computer's time, the quickest of nine turns. It says
    nothing of a board: only ratios of one run mean anything.

    [bold]predict()[/] is what a node calls, readings in, decision out; the [bold]kernel[/] is
    the family's part of it. Heap a prediction is 0 because each VM predicts
    with its heap locked. What isn't installed is left out, and told with the
    command that gets it.

    Example: dibble bench models/field --out bench.json --plot bench.png
    """
    from dibble_tools.bench.run import run

    run(models or (), gas, out, plot, quick, console)
