"""What a node says as JSON-ready objects. JSON escapes what a terminal or a shell could take for a command."""

from dibble_tools.console.clock import NodeClock
from dibble_tools.console.feed import Status
from dibble_tools.console.frames import HeardFrame
from dibble_tools.console.reasons import Reason
from dibble_tools.model.decisions import FLAG_NAMES
from dibble_tools.node.console_lines import Event, Row

_CLOCK = NodeClock(None)


def flag_words(flags: int) -> list[str]:
    """Return the names of a decision's flags."""
    return [name for i, name in enumerate(FLAG_NAMES) if flags >> i & 1]


def row_object(row: Row, reason: Reason | None = None) -> dict[str, object]:
    """Return a decision: "when" is null where the node's clock isn't set."""
    spoken: dict[str, object] = {
        "node": row.node,
        "sequence": row.sequence,
        "when": _CLOCK.stamp(row.time_s) or None,
        "time_s": row.time_s,
        "class": row.class_name,
        "held": row.held,
        "margin": row.margin,
        "flags": flag_words(row.flags),
        "action": row.action,
        "faults": row.faults,
        "battery_mv": row.battery_mv,
        "readings": dict(row.readings),
    }
    if reason:
        spoken["because"] = {"channel": reason.channel, "push": reason.push}
    return spoken


def event_object(event: Event) -> dict[str, object]:
    return {"event": event.kind, "time_s": event.time_s, "text": event.text}


def status_object(status: Status) -> dict[str, object]:
    return {"connected": status.connected, "text": status.text}


def frame_object(frame: HeardFrame) -> dict[str, object]:
    """Return an array's frame: pixels row by row, each above its background by so many steps; or a picture's codes."""
    return {
        "frame": frame.sensor,
        "sequence": frame.sequence,
        "unit": frame.unit,
        "step": frame.step,
        "pixels": frame.pixels.tolist(),
    }
