"""What was heard of a node, as the page shows it: text and numbers only, JSON-ready."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dibble.inference.decision import NOVEL, OUT_OF_RANGE, SENSOR_FAULT, UNSURE

from dibble_tools.common.quantities import channel_text, reading_text
from dibble_tools.common.safe_text import plain
from dibble_tools.console.clock import NodeClock
from dibble_tools.console.frames import HeardFrame, least_span
from dibble_tools.console.history import History
from dibble_tools.node.console_lines import Row

if TYPE_CHECKING:
    from dibble_tools.console.reasons import Reason

MOST_CHANNELS = 40
NAME_LENGTH = 60
NOTHING_YET: dict[str, Any] = {
    **{"title": "nothing yet", "trust": "none", "trust_words": "", "why": [], "when": ""},
    **{"margin": None, "margin_top": None},
}
FLAG_WORDS = (
    (SENSOR_FAULT, "a sensor is missing"),
    (OUT_OF_RANGE, "a reading lies outside what it was trained on"),
    (NOVEL, "this combination of readings was never seen in training"),
    (UNSURE, "it is a close call"),
)
_CLOCK = NodeClock(None)


def channels(history: History) -> list[dict[str, Any]]:
    """Return a card for each channel: name, label, reading and range in words, and the last readings."""
    if not history.header or not history.last:
        return []
    return [_channel(history, name, unit) for name, unit in history.header.channels[:MOST_CHANNELS]]


def channels_left(history: History) -> str:
    """Return in words how many channels have no card, "" for none."""
    more = len(history.header.channels) - MOST_CHANNELS if history.header else 0
    return f"and {more} more readings: `dibble monitor` has them all" if more > 0 else ""


def frames(shown: Iterable[HeardFrame], history: History) -> list[dict[str, Any]]:
    """Return what `frame` does of each sensor's last frame."""
    now = history.last.sequence if history.last else None
    return [frame(one, now) for one in shown]


def frame(shown: HeardFrame, now: int | None = None) -> dict[str, Any]:
    """Return an array's frame: pixels row by row, each in steps above its background, and what it shows in words.

    Of a camera's picture they are codes, of colours (red, green, blue) each.

    Args:
        now: sequence of the last decision; a frame that came with another is told to be of then.
    """
    sees = "sees" if now is None or shown.sequence in (now, now + 1) else f"saw at decision {shown.sequence}"
    rows, columns = shown.pixels.shape[:2]
    codes = shown.pixels.reshape(rows * columns, -1).tolist() if shown.is_picture else []
    low, high = (reading_text(int(end) * shown.step, shown.unit) for end in (shown.pixels.min(), shown.pixels.max()))
    return {
        "rows": rows,
        "columns": columns,
        "least_span": least_span(shown),
        "pixels": [] if shown.is_picture else shown.pixels.ravel().tolist(),
        "colours": [code if len(code) == 3 else 3 * code for code in codes],
        "sensor": plain(shown.sensor, NAME_LENGTH),
        "words": f"What {plain(shown.sensor, NAME_LENGTH)} {sees}: {rows} × {columns}",
        "range": f"from {low} to {high}" + " above the background of each pixel" * (not shown.is_picture),
    }


def decision(history: History, reason: "Reason | None", unsure_below: int | None) -> dict[str, Any]:
    """Return the last decision in words.

    Args:
        reason: why, where it's known.
        unsure_below: the margin from which the node's model is sure, where it's known.
    """
    row = history.last
    if row is None:
        return NOTHING_YET
    said = _said(row)
    if row.class_name:
        top = max(margin for margin in (*history.margins, unsure_below, 1) if margin is not None)
        bar = {"margin": row.margin, "margin_top": top}
        clear = f"ahead of the next best by {row.margin}"
        clear += f"; sure from {unsure_below} on" if unsure_below else ""
        said = {**said, **bar, "why": [*said["why"], clear, *_reason(reason, history)]}
    if row.class_name and row.held != row.class_name:
        held = f"still acts on “{plain(row.held, NAME_LENGTH)}”" if row.held else "doesn’t act yet"
        said = {**said, "why": [*said["why"], f"{held}: it waits until the decision repeats"]}
    return {**said, "when": _when(row)}


def _channel(history: History, name: str, unit: str) -> dict[str, Any]:
    readings = list(history.readings[name])
    there = [reading for reading in readings if reading is not None]
    low, high = (reading_text(end(there), unit) for end in (min, max)) if there else ("", "")
    span = "" if not there else f"steady at {low}" if low == high else f"{low} to {high}"
    return {
        "name": name,
        "label": plain(channel_text(name, unit), NAME_LENGTH),
        "text": plain(reading_text(readings[-1], unit), NAME_LENGTH),
        "missing": readings[-1] is None,
        "span": plain(span),
        "history": readings,
    }


def doubts(flags: int) -> list[str]:
    """Return why a decision can't be trusted, in words; nothing where it can."""
    return [text for flag, text in FLAG_WORDS if flags & flag]


def _said(row: Row) -> dict[str, Any]:
    reasons = doubts(row.flags)
    if row.class_name:
        sure = "✔ sure" if not reasons else "? not to be trusted now"
        return {
            **NOTHING_YET,
            "title": plain(row.class_name, NAME_LENGTH),
            "trust": "doubt" if reasons else "sure",
            "trust_words": sure,
            "why": reasons,
        }
    if reasons:
        return {
            **NOTHING_YET,
            "title": "no decision",
            "trust": "doubt",
            "trust_words": "? it can’t tell",
            "why": reasons,
        }
    return {**NOTHING_YET, "title": "only measuring", "why": ["there is no model on the board yet"]}


def _reason(reason: "Reason | None", history: History) -> list[str]:
    if reason is None or history.header is None:
        return []
    label = channel_text(reason.channel, dict(history.header.channels).get(reason.channel, ""))
    return [f"{label} speaks {'for it' if reason.push >= 0 else 'against it'} most"]


def _when(row: Row) -> str:
    when = _CLOCK.stamp(row.time_s)
    battery = f", battery {reading_text(row.battery_mv, 'mv')}" if row.battery_mv is not None else ""
    return f"decision {row.sequence}, {when + ' UTC' if when else 'its clock isn’t set'}{battery}"
