"""Write the list of a firmware's files that its node compares at each boot: dibble.storage.manifest reads it."""

import zlib
from pathlib import Path

from dibble.storage.manifest import MANIFEST

PERSONAL = ("secrets.py",)  # may be changed on the board


def write_manifest(folder: Path) -> Path:
    """Write manifest.txt into a folder as it lies on the board, over all its .py and .mpy; return its path.

    Call it last: a file that changes later is reported as damaged.
    """
    files = sorted(
        (path.relative_to(folder).as_posix(), path.read_bytes())
        for path in folder.rglob("*")
        if path.suffix in (".py", ".mpy") and path.name not in PERSONAL
    )
    lines = "".join(f"{zlib.crc32(data):08x} {len(data)} {name}\n" for name, data in files)
    manifest = folder / MANIFEST
    # Bytes: the node sums the lines as they are, and Windows would end them otherwise.
    manifest.write_bytes(f"{lines}{zlib.crc32(lines.encode()):08x} {len(files)} .\n".encode())
    return manifest
