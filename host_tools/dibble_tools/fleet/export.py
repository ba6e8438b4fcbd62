"""`dibble fleet export`: what nodes said as a CSV that `dibble train` takes as it is, the node as its group."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from io import StringIO
from typing import Any

from sqlalchemy import Connection, Engine, select

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import cell
from dibble_tools.fleet.database import labels, layouts, nodes, records
from dibble_tools.model.decisions import flag_text

FIXED = ("time", "node")
DECISION = ("class", "held", "margin", "flags")
LABEL = "label"


@dataclass
class Exported:
    """A CSV, and what is to be known of it.

    Attributes:
        rows: written; `labelled` of them have a label.
        undated: left out, as their node's clock wasn't set.
    """

    text: str
    rows: int
    labelled: int
    undated: int
    nodes: int


def export(
    engine: Engine, pattern: str = "*", since_s: int = 0, *, decisions: bool = False, labelled: bool = False
) -> Exported:
    """Return the records of the nodes whose names fit a pattern.

    Args:
        since_s: none that are older, seconds since 1970.
        decisions: whether to write what the node decided, too: columns that no model may learn from.
        labelled: whether to leave out the rows that no label speaks of.
    Raises:
        InputError: there are none.
    """
    with engine.connect() as connection:
        of_layout = {i: json.loads(names) for i, names in connection.execute(select(layouts.c.id, layouts.c.channels))}
        wanted = [
            (i, name)
            for i, name in connection.execute(select(nodes.c.id, nodes.c.name).order_by(nodes.c.name))
            if fnmatchcase(name, pattern)
        ]
        used = [i for (i,) in connection.execute(_used([i for i, _ in wanted], since_s))]
        columns = list(dict.fromkeys(name for i in sorted(used) for name in of_layout[i]))
        done = Exported("", 0, 0, 0, 0)
        out = StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*FIXED, *(DECISION if decisions else ()), *columns, LABEL])
        for node_id, name in wanted:
            spans = connection.execute(select(labels).where(labels.c.node_id == node_id).order_by(labels.c.id)).all()
            before = done.rows
            for row in _rows(connection, node_id, since_s):
                if row.since_power_on_s is not None:
                    done.undated += 1
                    continue
                label = label_at(spans, row.at_s)
                if labelled and not label:
                    continue
                readings = dict(zip(of_layout[row.layout_id], json.loads(row.readings), strict=True))
                decided = (cell(row.decided or ""), cell(row.held or ""), row.margin, flag_text(row.flags))
                writer.writerow(
                    [
                        datetime.fromtimestamp(row.at_s, UTC).strftime("%Y-%m-%d %H:%M:%S"),
                        name,
                        *(decided if decisions else ()),
                        *("" if readings.get(column) is None else readings[column] for column in columns),
                        cell(label),
                    ]
                )
                done.rows += 1
                done.labelled += bool(label)
            done.nodes += done.rows > before
    if not done.rows:
        raise InputError(
            f"--nodes {pattern}: expected records {'with labels ' if labelled else ''}of such nodes, found none: "
            f"there are {len(wanted)} nodes of such names"
        )
    done.text = out.getvalue()
    return done


def label_at(spans: Sequence[Any], at_s: int) -> str:
    """Return what was said of a moment last; "": nothing.

    Args:
        spans: rows of the table labels of one node, in the order in which they were said.
    """
    return next((str(span.label) for span in reversed(spans) if span.from_s <= at_s < span.to_s), "")


def _used(node_ids: list[int], since_s: int) -> Any:
    return select(records.c.layout_id).distinct().where(records.c.node_id.in_(node_ids), records.c.at_s >= since_s)


def _rows(connection: Connection, node_id: int, since_s: int) -> Iterator[Any]:
    asked = select(records).where(records.c.node_id == node_id, records.c.at_s >= since_s)
    return iter(connection.execute(asked.order_by(records.c.at_s, records.c.series, records.c.sequence)))
