"""Says which files of the firmware a file system lost or damaged: FAT loses some that nobody was writing.

manifest.txt comes from whoever copied the firmware (host: node/manifest.py): a line `CRC SIZE PATH` for each file,
the CRC-32 in 8 hexadecimal digits; then such a line for all lines before it, with their number and a dot as path.

All sizes are compared. CRCs are, until BUDGET_MS are spent: of all files where the runtime has a CRC-32 in C, of
some on the smallest boards, and of others at the next boot.
"""

import os
from binascii import unhexlify

from dibble.inference.crc32 import crc32

try:
    from binascii import crc32 as quick_crc32
except ImportError:
    quick_crc32 = None

MANIFEST = "manifest.txt"
BUDGET_MS = 2000
MOST = 8  # files told of
_PIECE_BYTES = 256
_LAST_LINE_BYTES = 24


def check(port, begin):
    """Yield what is wrong, a text for each file; nothing without a manifest.

    Args:
        port: has ticks_ms(), ticks_diff(newer, older).
        begin: any int, another at each boot: where the CRCs begin.
    """
    count = _count()
    if count is None:
        return
    if not count:
        yield "expected %s as it was written, got other lines: copy the firmware again" % MANIFEST
        return
    begin %= count
    started = port.ticks_ms()
    told = 0
    for first, last in ((begin, count), (0, begin)):
        file = open(MANIFEST)
        try:
            for i in range(last):
                line = file.readline()
                if i >= first:
                    problem = _problem(line, port.ticks_diff(port.ticks_ms(), started) < BUDGET_MS)
                    told += problem != ""
                    if problem and told <= MOST:
                        yield problem
        finally:
            file.close()
    if told > MOST:
        yield "%d more" % (told - MOST)


def identity():
    """Return the CRC-32 of all lines but the last, least byte first: what tells a firmware; None without a manifest."""
    try:
        with open(MANIFEST, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LAST_LINE_BYTES))
            end = file.read()
        return bytes(reversed(unhexlify(end[end[:-1].rfind(b"\n") + 1 :][:8])))
    except (OSError, ValueError):
        return None


def _count():
    """Return the number of files in the manifest, 0 where it isn't whole, None where there is none."""
    try:
        file = open(MANIFEST)
    except OSError:
        return None
    try:
        count = 0
        sums = Sums()
        for line in file:
            if line == "%s %d .\n" % (sums.text(), count):
                return count
            data = line.encode()
            sums.add(data, len(data))
            count += 1
        return 0
    except (OSError, ValueError):  # ValueError: bytes that are no text
        return 0
    finally:
        file.close()


def _problem(line, thorough):
    """Return what is wrong with the file of a line, "" if nothing is."""
    crc, size, path = line[:-1].split(" ", 2)
    try:
        found = os.stat(path)[6]
        if found != int(size):
            return "%s: expected %s bytes, got %d" % (path, size, found)
        if thorough:
            text = file_crc(path)
            if text != crc:
                return "%s: expected CRC %s, got %s" % (path, crc, text)
    except OSError as error:
        return "%s: expected %s bytes, got %r" % (path, size, error)
    return ""


def file_crc(path):
    """Return a file's CRC-32 in 8 hexadecimal digits, as a manifest has it."""
    sums = Sums()
    buffer = bytearray(_PIECE_BYTES)
    file = open(path, "rb")
    try:
        size = file.readinto(buffer)
        while size:
            sums.add(buffer, size)
            size = file.readinto(buffer)
    finally:
        file.close()
    return sums.text()


class Sums:
    """A CRC-32 that grows."""

    def __init__(self):
        self._quick = 0
        self._halves = (0, 0)

    def add(self, data, size):
        if quick_crc32:
            self._quick = quick_crc32(memoryview(data)[:size], self._quick)
        else:
            self._halves = crc32(data, size, 0, self._halves)

    def text(self):
        return "%08x" % self._quick if quick_crc32 else "%04x%04x" % self._halves
