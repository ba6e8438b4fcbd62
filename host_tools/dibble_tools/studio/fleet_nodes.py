"""Nodes of a fleet as the page shows them: a row each, and what one of them said as one more table to label."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically
from dibble_tools.common.formatting import listed
from dibble_tools.console.labelled_rows import LABEL, NODE, TIME
from dibble_tools.fleet.database import labels, layouts, nodes, open_database, records
from dibble_tools.fleet.export import export, label_at
from dibble_tools.fleet.health import fleet_health
from dibble_tools.fleet.view import ago, battery_text, concerns
from dibble_tools.model.decisions import flag_text
from dibble_tools.studio.tables import FLAGS, FileTable

PREFIX = "fleet/"  # of a node's name among the project's files
MOST_ROWS = 30_000  # a season of decisions each ten minutes
FILE = "fleet.csv"  # of the project, that it trains from


class FleetNodes:
    """A fleet's database as the page needs it; any thread may call.

    Args:
        place: as `dibble fleet listen --db` takes it.
    """

    def __init__(self, place: str) -> None:
        self._engine = open_database(place, must_exist=True)

    def rows_json(self) -> list[dict[str, Any]]:
        """Return a row for each node, those that need somebody first."""
        now_s = int(time.time())
        shown = []
        for node in fleet_health(self._engine, now_s):
            said = concerns(node, now_s)
            shares = [f"{name} {100 * share.now:.0f} %" for name, share in node.shares.items() if share.now is not None]
            shown.append(
                {
                    **{key: asdict(node)[key] for key in ("name", "held", "update", "late", "online")},
                    "seen": f"{ago(now_s - node.seen_s)} ago",
                    "battery": battery_text(node),
                    "model": node.model_name or node.model or "none told",
                    "shares": ", ".join(shares),
                    "drifts": node.drifts,
                    "concerns": said,
                }
            )
        return sorted(shown, key=lambda row: not row["concerns"])

    def table(self, name: str) -> FileTable:
        """Return what a node said lately, the label of each moment with it.

        Raises:
            InputError: there is no such node.
        """
        with self._engine.connect() as connection:
            node_id = self._id(connection, name)
            found = self._rows(connection, node_id)
            names = {i: json.loads(text) for i, text in connection.execute(select(layouts.c.id, layouts.c.channels))}
            spans = connection.execute(select(labels).where(labels.c.node_id == node_id).order_by(labels.c.id)).all()
        channels = list(dict.fromkeys(channel for row in found for channel in names[row.layout_id]))
        rows = []
        for row in found:
            readings = dict(zip(names[row.layout_id], json.loads(row.readings), strict=True))
            label = label_at(spans, row.at_s)
            texts = ["" if readings.get(channel) is None else str(readings[channel]) for channel in channels]
            when = datetime.fromtimestamp(row.at_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
            rows.append([when, name.removeprefix(PREFIX), *texts, flag_text(row.flags), label])
        return FileTable(name, Path(name), [TIME, NODE, *channels, FLAGS, LABEL], rows)

    def version(self, name: str) -> str:
        """Return what changes with the node's table."""
        with self._engine.connect() as connection:
            node_id = self._id(connection, name)
            seen = connection.execute(select(nodes.c.last_seen_s).where(nodes.c.id == node_id)).scalar_one()
            last = connection.execute(select(labels.c.id).where(labels.c.node_id == node_id)).scalars().all()
        return f"{seen}-{len(last)}-{max(last, default=0)}"

    def label(self, name: str, first: int, last: int, label: str) -> None:
        """Say what a node's rows of table() were; "": they have no label any more. What was said before gives way.

        Raises:
            InputError: no such node or rows.
        """
        with self._engine.begin() as connection:
            node_id = self._id(connection, name)
            found = self._rows(connection, node_id)
            if not 0 <= first <= last < len(found):
                raise InputError(f"{name}: expected rows from 0 to {len(found) - 1}, got {first} to {last}")
            from_s, to_s = found[first].at_s, found[last].at_s + 1
            for span in connection.execute(select(labels).where(labels.c.node_id == node_id)).all():
                if span.to_s <= from_s or to_s <= span.from_s:
                    continue
                connection.execute(delete(labels).where(labels.c.id == span.id))
                for start, end in ((span.from_s, from_s), (to_s, span.to_s)):
                    if start < end:
                        self._add(connection, node_id, start, end, span.label)
            if label:
                self._add(connection, node_id, from_s, to_s, label)

    def write_labelled(self, folder: Path) -> str:
        """Write the labelled rows of all nodes to the project's fleet.csv; return what to say of it.

        Raises:
            InputError: there are none.
        """
        made = export(self._engine, labelled=True)
        write_atomically(folder / FILE, made.text.encode())
        return f"{FILE}: {made.rows:,} labelled readings of {made.nodes} nodes"

    def _id(self, connection: Connection, name: str) -> int:
        found = {row.name: row.id for row in connection.execute(select(nodes.c.name, nodes.c.id))}
        own = name.removeprefix(PREFIX)
        if own not in found:
            raise InputError(f"expected a node of the fleet, got {own!r}: {listed(own, sorted(found))}")
        return int(found[own])

    def _rows(self, connection: Connection, node_id: int) -> list[Any]:
        asked = select(records.c.at_s, records.c.flags, records.c.layout_id, records.c.readings)
        asked = asked.where(records.c.node_id == node_id, records.c.since_power_on_s.is_(None))
        newest = connection.execute(asked.order_by(records.c.at_s.desc(), records.c.sequence.desc()).limit(MOST_ROWS))
        return list(reversed(newest.all()))

    def _add(self, connection: Connection, node_id: int, from_s: int, to_s: int, label: str) -> None:
        row = {"node_id": node_id, "from_s": from_s, "to_s": to_s, "label": label}
        connection.execute(insert(labels), [row])
