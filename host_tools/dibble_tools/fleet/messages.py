"""What nodes publish, held against what they can publish: firmware/lib/dibble/report."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dibble.report.state import KEYS

from dibble_tools.common.errors import InputError
from dibble_tools.common.safe_text import is_fit_name
from dibble_tools.console.clock import DAY_ZERO_UNIX_S, SET_S

TOPICS = ("state", "status", "about", "update", "health")  # below dibble/NODE/: models/UPDATES.md
MOST_BYTES = 16384
MOST_CHANNELS = 255
MOST_CLASS = 120
SMALL_INTS = range(-(1 << 30), 1 << 30)
COUNTS = range(1 << 30)
# A node that has run since 2000 and says that its clock shows 2099 isn't believed further.
LAST_S = 3_155_760_000
_TOPIC = re.compile(r"dibble/([A-Za-z0-9_-]{1,64})/(\w+)")


@dataclass(frozen=True)
class Record:
    """A decision as a node reported it.

    Attributes:
        sequence: its number in the node's log.
        node_s: by the node's clock, seconds since 1970; None where that wasn't set.
        since_power_on_s: where it wasn't.
        decided, held: classes; None: none.
        readings: channel -> reading, None where missing, in the node's order.
    """

    sequence: int
    node_s: int | None
    since_power_on_s: int | None
    decided: str | None
    held: str | None
    margin: int
    flags: int
    action: int
    battery_mv: int | None
    readings: Mapping[str, int | None]


def parts_of(topic: str) -> tuple[str, str] | None:
    """Return (node, what) of a topic that a node publishes to; None of another."""
    match = _TOPIC.fullmatch(topic)
    return (match[1], match[2]) if match and match[2] in TOPICS else None


def record_of(payload: bytes) -> Record:
    """Return the record in a node's state.

    Raises:
        InputError: a node can't have written that.
    """
    said = object_of(payload)
    absent = [key for key in KEYS if key not in said]
    if absent:
        raise InputError(f"expected a state with the key {absent[0]!r}")
    time_s = _number(said, "time", range(LAST_S))
    is_set = time_s >= SET_S
    channels = {name: value for name, value in said.items() if name not in KEYS}
    if len(channels) > MOST_CHANNELS or not all(map(is_fit_name, channels)):
        raise InputError(f"expected at most {MOST_CHANNELS} channels of plain names")
    return Record(
        _number(said, "seq", range(1, 1 << 30)),
        time_s + DAY_ZERO_UNIX_S if is_set else None,
        None if is_set else time_s,
        _text(said, "class"),
        _text(said, "held"),
        _number(said, "margin", COUNTS),
        _number(said, "flags", COUNTS),
        _number(said, "action", COUNTS),
        _reading(said, "battery_mv"),
        {name: _reading(channels, name) for name in channels},
    )


def object_of(payload: bytes) -> dict[str, Any]:
    """Return the JSON object of a payload.

    Raises:
        InputError: it isn't one, or a larger one than a node sends.
    """
    if len(payload) > MOST_BYTES:
        raise InputError(f"expected at most {MOST_BYTES} bytes, got {len(payload)}")
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        raise InputError("expected JSON") from None
    if not isinstance(said, dict):
        raise InputError("expected a JSON object")
    return said


def _number(said: Mapping[str, Any], key: str, within: range) -> int:
    value = said[key]
    if type(value) is not int or value not in within:
        raise InputError(f"expected {key} of {within.start}..{within.stop - 1}")
    return value


def _reading(said: Mapping[str, Any], key: str) -> int | None:
    return None if said[key] is None else _number(said, key, SMALL_INTS)


def _text(said: Mapping[str, Any], key: str) -> str | None:
    value = said[key]
    if value is None or (isinstance(value, str) and len(value) <= MOST_CLASS and value.isprintable()):
        return value
    raise InputError(f"expected {key} to be a class of at most {MOST_CLASS} printable characters")
