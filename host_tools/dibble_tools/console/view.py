"""The live views of `dibble monitor` and `dibble collect`: a node's text goes in as Text, never as markup."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dibble_tools.common.quantities import channel_text, reading_text
from dibble_tools.common.safe_text import plain
from dibble_tools.console.clock import NodeClock
from dibble_tools.console.frames import HeardFrame, picture
from dibble_tools.console.history import History
from dibble_tools.console.json_lines import flag_words
from dibble_tools.console.labelled_rows import Collector
from dibble_tools.console.labels import QUIT, SKIP
from dibble_tools.console.reasons import Reasons
from dibble_tools.data.channels import unit_of
from dibble_tools.node.console_lines import Header, Row

_CLOCK = NodeClock(None)


def monitor_view(
    history: History, rejected: Counter[str], reasons: Reasons | None = None, frame: HeardFrame | None = None
) -> RenderableType:
    """Return the screen of `dibble monitor`: decision, margin, channels, the node itself."""
    lines: list[RenderableType] = [status_line(history)]
    if history.last:
        shown = [picture(frame)] if frame else []
        lines += [_decision(history.last, reasons), _margin(history), channel_table(history), *shown]
        lines.append(_node(history.last))
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
        because = _channel(reasons.last.channel, unit_of(reasons.last.channel) or "")
        text.append(f"  because of {because} ({reasons.last.push:+d})", "cyan")
    return text


def _margin(history: History) -> Text:
    text = Text("margin  ")
    text.append(str(history.margins[-1]), "bold")
    text.append("  " + sparkline(history.margins), "cyan")
    return text


def _node(row: Row) -> Text:
    text = Text("battery ")
    text.append("unknown" if row.battery_mv is None else reading_text(row.battery_mv, "mv"), "bold")
    text.append("   sensors at fault ")
    text.append(str(row.faults), "bold red" if row.faults else "bold")
    text.append("   outputs ")
    on = [str(i + 1) for i in range(row.action.bit_length()) if row.action >> i & 1]
    text.append("on: " + " ".join(on) if on else "off", "bold")
    text.append(f"\ndecision {row.sequence}, {_when(row)}", "dim")
    return text


def line_of(row: Row, header: Header | None, reasons: Reasons | None = None) -> Text:
    """Return a decision as one line, where there is no screen."""
    text = Text(f"{row.sequence}  {_when(row)}  ")
    text.append_text(_decision(row, reasons))
    text.append(f"  margin {row.margin}  ")
    text.append(readings_text(row, header), "dim")
    return text


def readings_text(row: Row, header: Header | None) -> str:
    """Return a row's readings on one line."""
    units = dict(header.channels) if header else {}
    shown = [
        f"{_channel(name, units.get(name, ''))} {_reading(value, units.get(name, ''))}"
        for name, value in list(row.readings.items())[:MOST_CHANNELS]
    ]
    return ", ".join(shown)


def _channel(name: str, unit: str) -> str:
    return plain(channel_text(name, unit), 60)


def _reading(value: int | None, unit: str) -> str:
    return "missing" if value is None else plain(reading_text(value, unit), 60)


def _when(row: Row) -> str:
    when = _CLOCK.stamp(row.time_s)
    return f"{when} UTC" if when else "clock not set"


MOST_LABELS = 12


def collect_view(
    history: History,
    collector: Collector,
    keys: dict[str, str],
    rejected: Counter[str],
    frame: HeardFrame | None = None,
) -> RenderableType:
    """Return the screen of `dibble collect`: the label at hand, rows so far, channels."""
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
    if frame:
        lines.append(picture(frame))
    extra = (
        waiting_line(history, rejected),
        reasons_line("not written", collector.left_out),
        Text(collector.hint, "yellow"),
        reasons_line("rejected lines", rejected),
    )
    return Group(*lines, *(line for line in extra if line))


MOST_CHANNELS = 16
MOST_REASONS = 4


def status_line(history: History) -> Text:
    """Return the connection and the node's name."""
    text = Text()
    if history.header:
        text.append(plain(history.header.node, 60), "bold")
        text.append("  ")
    if history.status:
        text.append(plain(history.status.text, 200), "green" if history.status.connected else "bold yellow")
    return text


def channel_table(history: History) -> Table:
    """Return the last reading of each channel, and how it got there."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(no_wrap=True)
    channels = history.header.channels if history.header and history.last else ()
    for name, unit in channels[:MOST_CHANNELS]:
        readings = history.readings[name]
        last = Text("missing", "bold red") if readings[-1] is None else Text(_reading(readings[-1], unit), "bold")
        table.add_row(Text(_channel(name, unit)), last, Text(sparkline(readings), "cyan"))
    if len(channels) > MOST_CHANNELS:
        table.add_row(Text(f"and {len(channels) - MOST_CHANNELS} more", "dim"))
    return table


def waiting_line(history: History, rejected: Counter[str]) -> Text:
    """Return what is waited for, and until when."""
    if history.last:
        return Text(history.pace.text(), "dim") if history.status and history.status.connected else Text()
    if rejected["no header yet"]:
        return Text(
            "the node hasn't named its fields yet: it does at boot (its reset button), and after every 50 decisions",
            "yellow",
        )
    return Text(", ".join(filter(None, ("no reading yet", history.pace.text()))), "dim")


def reasons_line(title: str, reasons: Counter[str]) -> Text:
    """Return counts of what wasn't taken, most first."""
    shown = ", ".join(f"{plain(reason, 60)} {count}" for reason, count in reasons.most_common(MOST_REASONS))
    return Text(f"{title}: {shown}", "dim") if shown else Text()


def event_lines(history: History) -> Text:
    """Return the last events, newest last."""
    text = Text()
    for event in history.events:
        text.append("\n" if text else "")
        text.append(plain(event.kind, 20), "magenta")
        text.append("  " + plain(event.text))
    return text


BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(readings: Sequence[int | None], width: int = 32) -> str:
    """Return the last `width` readings between the lowest and the highest of them; a dot where one is missing."""
    shown = list(readings)[-width:]
    there = [reading for reading in shown if reading is not None]
    if not there:
        return "·" * len(shown)
    low = min(there)
    span = max(there) - low
    top = len(BLOCKS) - 1
    middle = BLOCKS[top // 2]
    return "".join(
        "·" if reading is None else BLOCKS[(reading - low) * top // span] if span else middle for reading in shown
    )
