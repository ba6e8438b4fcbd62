"""Run on the board: what it is, and what is on it.

Prints lines `KEY VALUE`, then one for each file, and one for each folder in lib/dibble.
"""

import gc
import os
import sys

MOST_FILES = 1000
DIGITS = 16
PIECE_BYTES = 4096
FOLDER = 0x4000


def look():
    gc.collect()
    free = gc.mem_free()
    system = sys.implementation
    print("runtime", system.name)
    print("version", ".".join([str(part) for part in system.version[:3]]))
    print("machine", getattr(system, "_machine", sys.platform))
    print("mpy", getattr(system, "_mpy", 0))
    print("heap", free)
    try:
        block, _, blocks, unused = os.statvfs("/")[:4]
    except OSError:  # nothing is mounted there
        block = blocks = unused = 0
    print("flash", block, blocks, unused)
    print("rom", "yes" if _has_rom() else "no")
    try:
        from binascii import a2b_base64, crc32, hexlify  # noqa: F401
        from hashlib import sha256
    except ImportError:
        sha256 = None
    print("sums", "yes" if sha256 else "no")
    print("inflates", "yes" if _inflates() else "no")
    if sha256 and block and hasattr(os, "ilistdir"):
        _list("", sha256, [MOST_FILES])


def _inflates():
    """Tell whether the board can read what is compressed."""
    try:
        from deflate import DeflateIO  # noqa: F401

        return True
    except ImportError:
        return False


def _has_rom():
    """Tell whether there is a partition whose files can be used in place."""
    try:
        import vfs

        return vfs.rom_ioctl(1) > 0
    except (ImportError, AttributeError, OSError):
        return False


def _list(folder, sha256, left):
    for entry in os.ilistdir("/" + folder):
        path = folder + entry[0]
        if entry[1] == FOLDER:
            if path != "rom":
                if path.startswith("lib/dibble/"):
                    print("folder", path)
                _list(path + "/", sha256, left)
        elif left[0]:
            left[0] -= 1
            print("file", _sum(path, sha256), entry[3] if len(entry) > 3 else os.stat("/" + path)[6], path)


def _sum(path, sha256):
    """Return the first digits of the SHA-256 of a file that a deploy may write, "-" of others.

    A CRC-32 wouldn't do: it's the same of all models of one size, which end in their own.
    """
    if ("/" in path and not path.startswith("lib/dibble/")) or path in ("secrets.py", "node.key"):
        return "-"
    buffer = bytearray(PIECE_BYTES)
    from binascii import hexlify

    sums = sha256()
    file = open("/" + path, "rb")
    try:
        size = file.readinto(buffer)
        while size:
            sums.update(memoryview(buffer)[:size])
            size = file.readinto(buffer)
    finally:
        file.close()
    return hexlify(sums.digest()).decode()[:DIGITS]
