"""Write the list of a firmware's files that its node compares at each boot: dibble.storage.manifest reads it."""

import zlib
from collections.abc import Mapping
from pathlib import Path

from dibble.storage.manifest import MANIFEST

from dibble_tools.node.texts import TEXTS

PERSONAL = ("secrets.py",)  # may be changed on the board


def write_manifest(folder: Path) -> Path:
    """Write manifest.txt into a folder as it lies on the board, over all its .py, .mpy and texts; return its path.

    Call it last: a file that changes later is reported as damaged.
    """
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    manifest = folder / MANIFEST
    # Bytes: the node sums the lines as they are, and Windows would end them otherwise.
    manifest.write_bytes(manifest_of(files))
    return manifest


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of files by path: of all that are .py, .mpy or its texts, and nobody's own."""
    code = sorted(
        (path, content)
        for path, content in files.items()
        if (path.endswith((".py", ".mpy")) or path == TEXTS) and path.rpartition("/")[2] not in PERSONAL
    )
    lines = "".join(f"{zlib.crc32(content):08x} {len(content)} {path}\n" for path, content in code)
    return f"{lines}{zlib.crc32(lines.encode()):08x} {len(code)} .\n".encode()
