"""A fleet on a screen: a row a node, what needs somebody first."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dibble_tools.common.quantities import reading_text
from dibble_tools.common.safe_text import plain
from dibble_tools.fleet.health import Health, Share

MOST_NAME = 24
FEW_DAYS = 14


def status_view(fleet: Sequence[Health], now_s: int) -> RenderableType:
    """Return the fleet as a table, and a line for each thing that needs somebody."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("node", no_wrap=True)
    for name in ("seen", "held", "battery", "model"):
        table.add_column(name, no_wrap=True)
    for name in ("unsure", "range", "novel", "faults", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("update")
    for node in fleet:
        table.add_row(
            Text(plain(node.name, MOST_NAME), "bold"),
            Text(ago(now_s - node.seen_s), "bold red" if node.late else "green" if node.online else ""),
            plain(node.held, 20),
            battery_text(node),
            plain(node.model_name or node.model, 20) or "-",
            *(_share(share) for share in node.shares.values()),
            Text(_percent(node.faults), "red" if node.faults else ""),
            Text(str(node.missing or "-"), "yellow" if node.missing else ""),
            plain(node.update, 40),
        )
    lines = [Text(line, "yellow") for node in fleet for line in concerns(node, now_s)]
    head = Text(f"{len(fleet)} nodes, {sum(node.records for node in fleet):,} records", "dim")
    return Group(head, table, *lines)


def concerns(node: Health, now_s: int) -> list[str]:
    """Return a line for each thing about a node that needs somebody."""
    said = []
    name = plain(node.name, MOST_NAME)
    if node.late:
        said.append(f"{name}: silent for {ago(now_s - node.seen_s)}, it decides every {ago(node.interval_s or 0)}")
    if node.battery_days is not None and node.battery_days < FEW_DAYS:
        how_long = f"lasts {days_text(node.battery_days)} as it falls now" if node.battery_days >= 1 else "is empty"
        said.append(f"{name}: its battery {how_long}")
    for flag, share in node.shares.items():
        if share.drifts and share.now is not None and share.usual is not None:
            said.append(
                f"{name} drifts: {flag} in {100 * share.now:.0f} % of the last week's decisions, "
                f"{100 * share.usual:.0f} % in {node.against}: label some of them and train anew"
            )
    if node.missing:
        said.append(f"{name}: {node.missing} of its records never came: dibble fetch brings them from its log")
    if node.unknown_time:
        said.append(
            f"{name}: its clock isn't set: {node.unknown_time} records of the last week bear the time they came"
        )
    return said


def ago(seconds: float) -> str:
    """Return a stretch of time in its largest unit: "40 s", "9 min", "3 h", "12 d"."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size or (unit == "min" and seconds >= size):
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def battery_text(node: Health) -> str:
    """Return "3.98 V, 40 d": the last voltage, a solar node's at night, and the days left where that falls."""
    if node.battery_mv is None:
        return "-"
    night = [] if node.night_mv is None else [f"at night {reading_text(node.night_mv, 'mv')}"]
    left = [] if node.battery_days is None else [days_text(node.battery_days)]
    return ", ".join([reading_text(node.battery_mv, "mv"), *night, *left])


def days_text(days: float) -> str:
    return "> 1 year" if days > 365 else f"{days:.0f} d"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _share(share: Share) -> Text:
    return Text(_percent(share.now), "bold yellow" if share.drifts else "")
