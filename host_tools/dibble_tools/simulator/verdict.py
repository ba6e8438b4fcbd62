"""How a season went: how often the node was right, what it watered, what it lost and what that cost."""

from collections import Counter
from dataclasses import dataclass

from dibble_tools.node.record_log import DecisionRecord
from dibble_tools.simulator.orchard.truth import STATES
from dibble_tools.simulator.season import Moment, Season

LATE_S = 7200  # hysteresis and windows may take so long to follow
NEEDLESS = -1.0  # a watering is wrong where the soil is wetter than its limit by more than a sensor's error
VERDICTS = ("right", "late", "unsure", "near", "wrong")


@dataclass(frozen=True)
class Verdict:
    """What a season's decisions were worth.

    Attributes:
        shares: verdict -> share of the decisions; {} where the model's classes aren't the field's states.
        mistaken: (state, held class, share) of the decisions that were wrong, the commonest first.
        by_state: state -> (moments in it, share of them in which it was held).
        needless: waterings of a soil that was wet.
        lost: acknowledged records that the log lacks, or has otherwise.
        errors: cycles that failed, and exceptions that nothing caught.
        restarts: what ended a life -> how often.
    """

    shares: dict[str, float]
    mistaken: list[tuple[str, str, float]]
    by_state: dict[str, tuple[int, float]]
    needless: int
    lost: int
    errors: int
    restarts: dict[str, int]


def season_verdict(season: Season, classes: tuple[str, ...]) -> Verdict:
    """Judge a season; classes: the model's."""
    known = set(classes) <= set(STATES)
    verdicts = Counter(verdict_on(moment) for moment in season.moments) if known else Counter()
    total = max(1, sum(verdicts.values()))
    wrong = Counter((m.state, m.line.held) for m in season.moments if known and verdict_on(m) == "wrong")
    by_state = {}
    for state in STATES if known else ():
        there = [moment for moment in season.moments if moment.state == state]
        if there:
            by_state[state] = (len(there), sum(m.line.held == state for m in there) / len(there))
    errors = sum(event.kind == "error" for _, event in season.events) + season.tracebacks
    return Verdict(
        {name: verdicts[name] / total for name in VERDICTS} if known else {},
        [(state, held or "nothing", count / total) for (state, held), count in wrong.most_common()],
        by_state,
        sum(watering.dryness < NEEDLESS for watering in season.waterings),
        lost_records(season),
        errors,
        dict(Counter(season.lives[:-1])),
    )


def verdict_on(moment: Moment) -> str:
    """Return how a decision fares beside the truth.

    right: the held class is the state. Else late: the state before, not long ago; unsure: the node itself said so;
    near: the field is within a sensor's error of another state; wrong: none of these.
    """
    line = moment.line
    if line.held == moment.state:
        return "right"
    if line.held == moment.previous_state and moment.at_s - moment.state_since_s <= LATE_S:
        return "late"
    if line.flags or not line.held:
        return "unsure"
    return "near" if moment.near else "wrong"


def lost_records(season: Season) -> int:
    """Return how many records were acknowledged and aren't in the log as they were printed.

    Those that the log has let go to make room, oldest first, aren't lost.
    """
    rows = {row.sequence: row for row in season.records.rows}
    lives: dict[int, list[Moment]] = {}
    for moment in season.moments:
        lives.setdefault(moment.life, []).append(moment)
    written = [moment for moments in lives.values() for moment in acknowledged(moments, season.batch)]
    first = min(rows, default=0)
    return sum(not same(rows.get(m.line.sequence), m) for m in written if m.line.sequence >= first)


def acknowledged(moments: list[Moment], batch: int) -> list[Moment]:
    """Return which decisions of a life were surely written.

    The node writes a full batch before it prints that batch's last line; where it can't, it says so, keeps the batch
    and drops its oldest for each new one.
    """
    written: list[Moment] = []
    kept: list[Moment] = []
    for moment in moments:
        kept = [*kept[-batch:][1:], moment] if len(kept) >= batch else [*kept, moment]
        if len(kept) >= batch and not moment.unwritten:
            written += kept
            kept = []
    return written


def same(row: DecisionRecord | None, moment: Moment) -> bool:
    """Tell whether a record holds what the line said."""
    line = moment.line
    return row is not None and (row.margin, row.flags, row.actions, row.battery_mv, list(row.readings)) == (
        line.margin,
        line.flags,
        line.action,
        line.battery_mv,
        list(line.readings.values()),
    )
