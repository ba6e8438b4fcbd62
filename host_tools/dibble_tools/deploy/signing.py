"""The signatures that a deploy brings to a node which has a key, and that key where it is asked for."""

from collections.abc import Callable, Mapping
from pathlib import Path

from dibble.storage.signatures import KEY, KINDS, SUFFIX

from dibble_tools.common.errors import InputError
from dibble_tools.deploy.request import Request
from dibble_tools.node.signatures import counter_after, counter_of, read_key, sign


def signing_files(
    request: Request,
    desired: Mapping[str, bytes],
    has_key: bool,
    read: Callable[[str], bytes | None],
    accepted: Mapping[str, int],
) -> dict[str, bytes]:
    """Return path -> content of what a board shall have beside the desired files; nothing for one without a key.

    Args:
        has_key: the board has one.
        read: returns a file of the board, None where there is none.
        accepted: the highest counter of each kind that its node accepted.
    Raises:
        InputError: it has a key, and this computer doesn't.
    """
    if not (request.key or has_key):
        return {}
    key = read_key(request.key or _key_at_hand(request))
    files: dict[str, bytes] = {KEY: key} if request.key else {}
    for kind in KINDS:
        content = desired.get(kind)
        if content is None and request.key:
            content = read(kind)  # what the node has counts as its owner's when the key comes
        if content is None:
            continue
        there = read(kind + SUFFIX) or b""
        last = accepted.get(kind, 0)
        counter = counter_of(there, key, kind, content)
        files[kind + SUFFIX] = there if counter and counter >= last else sign(key, kind, counter_after(last), content)
    return files


def _key_at_hand(request: Request) -> Path:
    """Return where the project's key is."""
    places = [*([request.config.parent / KEY] if request.config else []), Path(KEY)]
    for place in places:
        if place.is_file():
            return place
    raise InputError(
        f"this node takes signed files only: expected its key at {' or '.join(map(str, places))}, found none: "
        "deploy from the project's folder, where `dibble new` made it"
    )
