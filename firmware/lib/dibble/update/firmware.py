"""The firmware's own files, by radio: staged beside those in use, as a deploy does it, and on trial afterwards.

Loaded only where a signed archive has come whole. models/UPDATES.md has its layout, and what brings back the old files.
"""

import os
import sys
from io import IOBase

from deflate import ZLIB, DeflateIO

from dibble import RecordError
from dibble.storage.key import signatures_of
from dibble.storage.manifest import MANIFEST, Sums, file_crc

ARCHIVE = b"DBF1"
HEAD_BYTES = 10
SIGNATURE_BYTES = 41
NAME = "firmware"  # of its signature
LIST, UNDO, DONE = "dibble_update.txt", "dibble_undo.txt", "dibble_done.txt"
STAGED, BEFORE = ".staged", ".before"
FOLLOWERS = ("main.py", "dibble_update.py")  # of the list, so at no moment missing: what was before is a copy
FIRST = "dibble update 2\n"
NEEDED = ("main.py", "dibble_update.py", MANIFEST)
SPARE_BLOCKS = 8
WINDOW_BITS = 12
_BLOCK_BYTES = 256


class Source(IOBase):
    """A stream's bytes, as what inflates them asks for them."""

    def __init__(self, stream):
        self._stream = stream

    def readinto(self, buffer):
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def stage(port, stream, offer, folder):
    """Write what differs from the files in use beside them, and the list that commits it; commit() is next.

    Args:
        port: has feed_watchdog(), memory(name).
        stream: returns a file of the parcel's bytes, at their start: they are read twice.
        offer: the Offer.
        folder: with its slash, for the signature.
    Raises:
        RecordError: this node doesn't take it; nothing is left of it.
        OSError: the file system fails.
    """
    signatures = signatures_of(port, folder)
    if not signatures:
        raise RecordError("expected a key on this node, without which no firmware comes by radio")
    source = stream()
    with open(folder + NAME + ".sig", "wb") as file:
        file.write(source.read(SIGNATURE_BYTES))
    signatures.accept(NAME, source)
    source = stream()
    source.read(SIGNATURE_BYTES)
    head = source.read(HEAD_BYTES)
    if head[:4] != ARCHIVE or head[6:] != offer.identity:
        raise RecordError("expected the firmware that was offered, got another file")
    mpy = getattr(sys.implementation, "_mpy", 0)
    if head[4] | head[5] << 8 != mpy:
        raise RecordError("expected firmware for mpy %d, got it for %d" % (mpy, head[4] | head[5] << 8))
    _drop_before()
    changes = []
    try:
        _write(source, changes, port.feed_watchdog)
        _list(changes)
    except Exception:
        for change in changes:
            _remove(change[2:] + STAGED)
        for path in FOLLOWERS:
            _remove(path + BEFORE)
        raise


def commit():
    """Make what is staged the node's, at its next start."""
    os.rename(LIST + STAGED, LIST)


def _write(source, changes, feed):
    """Stage the files of an archive that differ from those in use; add a line of the list for each to `changes`."""
    inflated = DeflateIO(Source(source), ZLIB, WINDOW_BITS)
    buffer = bytearray(_BLOCK_BYTES)
    there = set()
    line = inflated.readline()
    while line:
        crc, size, path = line.decode()[:-1].split(" ", 2)
        there.add(path)
        same = _is(path, crc, size)
        file = None
        if not same:
            if path.endswith(".mpy") and _is_there(path[:-4]):  # a folder, which would be imported in its place
                raise RecordError("expected no folder %s, which another layout has: deploy by cable once" % path[:-4])
            block, _, _, free = os.statvfs("/")[:4]
            if free < int(size) // block + SPARE_BLOCKS:
                raise RecordError("%s: expected room for %s bytes, got %d blocks: make some" % (path, size, free))
            _make_folders(path)
            if path in FOLLOWERS:
                _copy(path, path + BEFORE)
            changes.append(("~ " if _is_there(path) and path not in FOLLOWERS else "+ ") + path)
            file = open(path + STAGED, "wb")
        try:
            left = int(size)
            while left:
                count = inflated.readinto(memoryview(buffer)[: min(left, _BLOCK_BYTES)])
                if not count:
                    raise RecordError("%s: expected %d bytes more of it, got none" % (path, left))
                if file:
                    file.write(memoryview(buffer)[:count])
                left -= count
                feed()
        finally:
            if file:
                file.close()
        if file and not _is(path + STAGED, crc, size):
            raise RecordError("%s: expected to read what was written, got other bytes" % path)
        line = inflated.readline()
    for path in NEEDED:
        if path not in there:
            raise RecordError("expected firmware with %s, got none" % path)
    _find_old(there, changes)


def _find_old(there, changes):
    """Add the files of the firmware in use that the new one hasn't."""
    try:
        file = open(MANIFEST)
    except OSError:  # the files were copied by hand
        return
    with file:
        for line in file:
            path = line[:-1].split(" ", 2)[2]
            if path != "." and path not in there and _is_there(path):
                changes.append("> " + path)


def _list(changes):
    """Write the list that makes the staged files the node's, and before that the one that takes it back."""
    undo = []
    for change in changes:
        path = change[2:]
        undo.append(("- " if change[0] == "+" and path not in FOLLOWERS else "< ") + path)
    for path, lines in ((UNDO, undo), (LIST, ["+ " + UNDO] + changes)):
        sums = Sums()
        with open(path + STAGED, "w") as file:
            for line in [FIRST] + [line + "\n" for line in lines]:
                file.write(line)
                sums.add(line.encode(), len(line))
            file.write("%s %d .\n" % (sums.text(), len(lines) + 1))


def go_back():
    """Have the files before the trial at the next start."""
    os.rename(UNDO, LIST)


def keep():
    """The new files are good: what was before goes."""
    try:
        os.rename(UNDO, DONE)  # from here on nothing goes back to what is half gone
    except OSError:
        pass
    _drop_before()


def _drop_before():
    """Remove what is left of the firmware before a trial that came to its end."""
    if _is_there(DONE):
        with open(DONE) as file:
            for line in file:
                if line[:2] == "< ":
                    _remove(line[2:-1] + BEFORE)
        os.remove(DONE)


def _is(path, crc, size):
    """Tell whether a file is there with these bytes."""
    try:
        return os.stat(path)[6] == int(size) and file_crc(path) == crc
    except OSError:
        return False


def _copy(source, target):
    with open(source, "rb") as file, open(target, "wb") as out:
        data = file.read(_BLOCK_BYTES)
        while data:
            out.write(data)
            data = file.read(_BLOCK_BYTES)


def _make_folders(path):
    at = path.find("/")
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass  # it's there
        at = path.find("/", at + 1)


def _is_there(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass
