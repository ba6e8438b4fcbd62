"""Writing files so that nothing is lost: whole or not at all."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from dibble_tools.common.errors import InputError


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` by way of a temporary file beside it; an interruption leaves the old content."""
    write_together({path: data})


def write_together(files: Mapping[Path, bytes], gone: Iterable[Path] = ()) -> None:
    """Write files that belong together: all of them are on the disk before the first takes its place.

    A full disk leaves every old one. Only what interrupts the renames themselves can leave some of each.

    Args:
        files: path -> content, in the order in which they take their places.
        gone: files to remove afterwards, where they are there.
    Raises:
        InputError: there is no place for one of them.
    """
    staged: dict[Path, str] = {}
    path = next(iter(files), Path())
    try:
        try:
            for path, data in files.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                handle, staged[path] = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(staged[path], 0o666 & ~_umask())
            for path, temporary in staged.items():
                os.replace(temporary, path)
            for path in gone:
                path.unlink(missing_ok=True)
        finally:
            for temporary in staged.values():
                Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: expected a place to write to: {error.strerror or error}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
