"""Parts of the terminal views. Text that came from a node goes in as Text, never as markup."""

from collections import Counter

from rich.table import Table
from rich.text import Text

from dibble_tools.console.history import History
from dibble_tools.console.safe_text import plain
from dibble_tools.console.spark import sparkline

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
    table.add_column()
    table.add_column(no_wrap=True)
    channels = history.header.channels if history.header and history.last else ()
    for name, unit in channels[:MOST_CHANNELS]:
        readings = history.readings[name]
        last = Text("missing", "bold red") if readings[-1] is None else Text(str(readings[-1]), "bold")
        table.add_row(Text(plain(name, 60)), last, Text(plain(unit, 20), "dim"), Text(sparkline(readings), "cyan"))
    if len(channels) > MOST_CHANNELS:
        table.add_row(Text(f"and {len(channels) - MOST_CHANNELS} more", "dim"))
    return table


def waiting_line(history: History, rejected: Counter[str]) -> Text:
    """Return what there is to wait for, before the first row."""
    if history.last:
        return Text()
    if rejected["no header yet"]:
        return Text(
            "the node hasn't named its fields yet: it does at boot (its reset button), and after every 50 decisions",
            "yellow",
        )
    return Text("no reading yet", "dim")


def reasons_line(title: str, reasons: Counter[str]) -> Text:
    """Return what wasn't taken, most first."""
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
