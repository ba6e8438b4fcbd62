"""How nodes are, from what they said: silence, battery, missing records, and decisions unlike those of training."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, case, func, select

from dibble_tools.fleet.database import logs, models, nodes, records
from dibble_tools.model.decisions import FLAG_NAMES

DAY_S = 86400
QUARTER_S = DAY_S // 4
RECENT_S = 7 * DAY_S  # over which shares are taken
FIRST_S = 14 * DAY_S  # a node's own first days, where its model's training isn't known
BATTERY_S = 30 * DAY_S
LATE = 3.5  # intervals of silence after which a node is late
FEWEST_DAYS = 3  # of which a battery's fall is told
SOLAR_MV = 60  # that a battery rises and falls by on a usual day where the sun charges it
LAST = 9  # records, of which the times between tell the interval
ALIKE_ROWS = 12  # decisions in a row are alike: so many count as one
LEAST_DRIFT = 0.05  # a share that rises by less isn't told, however sure it is
DRIFTING = FLAG_NAMES[:2] + FLAG_NAMES[3:]  # a sensor's fault isn't drift


@dataclass(frozen=True)
class Share:
    """How often a flag is set.

    Attributes:
        now: of the last week's decisions; None: there are none.
        usual: what it is held against; None: nothing is known.
        drifts: whether it is more than chance makes of the usual one, and by enough to matter.
    """

    now: float | None
    usual: float | None
    drifts: bool


@dataclass(frozen=True)
class Health:
    """A node as `dibble fleet status` shows it.

    Attributes:
        seen_s: when its last record came; `late` when that is too long ago for its interval.
        battery_mv: the last; battery_days until it is empty as it falls now; None: it doesn't fall, or isn't known.
        night_mv: the lowest of a usual day lately, of a battery that the sun charges, which is what battery_days goes
            by then; None: it isn't, or not known.
        model, config, firmware, board: as the node tells; "": it doesn't. mpy: what compiled files its MicroPython
            reads; None: it doesn't tell.
        update: how far an update is: "receiving 7 of 12", "confirmed"; "": there was none.
        records, missing: of its log: how many came, and how many of their numbers didn't.
        unknown_time: records of the last week from a clock that wasn't set.
        faults: share of the last week's decisions with a sensor's fault.
        shares: of unsure, out of range, novel.
        against: what these are held against: "training", "its first 14 days", "".
    """

    name: str
    online: bool
    seen_s: int
    late: bool
    interval_s: int | None
    held: str
    battery_mv: int | None
    battery_days: float | None
    night_mv: int | None
    model: str
    model_name: str
    config: str
    firmware: str
    board: str
    mpy: int | None
    update: str
    records: int
    missing: int
    unknown_time: int
    faults: float | None
    shares: dict[str, Share]
    against: str

    @property
    def drifts(self) -> bool:
        return any(share.drifts for share in self.shares.values())


def fleet_health(engine: Engine, now_s: int, pattern: str = "*", empty_mv: int = 3300) -> list[Health]:
    """Return the health of each node whose name fits a pattern, by name, bed-2 before bed-10.

    Args:
        now_s: seconds since 1970.
        pattern: as a shell has it: bed-*.
        empty_mv: the voltage at which a node's battery counts as empty.
    """
    with engine.connect() as connection:
        known = {crc: (name, json.loads(shares)) for crc, name, shares in connection.execute(select(models))}
        found = connection.execute(select(nodes)).mappings().all()
        fit = sorted((dict(node) for node in found if fnmatchcase(node["name"], pattern)), key=_place)
        said = _Said.of(connection, [node["id"] for node in fit], now_s)
        return [_health(said, node, known, now_s, empty_mv) for node in fit]


def natural(name: str) -> list[tuple[bool, int, str]]:
    """Return what names are sorted by: their digits as numbers, whole ones before other text."""
    parts = re.split(r"([0-9]+)", name)
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts if part]


def _place(node: dict[str, Any]) -> list[tuple[bool, int, str]]:
    return natural(node["name"])


@dataclass(frozen=True)
class _Day:
    """A day of a battery: its number since 1970; millivolts: mean, lowest and highest of its quarters' means."""

    number: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class _Said:
    """What the records of some nodes say, each by node: a query of each kind for all of them.

    Attributes:
        last: the newest LAST, the newest first.
        counts: how many came, and how many between the first and the last of each log didn't.
        recent: flags of the last week; early: of each node's first days, where they lie before that week.
        batteries: of the last month.
    """

    last: dict[int, list[Any]]
    counts: dict[int, tuple[int, int]]
    recent: dict[int, "_Flags"]
    early: dict[int, "_Flags"]
    batteries: dict[int, list[_Day]]

    @classmethod
    def of(cls, connection: Connection, ids: Sequence[int], now_s: int) -> "_Said":
        own = records.c.node_id.in_(ids)
        other = records.alias()
        first_s = select(func.min(other.c.at_s)).where(other.c.node_id == nodes.c.id).scalar_subquery()
        early = (records.c.at_s < first_s + FIRST_S) & (first_s + FIRST_S < now_s - RECENT_S)
        return cls(
            _last_records(connection, own),
            _counts(connection, ids),
            _flag_counts(connection, own & (records.c.at_s > now_s - RECENT_S)),
            _flag_counts(connection, own & early),
            _batteries(connection, own, now_s),
        )


def _health(said: _Said, node: dict[str, Any], known: dict[str, Any], now_s: int, empty_mv: int) -> Health:
    about, update = json.loads(node["about"]), json.loads(node["update"])
    model = str(about.get("model") or "")
    last = said.last.get(node["id"], [])
    interval_s = _interval(about, [row.at_s for row in last])
    count, missing = said.counts.get(node["id"], (0, 0))
    recent = said.recent.get(node["id"], _Flags(0, 0, {}))
    model_name, usual, against = "", None, ""
    if model in known:
        model_name, usual = known[model]
        against = "training"
    elif node["id"] in said.early:
        usual = said.early[node["id"]].shares()
        against = f"its first {FIRST_S // DAY_S} days"
    battery_days, night_mv = _battery(said.batteries.get(node["id"], []), empty_mv)
    shares = {name: recent.against(name, usual.get(name) if usual else None) for name in DRIFTING}
    return Health(
        name=node["name"],
        online=node["online"],
        seen_s=node["last_seen_s"],
        late=interval_s is not None and now_s - node["last_seen_s"] > LATE * interval_s,
        interval_s=interval_s,
        held=(last[0].held if last else None) or "",
        battery_mv=last[0].battery_mv if last else None,
        battery_days=battery_days,
        night_mv=night_mv,
        model=model,
        model_name=model_name or str(about.get("model_name") or ""),
        config=str(about.get("config") or ""),
        firmware=str(about.get("firmware") or ""),
        board=str(about.get("board") or ""),
        mpy=mpy if isinstance(mpy := about.get("mpy"), int) else None,
        update=update_text(update),
        records=count,
        missing=missing,
        unknown_time=recent.unset,
        faults=recent.flags[FLAG_NAMES[2]] / recent.rows if recent.rows else None,
        shares=shares,
        against=against,
    )


def update_text(said: dict[str, Any]) -> str:
    """Return an update's state as a node told it, in words."""
    state = str(said.get("state") or "")
    if state == "receiving":
        return f"receiving {said.get('have')} of {said.get('of')}"
    return f"{state}: {said['why']}" if state and said.get("why") else state


@dataclass(frozen=True)
class _Flags:
    rows: int
    unset: int
    flags: dict[str, int]

    def shares(self) -> dict[str, float]:
        return {name: count / self.rows for name, count in self.flags.items()} if self.rows else {}

    def against(self, name: str, usual: float | None) -> Share:
        if not self.rows:
            return Share(None, usual, False)
        now = self.flags[name] / self.rows
        if usual is None:
            return Share(now, None, False)
        sure = _lower_bound(now, self.rows / ALIKE_ROWS)
        return Share(now, usual, sure > usual and now - usual >= LEAST_DRIFT)


def _lower_bound(share: float, count: float) -> float:
    """Return the lower end of Wilson's 95 % interval of a share of `count` independent ones."""
    z = 1.96
    centre = share + z * z / (2 * count)
    spread = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return float((centre - spread) / (1 + z * z / count))


def _last_records(connection: Connection, own: Any) -> dict[int, list[Any]]:
    """Return each node's newest LAST records, the newest first."""
    other = records.alias()
    since = (
        select(other.c.at_s)
        .where(other.c.node_id == nodes.c.id)
        .order_by(other.c.at_s.desc())
        .offset(LAST - 1)
        .limit(1)
        .scalar_subquery()
    )
    asked = (
        select(records.c.node_id, records.c.held, records.c.battery_mv, records.c.at_s)
        .join(nodes, nodes.c.id == records.c.node_id)
        .where(own, records.c.at_s >= func.coalesce(since, 0))
        .order_by(records.c.node_id, records.c.at_s.desc())
    )
    found: dict[int, list[Any]] = {}
    for row in connection.execute(asked):
        found.setdefault(row.node_id, []).append(row)
    return found


def _flag_counts(connection: Connection, which: Any) -> dict[int, _Flags]:
    counted = [func.sum(case((records.c.flags.op("&")(1 << i) != 0, 1), else_=0)) for i in range(len(FLAG_NAMES))]
    asked = select(records.c.node_id, func.count(), func.count(records.c.since_power_on_s), *counted)
    asked = asked.join(nodes, nodes.c.id == records.c.node_id).where(which).group_by(records.c.node_id)
    return {
        node: _Flags(rows, unset, {name: int(count or 0) for name, count in zip(FLAG_NAMES, flags, strict=True)})
        for node, rows, unset, *flags in connection.execute(asked)
    }


def _counts(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    missing = logs.c.last_record - logs.c.first_record + 1 - logs.c.came
    asked = select(logs.c.node_id, func.sum(logs.c.came), func.sum(missing)).where(logs.c.node_id.in_(ids))
    return {node: (int(came), int(not_)) for node, came, not_ in connection.execute(asked.group_by(logs.c.node_id))}


def _interval(about: dict[str, Any], times_s: Sequence[int]) -> int | None:
    """Return the seconds between two decisions: as the node tells, or as its last ones have it."""
    told = about.get("interval_s")
    if type(told) is int and told > 0:
        return told
    apart = [newer - older for newer, older in pairwise(times_s) if newer > older]
    return int(np.median(apart)) if apart else None


def _batteries(connection: Connection, own: Any, now_s: int) -> dict[int, list[_Day]]:
    """Return each node's days; today's, of which the night or the noon may be missing, only where there are few."""
    quarter = records.c.at_s // QUARTER_S
    asked = select(records.c.node_id, quarter, func.avg(records.c.battery_mv)).where(
        own, records.c.battery_mv.is_not(None), records.c.at_s > now_s - BATTERY_S
    )
    means: dict[int, dict[int, list[float]]] = {}
    for node, number, mean in connection.execute(asked.group_by(records.c.node_id, quarter).order_by(quarter)):
        means.setdefault(node, {}).setdefault(number * QUARTER_S // DAY_S, []).append(float(mean))
    found = {}
    for node, by_day in means.items():
        days = [_Day(number, float(np.mean(each)), min(each), max(each)) for number, each in by_day.items()]
        whole = days[:-1] if days[-1].number == now_s // DAY_S else days
        found[node] = whole if len(whole) >= FEWEST_DAYS else days
    return found


def _battery(days: Sequence[_Day], empty_mv: int) -> tuple[float | None, int | None]:
    """Return (days until a battery is empty, its usual low at night where the sun charges it); None: see Health.

    By the median of the slopes between its days' mean voltages; of one that the sun charges, between their lowest.
    """
    if len(days) < FEWEST_DAYS:
        return None, None
    solar = np.median([day.high - day.low for day in days]) >= SOLAR_MV
    millivolts = np.array([day.low if solar else day.mean for day in days])
    numbers = np.array([float(day.number) for day in days])
    first, second = np.triu_indices(len(days), 1)
    slope = float(np.median((millivolts[second] - millivolts[first]) / (numbers[second] - numbers[first])))
    level = float(np.median(millivolts[-3:]))
    left = max(level - empty_mv, 0.0) / -slope if slope < -0.5 else None
    return left, round(level) if solar else None
