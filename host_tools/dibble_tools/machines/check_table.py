"""What a check found, as a table for the terminal."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from dibble_tools.common.formatting import whole
from dibble_tools.machines.check import Checked


def check_table(found: Sequence[Checked]) -> Table:
    """Return what each machine computed, compared with the host, and what it took."""
    table = Table(
        title="the same decisions on every machine", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    names = ("machine", "rows equal", "flash", "RAM", "mean cost", "most", "")
    for i, name in enumerate(names):
        right = 0 < i < len(names) - 1
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=i < len(names) - 1)
    for checked in found:
        o = checked.outcome
        figures = (o.flash, o.ram, o.mean_cost, o.most_cost) if o else (None,) * 4
        notes = (o.unit if o else "", checked.note or ("differs" if checked.problem else ""))
        table.add_row(
            checked.machine,
            f"{checked.equal:,} of {checked.rows:,}" if checked.rows else "-",
            *(whole(figure) for figure in figures),
            Text(", ".join(filter(None, notes))),
        )
    if any(checked.outcome and checked.outcome.flash for checked in found):
        table.caption_justify = "left"
        table.caption = "flash and RAM in bytes, of the smallest program around the model: readings and stack included"
    return table
