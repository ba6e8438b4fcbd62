"""The live view of `dibble collect`."""

from collections import Counter

from rich.console import Group, RenderableType
from rich.text import Text

from dibble_tools.console.history import History
from dibble_tools.console.labelled_rows import Collector
from dibble_tools.console.labels import QUIT, SKIP
from dibble_tools.console.parts import channel_table, reasons_line, status_line, waiting_line
from dibble_tools.console.safe_text import plain

MOST_LABELS = 12


def view(history: History, collector: Collector, keys: dict[str, str], rejected: Counter[str]) -> RenderableType:
    """Return what the screen shows."""
    now = Text("label ")
    now.append(f" {plain(collector.label, 60)} ", "reverse yellow" if collector.label == SKIP else "reverse green")
    now.append("   ")
    for key, label in keys.items():
        now.append(key, "bold")
        now.append(f" {plain(label, 60)}  ", "dim")
    now.append(QUIT, "bold")
    now.append(" ends", "dim")
    counts = Text("rows  ")
    for label, count in collector.counts.most_common(MOST_LABELS):
        counts.append(f"{plain(label, 60)} ")
        counts.append(f"{count}  ", "bold")
    counts.append(f"(this run {collector.written})", "dim")
    lines: list[RenderableType] = [status_line(history), now, counts, channel_table(history)]
    extra = (
        waiting_line(history, rejected),
        reasons_line("not written", collector.left_out),
        reasons_line("rejected lines", rejected),
    )
    return Group(*lines, *(line for line in extra if line))
