"""One value of a JSON text changed, all else left as it was written."""

import json
from collections.abc import Sequence

SPACE = " \t\r\n"


def set_value(text: str, path: Sequence[str | int], value: object) -> str:
    """Return the text with the value at `path` replaced, or, where its last key isn't there, put in first.

    Args:
        text: valid JSON.
        path: keys and indices from the outermost on.
    Raises:
        LookupError: an earlier key or an index isn't there.
    """
    start = _skip(text, 0)
    for depth, step in enumerate(path):
        found = _find(text, start, step)
        if found is None:
            if depth < len(path) - 1 or not isinstance(step, str):
                raise LookupError(step)
            return _insert(text, start, f"{json.dumps(step)}: {json.dumps(value)}")
        start = found
    return text[:start] + json.dumps(value) + text[_end(text, start) :]


def _find(text: str, start: int, step: str | int) -> int | None:
    """Return where the value of a key or index begins in the table or list that begins at `start`."""
    at = _skip(text, start + 1)
    index = 0
    while text[at] not in "]}":
        key: str | int = index
        if text[start] == "{":
            end = _end(text, at)
            key = json.loads(text[at:end])
            at = _skip(text, _skip(text, end) + 1)  # behind the colon
        if key == step:
            return at
        at = _skip(text, _end(text, at))
        if text[at] == ",":
            at = _skip(text, at + 1)
        index += 1
    return None


def _insert(text: str, start: int, entry: str) -> str:
    """Put an entry first into the table that begins at `start`, on a line of its own where the next one is."""
    first = _skip(text, start + 1)
    if text[first] == "}":
        return text[: start + 1] + entry + text[first:]
    gap = text[start + 1 : first]
    return text[: start + 1] + gap + entry + "," + (gap or " ") + text[first:]


def _end(text: str, start: int) -> int:
    return json.JSONDecoder().raw_decode(text, start)[1]


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in SPACE:
        at += 1
    return at
