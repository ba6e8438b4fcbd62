"""Boards and estimates for the terminal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel
from rich.table import Table

from dibble_tools.boards.figure import Figure
from dibble_tools.boards.schema import ALL, Board, Group
from dibble_tools.boards.sketch import LEGEND, sketch
from dibble_tools.simulator.node.energy import Battery

if TYPE_CHECKING:
    from dibble_tools.boards.energy import Budget
    from dibble_tools.boards.estimate import BoardEstimate
    from dibble_tools.boards.listening import ListeningCost
    from dibble_tools.simulator.heard import SoundTally

KIB = 1024
CELL_V = 3.7
SHORT = {"micropython": "MicroPython", "circuitpython": "CircuitPython"}


def boards_table(boards: Mapping[str, Board]) -> Table:
    """Return a line a board and runtime."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name, justify in (
        ("board", "left"),
        ("chip", "left"),
        ("runtime", "left"),
        ("node", "left"),
        ("heap", "right"),
        ("files", "right"),
        ("hears by", "left"),
        ("viper", "left"),
        ("FPU", "left"),
        ("radio", "left"),
        ("us/k instr.", "right"),
        ("sleep mA", "right"),
    ):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for name, board in boards.items():
        first = True
        for kind, runtime in board.runtimes.items():
            table.add_row(
                name if first else "",
                f"{board.chip.name} {board.chip.mhz} MHz" if first else "",
                SHORT[kind],
                runtime.node,
                f"{runtime.heap_bytes // 1000:,} KB",
                f"{runtime.filesystem_bytes // KIB:,} KiB",
                " ".join(stream.removesuffix("_mic") for stream in runtime.hears) or "-",
                "yes" if runtime.viper else "-",
                "yes" if board.chip.fpu else "-",
                board.chip.radio if board.chip.radio != "none" else "-",
                f"{1000 * runtime.us_per_instruction:.1f}",
                f"{runtime.light_sleep_ma + board.power.standing_ma:.2g}",
            )
            first = False
    return table


def board_text(name: str, board: Board) -> str:
    """Return all that is known of a board, with the sketch of its header and every source."""
    lines = [f"{name}: {board.title}" + (f" (also {', '.join(board.aliases)})" if board.aliases else "")]
    for title, group in (("chip", board.chip), ("limits of a model", board.limits), ("power", board.power)):
        lines += ["", title, *_figures(group)]
    for kind, runtime in board.runtimes.items():
        lines += ["", f"{kind}: {runtime.build}", *(f"  {line}" for line in sketch(board, runtime)), f"  {LEGEND}"]
        lines += [f"  note: {note}" for note in runtime.notes]
        lines += _figures(runtime, but=("pins", "notes", "build"))
    lines += ["", "header", f"  {board.header.source('left')}"]
    lines += [f"  {label}: {text}" for label, text in board.header.caution.items()]
    return "\n".join(lines)


def _figures(group: Group, but: tuple[str, ...] = ()) -> list[str]:
    """Return a line for each figure with its own source, and last the source of the others."""
    lines = []
    for field in type(group).model_fields:
        value = getattr(group, field)
        if field in ("sources", *but) or (value in (None, []) or (value == 0 and field.startswith("wifi"))):
            continue
        if isinstance(value, list):
            shown = "; ".join(each if isinstance(each, str) else f"{each.sda}/{each.scl}" for each in value)
        elif isinstance(value, BaseModel):
            shown = ", ".join(f"{key} {each}" for key, each in value.model_dump().items())
        elif isinstance(value, bool):
            shown = "yes" if value else "no"
        else:
            shown = f"{value:,}" if isinstance(value, int) else str(value)
        lines.append(f"  {field:<22} {shown:<12} {group.sources.get(field, '')}".rstrip())
    return [*lines, f"  {'the others':<22} {'':<12} {group.sources[ALL]}"] if ALL in group.sources else lines


def estimate_table(title: str, found: "BoardEstimate", battery: Battery) -> Table:
    """Return the estimate: a value, its range and what it rests on in each line."""
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("value", justify="right")
    table.add_column("range", justify="right")
    table.add_column("rests on")
    table.add_row("model", f"{found.model_bytes:,} bytes", "", "the file")
    files = ", ".join(f"{name} {size:,}" for name, size in found.files_bytes.items())
    table.add_row("flash left", f"{found.flash_left:,} bytes", "", f"file system less {files}")
    _row(table, "heap of the model", found.heap, "bytes")
    _row(table, "heap of the node", found.node_heap, "bytes")
    _row(table, "heap left", found.heap_left, "bytes")
    if found.start_left:
        _row(table, "heap left at the start", found.start_left, "bytes")
    table.add_row("instructions", f"{found.instructions:,}", "", "counted on the 32-bit VM, middle readings")
    _row(table, "prediction", found.predict_us, "us")
    if found.listening:
        _stages(table, found.listening)
    if found.budget:
        spent = found.budget
        _row(table, "awake each cycle", spent.awake_ms, "ms")
        _row(table, f"energy of a decision, at {CELL_V} V", _scaled(spent.decision_uc, CELL_V * 1e-3), "mJ", digits=1)
        if found.looks < 1:
            table.add_row("costly readings", f"{found.looks:.0%} of cycles", "", "--seen, or a tenth; and the oldest")
        _row(table, "charge of a cycle", _scaled(spent.total_uc, 1e-3), "mC", digits=1)
        for name, figure in spent.cycle_uc.items():
            _row(table, f"  {name}", _scaled(figure, 1e-3), "mC", digits=1)
        _row(table, "charge of a day", spent.day_mah(), "mAh", digits=2)
        _row(table, f"on {battery.capacity_mah:,.0f} mAh", spent.days(battery), "days")
        if found.without_cascade:
            _row(table, "  without its cascade, a day", found.without_cascade.day_mah(), "mAh", digits=2)
            _row(table, "  without its cascade", found.without_cascade.days(battery), "days")
        if found.without_watchdog:
            _row(table, "  without the watchdog", found.without_watchdog.days(battery), "days")
    return table


def heard_table(
    title: str, heard: "SoundTally", cost: "ListeningCost", budgets: "tuple[Budget, Budget]", battery: Battery
) -> Table:
    """Return what a simulated node made of what it heard, and what that takes: shares of the time by its own counts.

    Args:
        budgets: with its cascade and without.
    """
    spent, uncut = budgets
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("value", justify="right")
    table.add_column("range", justify="right")
    table.add_column("rests on")
    table.add_row("acted", f"{len(heard.alarms):,} times", "", f"{heard.alarms_an_hour:,.1f} an hour")
    for end, count in heard.ends.most_common():
        table.add_row(f"  sounds: {end}", f"{count:,}", "", "the node's own lines")
    late = "kept up: nothing was lost" if not heard.lost else "it was late: a ring overflowed"
    table.add_row("samples lost", f"{heard.lost:,}", "", late)
    _stages(table, cost)
    days = heard.seconds / 86_400
    for name, figure in spent.cycle_uc.items():
        scale = heard.seconds / spent.interval_s
        _row(table, f"charge: {name}", _scaled(figure, scale / 3.6e3), "uAh", digits=1)
    _row(table, "charge", _scaled(spent.day_mah(), days * 1e3), "uAh", digits=1)
    _row(table, "charge of such a day", spent.day_mah(), "mAh", digits=1)
    _row(table, f"on {battery.capacity_mah:,.0f} mAh", spent.days(battery), "days", digits=1)
    if cost.cascades:
        _row(table, "  without its cascade, a day", uncut.day_mah(), "mAh", digits=1)
    return table


def _stages(table: Table, cost: "ListeningCost") -> None:
    for stage in cost.stages:
        share = f"{100 * stage.share:.3g} % of its hops of {cost.hop_ms:.3g} ms"
        _row(table, f"{stage.name}, {share}", _scaled(stage.each_us, 1e-3), "ms each", digits=2)
        _row(table, "  processor's time", _scaled(stage.busy, 100.0), "%", digits=2)


def _scaled(figure: Figure, factor: float) -> Figure:
    return figure.times(Figure.exact(factor, ""), figure.rests_on)


def _row(table: Table, name: str, figure: Figure, unit: str, digits: int = 0) -> None:
    span = f"{figure.low:,.{digits}f} .. {figure.high:,.{digits}f}" if figure.high > figure.low else ""
    table.add_row(name, f"{figure.value:,.{digits}f} {unit}", span, figure.rests_on)
