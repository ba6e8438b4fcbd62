"""Options of every command that reads a CSV: how it is written, where that can't be seen from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dibble_tools.data.datasets import CsvOptions

CsvPath = Annotated[Path, typer.Argument(metavar="FILE.csv", help="readings with a header line; gzip is fine")]
TimeFormat = Annotated[str, typer.Option(help='of times, such as "%d/%m/%Y %H:%M", where it can\'t be told from them')]
TimeZone = Annotated[str, typer.Option(help="of times without one, such as Europe/Berlin  [UTC]")]
NoReading = Annotated[
    list[str] | None,
    typer.Option("--na", help="a cell that means no reading, such as -999; none: no number does; may be repeated"),
]


def csv_options(time_format: str, time_zone: str, na: list[str] | None) -> "CsvOptions":
    """Return what these options say to the reader of the file."""
    from dibble_tools.data.datasets import CsvOptions
    from dibble_tools.data.times import TimeOptions

    return CsvOptions(TimeOptions(time_format, time_zone), na or ())
