"""What took its time to make and comes out the same again, kept in the user's cache folder.

An entry is a SHA-256 and a ZIP file of which it is. What doesn't hold is made anew, and a folder that can't be written
to costs time only: nothing ever depends on what is kept.
"""

import contextlib
import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from dibble_tools.common.errors import InputError
from dibble_tools.common.files import write_atomically

MOST = 64  # entries of a kind, some 50 KB each
_DIGEST_BYTES = 32


def cache_folder() -> Path:
    """Return dibble's folder below the user's for caches: of XDG_CACHE_HOME, of Windows, or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(base) / "dibble" if base else Path.home() / ".cache" / "dibble"


def kept(kind: str, key: Iterable[bytes | str], make: Callable[[], dict[str, bytes]]) -> dict[str, bytes]:
    """Return name -> content as made before from the same key; else make and keep it.

    Args:
        kind: of what is made; a folder's name.
        key: all that the outcome depends on; each part counts by itself.
        make: what takes its time.
    """
    try:
        folder = cache_folder() / kind
    except RuntimeError:  # no home
        return make()
    path = folder / f"{_digest_of(key)}.zip"
    found = _read(path)
    if found is None:
        found = make()
        _write(path, found)
    return found


def _digest_of(key: Iterable[bytes | str]) -> str:
    sums = hashlib.sha256()
    for part in key:
        data = part.encode() if isinstance(part, str) else part
        sums.update(len(data).to_bytes(8, "little") + data)
    return sums.hexdigest()[:40]


def _read(path: Path) -> dict[str, bytes] | None:
    """Return an entry; None where there is none that is whole."""
    try:
        data = path.read_bytes()
        content = data[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != data[:_DIGEST_BYTES]:
            return None
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = {name: archive.read(name) for name in archive.namelist()}
        os.utime(path)  # of use again
    except (OSError, zipfile.BadZipFile):
        return None
    return found


def _write(path: Path, files: dict[str, bytes]) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    sums = hashlib.sha256(content.getvalue()).digest()
    with contextlib.suppress(InputError, OSError):
        write_atomically(path, sums + content.getvalue())
        entries = sorted(path.parent.glob("*.zip"), key=lambda each: each.stat().st_mtime)
        for entry in entries[:-MOST]:
            entry.unlink(missing_ok=True)
