"""Signs a node's files with its key, as the board's dibble.storage.signatures checks it: models/SIGNED.md."""

import hmac
import os
import secrets
import time
from pathlib import Path

from dibble.storage.signatures import DIGEST_BYTES, HEAD_BYTES, KEY_BYTES, KINDS, MAGIC
from dibble.storage.slots import GENERATIONS

from dibble_tools.common.errors import InputError

COUNTERS_FROM_S = 1_767_225_600  # 2026-01-01: counters are seconds from there, of 30 bits
MOST_COUNTER = GENERATIONS


def write_new_key(path: Path) -> None:
    """Write a key to a file that isn't there yet, for its owner only."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))


def read_key(path: Path) -> bytes:
    """Return a key.

    Raises:
        InputError: there is none; what the file holds isn't told.
    """
    try:
        key = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: expected the node's key, as `dibble new` makes one, got: {error.strerror}") from None
    if len(key) != KEY_BYTES:
        raise InputError(f"{path}: expected a key of {KEY_BYTES} bytes, as `dibble new` makes one, got {len(key)}")
    return key


def kind_of(path: Path) -> str:
    """Return the name that a node knows a file by.

    Raises:
        InputError: the file's own name doesn't say it.
    """
    if path.name in KINDS:
        return path.name
    if path.suffix == ".dib":
        return "model.dib"
    raise InputError(f"{path}: expected a name that says what it is to the node: say it by --as, {', '.join(KINDS)}")


def counter_after(accepted: int) -> int:
    """Return the counter for a file that is signed now: by the clock, and above those that a node accepted."""
    return min(max(int(time.time()) - COUNTERS_FROM_S, accepted + 1), MOST_COUNTER)


def sign(key: bytes, kind: str, counter: int, content: bytes) -> bytes:
    """Return the signature of a file.

    Args:
        kind: of KINDS.
        counter: 1..MOST_COUNTER; a node that accepted a higher one refuses it.
    """
    if not 0 < counter <= MOST_COUNTER:
        raise InputError(f"--counter: expected 1 to {MOST_COUNTER}, got {counter}")
    head = MAGIC + bytes([KINDS.index(kind)]) + counter.to_bytes(4, "little")
    return head + hmac.digest(key, head + content, "sha256")


def counter_of(signature: bytes, key: bytes, kind: str, content: bytes) -> int:
    """Return the counter in a file's signature; 0 where it isn't one of this file with this key."""
    if len(signature) != HEAD_BYTES + DIGEST_BYTES:
        return 0
    counter = int.from_bytes(signature[5:HEAD_BYTES], "little")
    right = 0 < counter <= MOST_COUNTER and hmac.compare_digest(sign(key, kind, counter, content), signature)
    return counter if right else 0


def accepted_of(kept: bytes | None) -> dict[str, int]:
    """Return the highest counter of each kind that a node accepted, of what it keeps; None: nothing."""
    kept = kept or b""
    return {kind: int.from_bytes(kept[4 * i : 4 * i + 4], "little") for i, kind in enumerate(KINDS)}
