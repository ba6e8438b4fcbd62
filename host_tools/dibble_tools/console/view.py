"""The live view of `dibble monitor`."""

from collections import Counter

from rich.console import Group, RenderableType
from rich.text import Text

from dibble_tools.console.clock import NodeClock
from dibble_tools.console.history import History
from dibble_tools.console.json_lines import flag_words
from dibble_tools.console.parts import (
    MOST_CHANNELS,
    channel_table,
    event_lines,
    reasons_line,
    status_line,
    waiting_line,
)
from dibble_tools.console.reasons import Reasons
from dibble_tools.console.safe_text import plain
from dibble_tools.console.spark import sparkline
from dibble_tools.node.console_lines import Row

_CLOCK = NodeClock(None)


def view(history: History, rejected: Counter[str], reasons: Reasons | None = None) -> RenderableType:
    """Return what the screen shows."""
    lines: list[RenderableType] = [status_line(history)]
    if history.last:
        lines += [_decision(history.last, reasons), _margin(history), channel_table(history), _node(history.last)]
    extra = (
        waiting_line(history, rejected),
        Text(reasons.note, "dim") if reasons else Text(),
        event_lines(history),
        reasons_line("rejected lines", rejected),
    )
    return Group(*lines, *(line for line in extra if line))


def _decision(row: Row, reasons: Reasons | None) -> Text:
    text = Text()
    text.append(plain(row.class_name or "no class", 60), "bold green" if not row.flags else "bold yellow")
    if row.held != row.class_name:
        text.append(f"  held {plain(row.held or 'none', 60)}", "dim")
    for word in flag_words(row.flags):
        text.append(f"  {word}", "bold red" if word == "sensor fault" else "yellow")
    if reasons and reasons.last:
        text.append(f"  because of {plain(reasons.last.channel, 60)} ({reasons.last.push:+d})", "cyan")
    return text


def _margin(history: History) -> Text:
    text = Text("margin  ")
    text.append(str(history.margins[-1]), "bold")
    text.append("  " + sparkline(history.margins), "cyan")
    return text


def _node(row: Row) -> Text:
    text = Text("battery ")
    text.append("unknown" if row.battery_mv is None else f"{row.battery_mv} mV", "bold")
    text.append("   sensors at fault ")
    text.append(str(row.faults), "bold red" if row.faults else "bold")
    text.append("   outputs ")
    on = [str(i + 1) for i in range(row.action.bit_length()) if row.action >> i & 1]
    text.append("on: " + " ".join(on) if on else "off", "bold")
    text.append(f"\ndecision {row.sequence}, {_when(row)}", "dim")
    return text


def line_of(row: Row, reasons: Reasons | None = None) -> Text:
    """Return a decision as one line, where there is no screen."""
    text = Text(f"{row.sequence}  {_when(row)}  ")
    text.append_text(_decision(row, reasons))
    text.append(f"  margin {row.margin}")
    for name, reading in list(row.readings.items())[:MOST_CHANNELS]:
        text.append(f"  {plain(name, 60)}={'missing' if reading is None else reading}", "dim")
    return text


def _when(row: Row) -> str:
    when = _CLOCK.stamp(row.time_s)
    return f"{when} UTC" if when else "clock not set"
