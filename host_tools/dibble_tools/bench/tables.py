"""What a benchmark found, as tables for the terminal."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from dibble_tools.bench.results import COLUMNS, EMLEARN_CALL, EMLEARN_CLASS, EMLEARN_MODULE, Bench, Column, Measured
from dibble_tools.common.formatting import is_number, whole

QUOTED = (
    f"emlearn's module is quoted, of MicroPython 1.29 (dibble's calls: 1.9.2): {EMLEARN_CALL:,} as a call, "
    f"{EMLEARN_CLASS:,} with the arg-max that its user adds in Python; it holds no ranges and tells no margin"
)
ROOM_CAPTION = (
    "library: what loads and runs it, viper's for a Cortex-M0; import: allocated, garbage included; kept: beside the "
    "model's file, on a VM of 32-bit words as a board's; flash, RAM: of the smallest whole program"
)
NS_IN_US = 1000
TIME_CAPTION = (
    "fuel: WebAssembly instructions of MicroPython's 32-bit build, exact; M0: Cortex-M0 instructions in QEMU, exact; "
    "µs here: the quickest of nine turns"
)


def tables(found: Bench) -> Iterator[Table]:
    """Yield two tables a model, of time and of room, and one of ratios."""
    for model in found.models:
        yield from filter(None, (_figures(model, True), _figures(model, False)))
    if found.ratios:
        yield _ratios(found)


def _figures(model: Measured, of_time: bool) -> Table | None:
    columns = [
        column
        for column in COLUMNS
        if column.of_time is of_time and any(is_number(way.get(column.key)) for way in model.ways.values())
    ]
    ways = {name: way for name, way in model.ways.items() if any(is_number(way.get(column.key)) for column in columns)}
    if not columns:
        return None
    title = f"{model.name}: {model.family}, {model.model_bytes:,} bytes" if of_time else ""
    table = _table(title, ["a prediction" if of_time else "room, in bytes", *(column.heading for column in columns)])
    for name, way in ways.items():
        table.add_row(Text(name), *(_cell(column, way.get(column.key)) for column in columns))
    table.caption = _caption(model) if of_time else ROOM_CAPTION
    table.caption_justify = "left"
    return table


def _caption(model: Measured) -> str:
    quoted = model.figure(EMLEARN_MODULE, "m0_instructions_called")
    return model.what + (f"; {QUOTED}" if quoted else "")


def _ratios(found: Bench) -> Table:
    table = _table("ratios, each of one run", ["", "figure", "of", "ratio", "aimed at", ""])
    for ratio in found.ratios:
        aim = "-" if ratio.at_most is None else f"≤ {ratio.at_most:.3g}"
        verdict = Text("reached", "green") if ratio.reached else Text("not reached", "red")
        figures = (_short(ratio.figure), _short(ratio.of), f"{ratio.ratio:.3f}")
        table.add_row(Text(ratio.what), *figures, aim, "" if ratio.reached is None else verdict)
    table.caption_justify = "left"
    table.caption = TIME_CAPTION
    return table


def _cell(column: Column, figure: float | None) -> str:
    if column.key.startswith("pc_ns") and is_number(figure):
        return f"{figure / NS_IN_US:,.2f}"
    return whole(figure)


def _short(figure: float) -> str:
    return f"{figure:,.3f}" if figure < 10 else whole(figure)


def _table(title: str, names: Sequence[str]) -> Table:
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, name in enumerate(names):
        table.add_column(name, justify="right" if i else "left", no_wrap=i > 0, vertical="bottom")
    return table
