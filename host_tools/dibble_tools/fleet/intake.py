"""What came from nodes goes into the database: each record once, by node and number."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select

from dibble_tools.common.errors import InputError
from dibble_tools.fleet.database import happenings, insert_new, layouts, logs, nodes, records, upsert
from dibble_tools.fleet.messages import Record, object_of, parts_of, record_of

_REPEATED = ("since_power_on_s", "decided", "held", "margin", "flags", "action", "battery_mv", "layout_id", "readings")
Row = dict[str, Any]


@dataclass(frozen=True)
class Arrival:
    """What came, and when: seconds since 1970."""

    topic: str
    payload: bytes
    came_s: int


@dataclass(frozen=True)
class Gap:
    """Records that a node has numbered and that didn't come.

    Attributes:
        first, last: their numbers.
    """

    node: str
    first: int
    last: int


@dataclass
class _Known:
    """A node as the intake remembers it.

    Attributes:
        model: its CRC as the node told it; "": not told.
        series: which of its logs the next record belongs to.
        first, last, count: of the records of that log that came; 0: none yet.
    """

    id: int
    model: str = ""
    series: int = 1
    first: int = 0
    last: int = 0
    count: int = 0

    def log(self) -> Row:
        return {
            "node_id": self.id,
            "series": self.series,
            "first_record": self.first,
            "last_record": self.last,
            "came": self.count,
        }


class Intake:
    """Takes messages in batches; the only writer of nodes and records.

    Attributes:
        new: how many records came that weren't there.
        repeated: how many were.
        unfit: why -> how many messages no node can have sent.
    """

    def __init__(self, engine: Engine) -> None:
        self.new = self.repeated = 0
        self.unfit: Counter[str] = Counter()
        self._engine = engine
        self._nodes: dict[str, _Known] = {}
        self._layouts: dict[str, int] = {}
        self._remember()

    def take(self, messages: Sequence[Arrival]) -> list[Gap]:
        """Store messages, all of them or none; return what is missing before those that came.

        Raises:
            SQLAlchemyError: the database can't be written: nothing of the batch is there.
        """
        batch = _Batch(self._nodes, self._layouts)
        try:
            with self._engine.begin() as connection:
                for message in messages:
                    batch.take(connection, message)
                batch.store(connection)
        except BaseException:
            self._remember()  # what is stored, and no more
            raise
        self.new += len(batch.rows)
        self.repeated += batch.repeated
        self.unfit.update(batch.unfit)
        return batch.gaps

    def _remember(self) -> None:
        self._nodes.clear()
        self._layouts.clear()
        with self._engine.connect() as connection:
            by_id = {}
            for node_id, name, about in connection.execute(select(nodes.c.id, nodes.c.name, nodes.c.about)):
                by_id[node_id] = self._nodes[name] = _Known(node_id, _model_in(json.loads(about)))
            for log in connection.execute(select(logs).order_by(logs.c.series)):
                known = by_id[log.node_id]
                known.series, known.count = log.series, log.came
                known.first, known.last = log.first_record, log.last_record
            for layout_id, channels in connection.execute(select(layouts.c.id, layouts.c.channels)):
                self._layouts[channels] = layout_id


class _Batch:
    """Messages on their way into one transaction."""

    def __init__(self, known: dict[str, _Known], of_channels: dict[str, int]) -> None:
        self.rows: dict[tuple[int, int, int], Row] = {}
        self.gaps: list[Gap] = []
        self.unfit: Counter[str] = Counter()
        self.repeated = 0
        self._known = known
        self._layouts = of_channels
        self._nodes: dict[int, Row] = {}  # what changes of them
        self._logs: dict[tuple[int, int], Row] = {}
        self._told: list[Row] = []

    def take(self, connection: Connection, message: Arrival) -> None:
        parts = parts_of(message.topic)
        if parts is None or not message.payload:  # an empty retained message takes one away
            return
        name, what = parts
        try:
            said = record_of(message.payload) if what == "state" else None
            more = object_of(message.payload) if what in ("about", "update", "health") else {}
        except InputError as error:
            self.unfit[f"{name}: {error}"] += 1
            return
        node = self._node(connection, name, message.came_s)
        changes = self._nodes.setdefault(node.id, {})
        if said is not None:
            changes["last_seen_s"] = message.came_s
            self._record(connection, name, node, said, message.came_s)
        elif what == "status":
            changes["online"] = message.payload == b"online"
        else:
            changes[what] = json.dumps(more, ensure_ascii=True)
            node.model = _model_in(more) if what == "about" else node.model

    def store(self, connection: Connection) -> None:
        insert_new(connection, records, list(self.rows.values()))
        upsert(connection, logs, list(self._logs.values()))
        for node_id, changes in self._nodes.items():
            if changes:
                connection.execute(nodes.update().where(nodes.c.id == node_id).values(**changes))
        if self._told:
            connection.execute(happenings.insert(), self._told)

    def _node(self, connection: Connection, name: str, came_s: int) -> _Known:
        if name not in self._known:
            made = connection.execute(nodes.insert().values(name=name, first_seen_s=came_s, last_seen_s=came_s))
            (node_id,) = made.inserted_primary_key or (0,)
            self._known[name] = _Known(node_id)
        return self._known[name]

    def _record(self, connection: Connection, name: str, node: _Known, said: Record, came_s: int) -> None:
        row = self._row(connection, node, said, came_s)
        if said.sequence <= node.last:
            there = self._there(connection, node, said.sequence)
            if there is not None and _same(there, row):
                self.repeated += 1
                return
            if there is not None:  # the same number of another decision: that is another log
                node.series += 1
                node.first = node.last = node.count = 0
                row["series"] = node.series
                self._tell(node, came_s, "anew", f"its log begins anew: record {said.sequence} is another one now")
        if node.last and said.sequence > node.last + 1:
            self.gaps.append(Gap(name, node.last + 1, said.sequence - 1))
        node.first = min(node.first or said.sequence, said.sequence)
        node.last = max(node.last, said.sequence)
        node.count += 1
        self._logs[node.id, node.series] = node.log()
        self.rows[node.id, node.series, said.sequence] = row

    def _row(self, connection: Connection, node: _Known, said: Record, came_s: int) -> Row:
        channels = json.dumps(list(said.readings), ensure_ascii=True)
        if channels not in self._layouts:
            made = connection.execute(layouts.insert().values(channels=channels))
            (self._layouts[channels],) = made.inserted_primary_key or (0,)
        return {
            "node_id": node.id,
            "series": node.series,
            "sequence": said.sequence,
            "at_s": came_s if said.node_s is None else said.node_s,
            "since_power_on_s": said.since_power_on_s,
            "model": node.model,
            "decided": said.decided,
            "held": said.held,
            "margin": said.margin,
            "flags": said.flags,
            "action": said.action,
            "battery_mv": said.battery_mv,
            "layout_id": self._layouts[channels],
            "readings": json.dumps(list(said.readings.values()), separators=(",", ":")),
        }

    def _there(self, connection: Connection, node: _Known, sequence: int) -> Row | None:
        key = node.id, node.series, sequence
        if key in self.rows:
            return self.rows[key]
        asked = select(records).where(
            records.c.node_id == node.id, records.c.series == node.series, records.c.sequence == sequence
        )
        found = connection.execute(asked).mappings().one_or_none()
        return dict(found) if found else None

    def _tell(self, node: _Known, at_s: int, kind: str, text: str) -> None:
        self._told.append({"node_id": node.id, "at_s": at_s, "kind": kind, "text": text})


def _same(one: Row, other: Row) -> bool:
    """Tell whether two records of a number are the same decision; of a clock that isn't set, when it came differs."""
    timed = other["since_power_on_s"] is None
    return all(one[key] == other[key] for key in (*_REPEATED, *(("at_s",) if timed else ())))


def _model_in(about: Row) -> str:
    """Return the CRC of its model in what a node says about itself; "" where that tells none."""
    crc = about.get("model")
    return crc if isinstance(crc, str) and len(crc) <= 8 and crc.isalnum() else ""
