"""A flash chip whose content is a file: what is programmed is in it at once, whoever is killed next."""

import fcntl
import os
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.simulator.node.flash import BLOCK_BYTES, ERASED, Flash

LEAST_BLOCKS, MOST_BLOCKS = 8, 4096


class FlashFile(Flash):
    """A Flash over a file, which one board at a time has.

    Args:
        path: made, erased, where it isn't there.
        size: bytes, a multiple of BLOCK_BYTES; None: the file's.
    Raises:
        InputError: no such size, not the file's size, or another board has the file.
    """

    def __init__(self, path: Path, size: int | None) -> None:
        if size is not None:
            _check(path, size)
        try:
            file = open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise InputError(f"{path}: expected a file to keep the board's flash in, got: {error.strerror}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"{path}: expected a flash image that no board runs from, but one does") from None
        found = os.fstat(file.fileno()).st_size
        if not found:
            assert size is not None, "the caller knows the size of a new chip"
            file.write(bytes([ERASED]) * size)
        elif size not in (None, found):
            raise InputError(
                f"{path}: expected a flash image of {size} bytes, got {found}; name another file or leave out the size"
            )
        else:
            _check(path, found)
            size = found
        super().__init__(size // BLOCK_BYTES, file)


def _check(path: Path, size: int) -> None:
    if size % BLOCK_BYTES or not LEAST_BLOCKS <= size // BLOCK_BYTES <= MOST_BLOCKS:
        raise InputError(
            f"{path}: expected a flash of {LEAST_BLOCKS * BLOCK_BYTES // 1024}k to"
            f" {MOST_BLOCKS * BLOCK_BYTES // 1024}k in blocks of {BLOCK_BYTES} bytes, got {size} bytes"
        )
